"""What README and docs show must be there and run: python blocks, commands and their flags, make targets, links."""
import re
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
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


@pytest.mark.parametrize('page', [p for p in PAGES if blocks(p, 'python')], ids=lambda p: p.name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv('MMHUMAN_DOCS_OUT', str(tmp_path))
    scope = {'__name__': 'docs'}
    for code in blocks(page, 'python'):
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
