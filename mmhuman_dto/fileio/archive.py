"""Zip archives of others, whose members are what they say and no bombs."""
import zipfile
from pathlib import Path

from .errors import UnsafeFileError, reading
from .limits import check_memory

#: Compressions that give no more than is asked of them; bzip2 and LZMA unpack whole blocks.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_archive(path):
    """A ``zipfile.ZipFile``; BrokenFileError for what is none, UnsafeFileError where it would fill the memory."""
    path = Path(path)
    with reading(path, 'a zip archive'), path.open('rb') as file:
        if end := zipfile._EndRecData(file):
            check_memory(20 * end[zipfile._ECD_SIZE], path, 'its directory')  # a byte of it becomes twenty
        archive = zipfile.ZipFile(path)
    members = archive.infolist()
    unpacked = sum(info.file_size for info in members)
    if unpacked > 4 * path.stat().st_size:  # honest ones may exceed the memory: one member is read at a time
        check_memory(unpacked, path, 'its members unpacked')
    if not all(info.compress_type in _COMPRESSIONS for info in members):
        raise UnsafeFileError(f'{path}: refused, it has members compressed otherwise than by deflate. Write the file '
                              'again with np.savez or np.savez_compressed.')
    return archive
