"""In which folder the pictures of a set are, and whether they are there, by a few of them."""
import os
from pathlib import Path

from mmhuman_dto.fileio.paths import UnsafePathError, path_below
from mmhuman_dto.tables.people_table import PeopleTable, TableError

#: Pictures that are looked for, spread over a set, to tell a wrong folder from some missing ones.
PROBES = 20


def spread(count, most=PROBES):
    """Indices of at most ``most`` of ``count`` things, the first among them, evenly spread."""
    return range(0, count, max(-(-count // most), 1))


def missing_images(folder, ids):
    """Those of some image ids for which there is nothing below a folder, or whose path leads out of it."""
    return [img_id for img_id in ids if not _is_there(folder, img_id)]


def folder_near(folder, img_id):
    """A folder that an image id fits below: a subfolder of ``folder``, its parent or a subfolder of that; or None."""
    for place in (folder, os.path.dirname(os.path.abspath(folder))):
        inside = sorted(entry.path for entry in os.scandir(place) if entry.is_dir()) if os.path.isdir(place) else []
        for candidate in (place, *inside):
            if _is_there(candidate, img_id):
                return candidate
    return None


def image_folder(data_root, table):
    """The folder of the images of a table (:class:`PeopleTable`): ``data_root`` where it is given and there, else the
    one that the table was made with.

    Raises:
        TableError: neither says one.
    """
    made_with = table.img_root
    if data_root is None and made_with is None:
        raise TableError(f'{table.folder}: does not say where its images are: give data_root, their folder')
    if data_root is None or not Path(data_root).is_dir() and made_with is not None and made_with.is_dir():
        return made_with
    return Path(data_root)


def look_for_images(data_root, table):
    """Look for a few of the images of the table in a folder, where :func:`image_folder` says.

    Returns:
        tuple: the folder, how many were looked for, how many of them are missing, and what to say of these, or ''.

    Raises:
        TableError: a broken table, or one that does not say where its images are, without ``data_root``.
    """
    table = PeopleTable(table)
    ids, folder = [table.image_id(index) for index in spread(len(table))], image_folder(data_root, table)
    missing = missing_images(folder, ids)
    if not missing:
        return folder, len(ids), 0, ''
    places = {'data_root is': data_root and Path(data_root), 'the table was made with images in': table.img_root}
    said = [f'{what} {place}{"" if place.is_dir() else " (not there)"}' for what, place in places.items() if place]
    near = folder_near(folder, missing[0])
    cure = (f'They are below {near}: give data_root={near}' if near else
            'Give data_root, the folder that the ids are relative to, or convert again with --images')
    return folder, len(ids), len(missing), (f'{len(missing)} of {len(ids)} images looked for are not in {folder}, '
                                            f'{missing[0]!r} for one; {"; ".join(said)}. {cure}')


def _is_there(folder, img_id):
    try:
        return os.path.exists(path_below(folder, img_id))
    except (UnsafePathError, OSError, ValueError):
        return False
