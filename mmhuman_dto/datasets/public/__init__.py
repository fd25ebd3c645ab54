"""Readers of the public data sets' own files, a file a set; docs/datasets.md lists them.

Every module of this folder is imported, so that a new set is one new file. Most annotation files hold pickled objects;
they are read with the restricted loader of ``fileio``, never with ``allow_pickle``.
"""
from importlib import import_module
from pkgutil import iter_modules

from .dto_humans import write_dto_humans, write_dto_raw
from .parsing import LayoutError

for _module in iter_modules(__path__):
    import_module(f'{__name__}.{_module.name}')
