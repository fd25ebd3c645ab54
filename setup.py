"""Package metadata; the pinned set that was tested together is in requirements/ and installed by the Makefile."""
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
#: What a wheel has besides code, where mmhuman_dto/fileio/bundled.py looks for it; in a checkout it stays where it is.
BUNDLED = (
    'configs/**/*.py',
    'demo/resources/*.safetensors', 'demo/resources/*.md',
    'demo/resources/photo/*', 'demo/resources/group/images/*', 'demo/resources/group/disparity/*',
    'demo/image_demo.py', 'tools/generate_dto.py', 'tools/train.py', 'tools/test.py', 'tools/place.py',
    'tools/convert.py', 'tools/misc/doctor.py',
)


class BuildWithBundled(build_py):

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for path in (path for pattern in BUNDLED for path in ROOT.glob(pattern)):
            target = Path(self.build_lib, 'mmhuman_dto/.bundled', path.relative_to(ROOT))
            self.mkpath(str(target.parent))
            self.copy_file(str(path), str(target))


def requirements(path):
    """Requirements in a file; its options (``--no-binary``) are for pip alone."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith(('#', '-'))]


def version():
    for line in (ROOT / 'mmhuman_dto/__init__.py').read_text().splitlines():
        if line.startswith('__version__'):
            return line.split("'")[1]
    raise RuntimeError('no __version__ in mmhuman_dto/__init__.py')


setup(
    name='mmhuman_dto',
    version=version(),
    description='Several people, their sizes and places in one metric camera space, from a single image',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['mmhuman_dto', 'mmhuman_dto.*']),
    package_data={'mmhuman_dto': ['*/data/**']},
    cmdclass=dict(build_py=BuildWithBundled),
    entry_points=dict(console_scripts=['mmhuman-dto = mmhuman_dto.__main__:main']),
    python_requires='>=3.10',
    install_requires=requirements(ROOT / 'requirements/runtime.txt'),
    extras_require={name: requirements(ROOT / f'requirements/{name}.txt')
                    for name in ('anny', 'dev', 'exr', 'openmmlab', 'ray', 'transformers', 'usd', 'viewer')},
)
