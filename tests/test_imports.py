"""Imports go only down the floors, and importing the package stays cheap."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmhuman_dto'
FLOORS = {
    'registry': 0,
    'structures': 1, 'geometry': 1, 'dto': 1,
    'fileio': 2, 'body_models': 2, 'perception': 2, 'models': 2, 'datasets': 2, 'evaluation': 2, 'visualization': 2,
    'engine': 2, 'testing': 2,
    'generation': 3, 'apis': 3, '__main__': 3,
}


def imported_parts(path):
    """Names of the mmhuman_dto sub-packages that a file imports."""
    package = path.relative_to(PACKAGE.parent).with_suffix('').parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *([node.module] if node.module else [])])
            names = [f'{module}.{alias.name}' for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split('.')
            if parts[0] == 'mmhuman_dto' and len(parts) > 1 and parts[1] in FLOORS:
                yield parts[1]


@pytest.mark.parametrize('path', sorted(PACKAGE.rglob('*.py')), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    part = path.relative_to(PACKAGE).with_suffix('').parts[0]
    if part == '__init__':
        assert not set(imported_parts(path))
        return
    assert part in FLOORS, f'{part} has no floor; add it here and to docs/architecture.md'
    too_high = {name for name in imported_parts(path) if FLOORS[name] > FLOORS[part]}
    assert not too_high, f'{path} (floor {FLOORS[part]}) imports {too_high}'


def test_plain_import_loads_no_runner():
    code = 'import sys, mmhuman_dto, mmhuman_dto.registry; print("mmengine.runner" in sys.modules)'
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == 'False'
