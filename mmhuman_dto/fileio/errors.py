"""What is said of files that cannot be read, always with their name."""
from contextlib import contextmanager


class UnsafeFileError(ValueError):
    """A file asks for a class that isn't plain data, or for absurd sizes; names the file and what it asks for."""


class BrokenFileError(ValueError):
    """A file is cut short, damaged or of another format; names the file."""


#: What ``open`` says, which names the file already.
_CLEAR = (UnsafeFileError, BrokenFileError, FileNotFoundError, PermissionError, IsADirectoryError)


@contextmanager
def reading(where, what):
    """Within it, whatever goes wrong is a :class:`BrokenFileError` that names the file.

    Decoders raise anything for a damaged file, KeyError and OverflowError among it.

    Args:
        where: the file, and the place in it.
        what: what it should be: 'a pickle of plain data'.
    """
    try:
        yield
    except _CLEAR:
        raise
    except Exception as error:
        raise BrokenFileError(f'{where}: damaged, cut short or not {what} ({type(error).__name__}: {error}). '
                              'Download or write the file again.') from error


@contextmanager
def parsing(path, number, line, expected):
    """Within it, a value that a line of text doesn't hold is a :class:`BrokenFileError` that names file and line.

    Args:
        number, line: of the file, counted from 1.
        expected: what the line should hold.
    """
    try:
        yield
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise BrokenFileError(f'{path}, line {number}: {line[:80]!r}; expected {expected} '
                              f'({type(error).__name__}: {error})') from error
