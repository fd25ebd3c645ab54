"""Which layout a folder of depth files has."""
from pathlib import Path

from mmhuman_dto.registry import DEPTH_FILES

from .base import first_names
from .plain import PlainDepth


def layout_of(folder):
    """The :class:`~.base.DepthFiles` of a folder, by what its first files are called and hold.

    Where no program's own layout is seen it is :class:`~.plain.PlainDepth`.

    Raises:
        FileNotFoundError: no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder of depth maps')
    names = first_names(folder)
    special = [layout for layout in DEPTH_FILES.module_dict.values() if layout is not PlainDepth]
    return next((layout for layout in special if layout.sniff(folder, names)), PlainDepth)(folder)
