"""Imports go only down the order that docs/architecture.md states, and importing the package stays cheap."""
import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'mmhuman_dto'


def stated_order():
    """Packages from the ground up: the first column of the table below "The order of packages"."""
    table = (ROOT / 'docs/architecture.md').read_text().split('## The order of packages')[1].split('\n## ')[0]
    return re.findall(r'^\| `(\w+)` \|', table, re.M)


def imported_packages(path):
    """Names of the mmhuman_dto packages that a file imports, imports inside functions counted."""
    package = path.relative_to(ROOT).with_suffix('').parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *([node.module] if node.module else [])])
            names = [f'{module}.{alias.name}' for alias in node.names]
        else:
            continue
        yield from (name.split('.')[1] for name in names if name.startswith('mmhuman_dto.'))


def test_imports_go_down():
    order = {**{name: floor for floor, name in enumerate(stated_order())}, '__init__': 100, '__main__': 100}
    parts = {path.relative_to(PACKAGE).with_suffix('').parts[0] for path in PACKAGE.rglob('*.py')}
    assert parts == set(order), 'docs/architecture.md, "The order of packages", names each package once'
    wrong = [f'{path.relative_to(ROOT)} imports {name}' for path in sorted(PACKAGE.rglob('*.py'))
             for name in imported_packages(path) for part in [path.relative_to(PACKAGE).with_suffix('').parts[0]]
             if name in order and name != part and order[name] >= order[part]]
    assert not wrong, '\n'.join(wrong)


def test_plain_import_loads_no_runner():
    code = ('import sys, mmhuman_dto, mmhuman_dto.registry; print("mmengine.runner" in sys.modules); '
            'print("mmhuman_dto.apis" in sys.modules); from mmhuman_dto import HumanInferencer as I, place; '
            'print(I.__name__, place.__name__)')
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ['False', 'False', 'HumanInferencer', 'place']
