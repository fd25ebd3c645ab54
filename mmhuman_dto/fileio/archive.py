"""Zip archives of others, whose members are what they say and no bombs."""
import zipfile
from pathlib import Path

from .errors import UnsafeFileError, reading
from .limits import check_memory

#: Compressions that give no more than is asked of them; bzip2 and LZMA unpack whole blocks.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Archives that grow by no more may be larger than the memory: members are read one at a time.
_HONEST_GROWTH = 4
#: Bytes at a zip's end where its directory is described, and the memory that a byte of the directory becomes.
_TAIL, _DIRECTORY_GROWTH = 2**16 + 128, 20


def open_archive(path):
    """A ``zipfile.ZipFile`` to read from, its directory checked.

    Raises:
        BrokenFileError: no whole zip archive. UnsafeFileError: unpacked it would fill the memory.
        FileNotFoundError, PermissionError, IsADirectoryError: as ``open`` does.
    """
    path = Path(path)
    with reading(path, 'a zip archive'):
        check_memory(_directory_size(path) * _DIRECTORY_GROWTH, path, 'its directory')
        archive = zipfile.ZipFile(path)
    members = archive.infolist()
    unpacked = sum(info.file_size for info in members)
    if unpacked > _HONEST_GROWTH * path.stat().st_size:
        check_memory(unpacked, path, 'its members unpacked')
    if not all(info.compress_type in _COMPRESSIONS for info in members):
        raise UnsafeFileError(f'{path}: refused, it has members compressed otherwise than by deflate. Write the file '
                              'again with np.savez or np.savez_compressed.')
    return archive


def _directory_size(path):
    """Bytes of a zip's directory as its end says; 0 where it doesn't."""
    with path.open('rb') as file:
        file.seek(max(file.seek(0, 2) - _TAIL, 0))
        tail = file.read()
    small, large = tail.rfind(b'PK\x05\x06'), tail.rfind(b'PK\x06\x06')
    size = int.from_bytes(tail[small + 12:small + 16], 'little') if small >= 0 else 0
    return int.from_bytes(tail[large + 40:large + 48], 'little') if large >= 0 and size == 2**32 - 1 else size
