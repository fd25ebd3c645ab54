"""What README and docs show must be there and run: python blocks, commands and their flags, make targets, links."""
import importlib
import re
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
FILE = re.compile(r'# (\w+)\.py\b')
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```', re.M | re.S)


def blocks(page, language):
    return [code for lang, code in BLOCK.findall(page.read_text()) if lang == language]


def commands():
    for page in PAGES:
        for block in blocks(page, 'bash'):
            for line in block.replace('\\\n', ' ').splitlines():
                line = line.split('#')[0].strip()
                if line:
                    yield pytest.param(line, id=f'{page.name}: {line[:60]}')


@lru_cache
def help_of(script):
    run = subprocess.run([sys.executable, ROOT / script, '--help'], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder to work in, where the checkout's data and configs are found, and modules can be imported from."""
    for name in ('configs', 'demo'):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (tmp_path / f'{name}.py').is_file():
            del sys.modules[name]


@pytest.mark.parametrize('page', [p for p in PAGES if blocks(p, 'python')], ids=lambda p: p.name)
def test_python_blocks_run(page, workplace):
    """From top to bottom; a block that starts with a file's name is that file, and is imported."""
    scope = {'__name__': 'docs'}
    for code in blocks(page, 'python'):
        if file := FILE.match(code):
            (workplace / f'{file[1]}.py').write_text(code)
            importlib.invalidate_caches()
            importlib.import_module(file[1])
        else:
            exec(compile(code, str(page), 'exec'), scope)


@pytest.mark.parametrize('line', commands())
def test_commands_exist(line):
    words = shlex.split(line)
    if words[0] == 'make':
        targets = re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.M)
        assert all(word in targets for word in words[1:] if '=' not in word)
        return
    scripts = [word for word in words if word.endswith('.py') and word.split('/')[0] in ('tools', 'demo', 'tests')]
    if not scripts:
        return
    text = help_of(scripts[0])
    for flag in re.findall(r'\s(--[\w-]+)', line):
        assert flag in text, f'{scripts[0]} has no {flag}'
    for word in words:
        if word.startswith('configs/'):
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize('page', PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+)', page.read_text()):
        if '://' not in target:
            assert (page.parent / target).exists(), f'{page.name} links to {target}, which is not there'
