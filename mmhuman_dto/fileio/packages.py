"""Optional packages: imported when something of theirs is asked for, and named where they are not there."""
import importlib


def require(module, extra, page='docs/perception.md'):
    """Import an optional package that the ``extra`` of this one installs and ``page`` is about.

    Raises:
        ImportError: it is not installed, or does not load; the message names the command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f'{module} cannot be imported ({error}). Install it: pip install "mmhuman_dto[{extra}]", or '
                          f'pip install -r requirements/{extra}.txt; see {page}') from error
