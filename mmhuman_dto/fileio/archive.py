"""Zip archives of others, whose members are what they say and no bombs."""
import zipfile
from pathlib import Path

from .errors import UnsafeFileError, reading
from .limits import MAX_RATIO, SMALL, check_memory

#: Compressions that give no more than is asked of them; bzip2 and LZMA unpack whole blocks.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
#: Bytes at a zip's end where its directory is described, and the memory that a byte of the directory becomes.
_TAIL, _DIRECTORY_GROWTH = 2**16 + 128, 20


def open_archive(path):
    """A ``zipfile.ZipFile`` to read from, its directory checked.

    Raises:
        BrokenFileError: no whole zip archive. UnsafeFileError: a zip bomb, or encrypted.
        FileNotFoundError, PermissionError, IsADirectoryError: as ``open`` does.
    """
    path = Path(path)
    with reading(path, 'a zip archive'):
        check_memory(_directory_size(path) * _DIRECTORY_GROWTH, path, 'its directory')
        archive = zipfile.ZipFile(path)
    try:
        _check_members(archive.infolist(), path)
    except UnsafeFileError:
        archive.close()
        raise
    return archive


def _check_members(members, path):
    _check_growth(sum(info.file_size for info in members), path.stat().st_size, path)
    for info in members:
        where = f'{path}, member {info.filename!r}'
        if info.compress_type not in _COMPRESSIONS or info.flag_bits & _ENCRYPTED:
            raise UnsafeFileError(f'{where}: refused, it is encrypted or compressed otherwise than by deflate. '
                                  'Write the file again with np.savez or np.savez_compressed.')
        _check_growth(info.file_size, info.compress_size, where)


def _check_growth(unpacked, packed, where):
    if unpacked > max(SMALL, MAX_RATIO * packed):
        raise UnsafeFileError(f'{where}: refused, {packed} bytes that unpack to {unpacked} look like a zip bomb. '
                              'If they are not, write the file again with np.savez.')


def _directory_size(path):
    """Bytes of a zip's directory as its end says; 0 where it doesn't."""
    with path.open('rb') as file:
        file.seek(max(file.seek(0, 2) - _TAIL, 0))
        tail = file.read()
    small, large = tail.rfind(b'PK\x05\x06'), tail.rfind(b'PK\x06\x06')
    size = int.from_bytes(tail[small + 12:small + 16], 'little') if small >= 0 else 0
    return int.from_bytes(tail[large + 40:large + 48], 'little') if large >= 0 and size == 2**32 - 1 else size
