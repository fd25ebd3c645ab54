"""Which reader a path is for."""
from mmhuman_dto.fileio.finding import what_is_in
from mmhuman_dto.registry import RESULTS

from .base import ResultError
from .stored import looked_at

#: Files of a folder that are looked at to say which of them to name.
_LOOK_AT = 10


def open_results(path, kind, context):
    """The :class:`ResultReader` of a path, of a ``kind`` or, where None, of whichever knows it.

    Raises:
        ResultError: no such kind, nothing there, no reader or several know it; says which kinds there are.
    """
    kinds = {reader.kind: reader for reader in RESULTS.module_dict.values()}
    if kind is not None and kind not in kinds:
        raise ResultError(f'--from {kind}: no such kind, known are {", ".join(sorted(kinds))}')
    if not path.exists():
        raise ResultError(f'{path}: not found')
    if kind is not None:
        return kinds[kind](path, context)
    found = kinds_of(path)
    if len(found) > 1:
        raise ResultError(f'{path}: could be of {" or ".join(found)}; say which with --from')
    if not found:
        raise ResultError(f'{path}: no known results{_inside(path)}; say what they are with --from '
                          f'({", ".join(sorted(kinds))}), see docs/place.md')
    return kinds[found[0]](path, context)


def read_results(reader):
    """What a reader reads; where its kind was a mistake, the error says what the path looks like."""
    try:
        return reader.read()
    except (ValueError, OSError) as error:
        others = [kind for kind in kinds_of(reader.path) if kind != reader.kind]
        if others:
            raise ResultError(f'{error}. It looks like {" or ".join(others)}: leave out --from') from error
        if isinstance(error, IsADirectoryError):
            raise ResultError(f'{error.filename}: a folder{_inside(reader.path)}; expected {reader.files}') from error
        raise


def kinds_of(path):
    """Kinds of results that a file or folder looks like, sorted."""
    found = sorted({reader.kind for reader in RESULTS.module_dict.values() if reader.sniff(path)})
    looked_at.cache_clear()
    return found


def _inside(path):
    """What there is in a folder that is of no kind, and what in it is to be named."""
    if not path.is_dir():
        return ''
    found = {entry.name: kinds_of(entry) for entry in sorted(path.iterdir())[:_LOOK_AT]}
    said = [f'{name} of {" or ".join(kinds)}' for name, kinds in found.items() if kinds]
    return f'; name what is in it: {", ".join(said)}' if said else f' (there are {what_is_in(path)})'
