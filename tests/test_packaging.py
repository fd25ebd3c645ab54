"""A wheel built from the checkout works elsewhere, with all it promises and nothing else."""
import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from distutils.core import run_setup
from pathlib import Path

import pytest
from mmengine.config import Config
from safetensors.torch import save_file

import mmhuman_dto
from mmhuman_dto.engine.model import DEFAULT_MODEL, for_inference
from mmhuman_dto.fileio.bundled import BUNDLED, find_config
from mmhuman_dto.registry import MODELS

ROOT = Path(__file__).parents[1]
WEIGHTS = f'demo/resources/{DEFAULT_MODEL}.safetensors'
PICTURE = 'demo/resources/group/images/0000.jpg'
PREDICT = f'''
import sys, torch, mmhuman_dto
from mmhuman_dto import HumanInferencer
from mmhuman_dto.fileio.bundled import BUNDLED
assert mmhuman_dto.__file__.startswith(sys.prefix), mmhuman_dto.__file__
torch.set_num_threads(1)
scene = HumanInferencer('network', threshold=0, device='cpu')(BUNDLED / {PICTURE!r})
assert torch.isfinite(scene.sample.pred_instances.transl).all()
print(len(scene.people))
'''


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy, so that the build leaves nothing behind; with random weights where there are no trained ones."""
    folder = tmp_path_factory.mktemp('packaging') / 'checkout'
    folder.mkdir()
    for name in ('configs', 'demo', 'docs', 'mmhuman_dto', 'requirements', 'tests', 'tools'):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('LICENSE', 'MANIFEST.in', 'Makefile', 'README.md', 'pyproject.toml', 'setup.py'):
        shutil.copy(ROOT / name, folder)
    if not (folder / WEIGHTS).is_file():
        model = MODELS.build(for_inference(Config.fromfile(find_config(DEFAULT_MODEL)).model.to_dict()))
        save_file(model.state_dict(), folder / WEIGHTS)
    return folder


@pytest.fixture(scope='module')
def wheel(checkout):
    run(sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--no-index', '-w', 'dist', '.',
        cwd=checkout)
    path, = (checkout / 'dist').glob('*.whl')
    return path


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """Scripts of an environment that has the wheel, and this one's dependencies but not its checkout."""
    folder = tmp_path_factory.mktemp('installed')
    venv.create(folder, with_pip=False)
    scheme = {name: folder / Path(sysconfig.get_path(name)).relative_to(sys.prefix) for name in ('purelib', 'scripts')}
    (scheme['purelib'] / 'dependencies.pth').write_text(sysconfig.get_path('purelib'))
    run(sys.executable, '-m', 'pip', '--python', scheme['scripts'] / 'python', 'install', '--no-deps', '--no-index',
        wheel, cwd=folder)
    return scheme['scripts']


def test_metadata(monkeypatch):
    """Requirements are ones that setuptools takes, the version is the package's."""
    monkeypatch.chdir(ROOT)
    package = run_setup('setup.py', stop_after='config')
    assert package.get_version() == mmhuman_dto.__version__
    assert set(package.extras_require) == {'anny', 'dev', 'exr', 'openmmlab', 'ray', 'transformers', 'usd', 'viewer'}
    assert all(package.extras_require.values()) and any(line.startswith('torch>=') for line in package.install_requires)


def test_bundled_files_of_a_checkout():
    assert BUNDLED == ROOT and (BUNDLED / PICTURE).is_file()
    assert find_config(DEFAULT_MODEL) == ROOT / f'configs/metric_hmr/{DEFAULT_MODEL}.py'
    assert find_config(__file__) == Path(__file__)


@pytest.mark.slow
def test_wheel_has_what_it_needs_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as file:
        sizes = {info.filename: info.file_size for info in file.infolist()}
    about = f'mmhuman_dto-{mmhuman_dto.__version__}.dist-info'
    assert {name.split('/')[0] for name in sizes} == {'mmhuman_dto', about}
    assert max(sizes.values()) < 25 * 2**20 and not any('__pycache__' in name for name in sizes)
    bundled = {name.removeprefix('mmhuman_dto/.bundled/') for name in sizes if '/.bundled/' in name}
    configs = {str(path.relative_to(ROOT)) for path in (ROOT / 'configs').rglob('*.py')}
    assert bundled >= {*configs, WEIGHTS, PICTURE}
    assert {name for name in bundled if name.endswith('.py')} - configs == {
        'demo/image_demo.py', 'tools/generate_dto.py', 'tools/train.py', 'tools/test.py', 'tools/place.py',
        'tools/convert.py', 'tools/misc/doctor.py'}
    package = {str(path.relative_to(ROOT)) for path in (ROOT / 'mmhuman_dto').rglob('*')
               if path.is_file() and '__pycache__' not in path.parts}
    assert set(sizes) >= package


@pytest.mark.slow
def test_a_wheel_can_be_built_of_the_sdist(checkout, wheel, tmp_path):
    run(sys.executable, 'setup.py', '-q', 'sdist', '-d', tmp_path, cwd=checkout)
    path, = tmp_path.glob('*.tar.gz')
    assert path.stat().st_size < 50 * 2**20  # the five bundled networks are 41 MB of it
    with tarfile.open(path) as file:
        names = {name.partition('/')[2] for name in file.getnames()}
    with zipfile.ZipFile(wheel) as file:
        needed = {name.removeprefix('mmhuman_dto/.bundled/') for name in file.namelist() if '.dist-info/' not in name}
    assert names >= needed | {'setup.py', 'pyproject.toml', 'requirements/runtime.txt', 'LICENSE', 'README.md'}


@pytest.mark.slow
def test_network_by_name_with_the_wheel_alone(installed, tmp_path):
    assert int(run(installed / 'python', '-c', PREDICT, cwd=tmp_path)) > 0


@pytest.mark.slow
def test_programs_with_the_wheel_alone(installed, tmp_path):
    assert 'photo-hub' in run(installed / 'mmhuman-dto', '--list', cwd=tmp_path)
    run(installed / 'mmhuman-dto', 'image', '--save', 'params', '--out-dir', 'out', cwd=tmp_path)
    assert json.loads((tmp_path / 'out/params/treadmill.json').read_text())['people']
    for name, option in (('generate', '--resume'), ('train', '--dry-run'), ('test', '--dump'),
                         ('doctor', '--no-self-test')):
        assert option in run(installed / 'python', '-m', 'mmhuman_dto', name, '--help', cwd=tmp_path)


@pytest.mark.slow
def test_dependencies_agree(installed, tmp_path):
    """``pip check`` of the environment that the wheel is installed in says nothing of it."""
    done = subprocess.run([sys.executable, '-m', 'pip', '--python', installed / 'python', 'check'], cwd=tmp_path,
                          capture_output=True, text=True)
    assert 'mmhuman' not in done.stdout.replace('-', '_'), done.stdout
