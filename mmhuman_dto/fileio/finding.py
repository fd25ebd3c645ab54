"""Which files a folder holds: the one place that looks for pictures, videos and maps."""
import logging
import os
from collections import Counter
from pathlib import Path, PurePosixPath

from .images import IMAGE_SUFFIXES

VIDEO_SUFFIXES = frozenset(('.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg'))
#: Files of maps, and what folders of them are called beside the pictures that they belong to (docs/generate_dto.md).
MAP_SUFFIXES = ('.png', '.npy', '.npz')
MAP_FOLDERS = ('disparity', 'depth', 'masks')
_LOGGER = logging.getLogger(__name__)


def is_video(path):
    """Whether a file is a video by its name."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def find_files(folder, suffixes):
    """Files with one of ``suffixes`` (lower case; files have them in any) in a folder and those in it.

    Links to folders are followed, and each folder is looked into once, under its own name where that is below
    ``folder``. Hidden files and folders (``.name``, so macOS's ``._name``) are left out, and so is what is no file,
    whatever it is called. A link that leads nowhere and a folder that may not be looked into are in the list: whoever
    opens them learns why that fails.

    Returns:
        list of str: paths below ``folder``, ``/`` between their parts, in the order of these texts.
    """
    found, links, seen, folders = [], [], set(), [(str(folder), '')]
    while folders or links:
        path, name = folders.pop() if folders else links.pop(0)
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as opened:
                entries = sorted((entry for entry in opened if not entry.name.startswith('.')), key=lambda e: e.name)
        except OSError:
            found.append(name or '.')
            continue
        for entry in entries:
            below = f'{name}/{entry.name}' if name else entry.name
            if os.path.isdir(entry.path):
                (links if entry.is_symlink() else folders).append((entry.path, below))
            elif Path(entry.name).suffix.lower() in suffixes and (entry.is_symlink() or os.path.isfile(entry.path)):
                found.append(below)
    return sorted(found)


def find_pictures(folder, suffixes=IMAGE_SUFFIXES):
    """:func:`find_files` of pictures, without the maps of those: what is in folders called as ``MAP_FOLDERS``.

    These are left out with a warning, and only where there are other pictures.
    """
    found = find_files(folder, suffixes)
    maps = [name for name in found if set(PurePosixPath(name).parts[:-1]) & set(MAP_FOLDERS)]
    if not maps or len(maps) == len(found):
        return found
    folders = sorted({str(PurePosixPath(name).parent) for name in maps})
    _LOGGER.warning('%s: %d files in %s are taken for maps of the others, not for pictures (depth maps are '
                    'used where their folder is named, such as by --depth)', folder, len(maps), ', '.join(folders))
    return sorted(set(found) - set(maps))


def what_is_in(folder):
    """In words which files a folder itself holds, where none was found: '3 .dng, 1 .txt', or 'no files'."""
    kinds = Counter('hidden' if path.name.startswith('.') else path.suffix.lower() or 'without suffix'
                    for path in Path(folder).iterdir() if path.is_file())
    most = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:5]
    return ', '.join(f'{number} {kind}' for kind, number in most) or 'no files'


def find_map(folder, img_id, suffix):
    """The file of an image in a folder of maps; None where there is none.

    Of image ``a/b.jpg`` it is ``a/b.jpg.png``, by which maps of ``b.jpg`` and ``b.tif`` can be told apart, or
    ``a/b.png``; ``suffix`` (``.png`` here) in lower or upper case.
    """
    whole, own = Path(folder, img_id), Path(folder, img_id).with_suffix('')
    names = (f'{base}{end}' for base in (whole, own) for end in (suffix, suffix.upper()))
    return next((Path(name) for name in names if os.path.isfile(name)), None)


def entry_of(table, img_id):
    """The entry of an image in a table by names: under its own, else under that without suffix; None."""
    return table.get(img_id, table.get(str(PurePosixPath(img_id).with_suffix(''))))
