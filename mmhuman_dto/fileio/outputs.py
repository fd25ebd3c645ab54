"""Places for output, tried before the work whose results they are for."""
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from .atomic import explain


class OutputError(OSError):
    """A place that cannot be written; the message says which and why."""


def output_folder(path):
    """The folder as a ``Path``, made where it is not there, in which a file can be written; the type of an option.

    Raises:
        OutputError: it cannot be made or written.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b'\n')
    except (OSError, ValueError) as error:  # a NUL in the name
        raise OutputError(_words(path, error)) from error
    return path


def planned_folder(path):
    """As :func:`output_folder`, for runs that may be refused and then leave nothing: what it made is removed again."""
    made = [parent for parent in [Path(path), *Path(path).parents] if not os.path.lexists(parent)]
    try:
        return output_folder(path)
    finally:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()


def output_file(path):
    """A file's ``Path``, that can be written, in a folder that is made where it is not there; the type of an option.

    What a file that is there holds stays.

    Raises:
        OutputError: it cannot be written, or is a folder.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = os.path.lexists(path)
        with path.open('ab'):
            pass
        if not there:
            path.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(_words(path, error)) from error
    return path


def _words(path, error):
    if isinstance(error, ValueError):
        return f'{str(path)!r}: cannot be written ({error})'
    return f'{explain(path, error)}. Give another place, or make this one writable'
