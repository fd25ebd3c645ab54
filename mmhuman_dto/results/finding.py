"""Which reader a path is for."""
from mmhuman_dto.registry import RESULTS

from .base import ResultError
from .stored import looked_at


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
    found = sorted(name for name, reader in kinds.items() if reader.sniff(path))
    looked_at.cache_clear()
    if len(found) != 1:
        raise ResultError(f'{path}: ' + (f'could be of {" or ".join(found)}; say which with --from' if found else
                                         'no known results; say what they are with --from '
                                         f'({", ".join(sorted(kinds))}), see docs/place.md'))
    return kinds[found[0]](path, context)
