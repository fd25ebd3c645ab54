"""Configs from files, with the parts of their own that they name."""
import os
import sys

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from .bundled import find_config


class ConfigFileError(ValueError):
    """A config that cannot be read, or that options do not fit; the message names the file, the line and the cause."""


def read_config(name, options=None):
    """The ``Config`` of a file, or of a shipped one by its name, as all programs read it.

    Args:
        name: see :func:`~.bundled.find_config`.
        options: {dotted key: value} to be merged in, as of ``--cfg-options``.

    Raises:
        FileNotFoundError: no such config. ConfigFileError: it cannot be read, or an option does not fit it.
        ImportError: a module of its ``custom_imports`` is not there.
    """
    path = find_config(name)
    try:
        config = Config.fromfile(path, import_custom_modules=False)
    except Exception as error:  # a config is a program: anything may go wrong in it
        raise ConfigFileError(f'{path}: no config can be read from it: {_words(error)}') from error
    try:
        config.merge_from_dict(options or {})
    except Exception as error:
        raise ConfigFileError(f'{path}: the options {", ".join(options)} do not fit it: {_words(error)}') from error
    try:
        import_parts(config)
    except ImportError as error:
        raise ImportError(f'{path}: custom_imports {error}') from error
    return config


def import_parts(config):
    """Import the modules of a config's ``custom_imports``, from where Python finds them or the current folder.

    Python itself looks into the folder of a program, not into the one that it is started in. It stays on ``sys.path``,
    which multiprocessing hands on to the processes of data loaders.

    Raises:
        ImportError: which module is missing, and where it was looked for.
    """
    if not config.get('custom_imports'):
        return
    if (folder := os.getcwd()) not in sys.path:
        sys.path.append(folder)
    try:
        import_modules_from_strings(**config['custom_imports'])
    except ImportError as error:
        names = config['custom_imports']['imports']
        raise ImportError(f'{names}: {error.__context__ or error}; modules are looked for in {folder}, the folder of '
                          'the program and PYTHONPATH') from error


def _words(error):
    line = f'line {error.lineno}: ' if isinstance(error, SyntaxError) else ''
    return f'{line}{type(error).__name__}: {" ".join(str(error).split())[:300]}'
