"""Package metadata; the pinned set that was tested together is in requirements/ and installed by the Makefile."""
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


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
    package_data={'mmhuman_dto': ['body_models/data/*']},
    python_requires='>=3.10,<3.13',
    install_requires=requirements('runtime'),
    extras_require={name: requirements(name) for name in ('coco', 'dev', 'openmmlab', 'transformers')},
)
