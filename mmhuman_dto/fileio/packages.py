"""Optional packages: imported when something of theirs is asked for, and named where they are not there."""
import importlib


def require(module, extra, page='docs/perception.md', alone=False):
    """Import an optional package that the ``extra`` of this one installs and ``page`` is about.

    Args:
        alone: whether the module's name, in whatever version, may be given to pip as well.

    Raises:
        ImportError: it is not installed, or does not load; the message names the command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        by_name = f'pip install {module}, or ' if alone else ''
        raise ImportError(f'{module} cannot be imported ({error}). Install it: {by_name}pip install '
                          f'"mmhuman_dto[{extra}]", or pip install -r requirements/{extra}.txt; see {page}') from error
