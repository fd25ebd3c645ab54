"""Files of ``joblib.dump``, compressed or not, without joblib and without running anything they hold."""
import bz2
import lzma
import mmap
import zlib
from functools import partial
from pathlib import Path

from .errors import BrokenFileError, UnsafeFileError, reading
from .limits import check_memory, max_memory
from .unpickle import unpickle

#: First bytes -> what unpacks what follows; pickles start with none of them. 47: zlib or gzip, whichever it is.
_COMPRESSIONS = {
    b'x': partial(zlib.decompressobj, 47), b'\x1f\x8b': partial(zlib.decompressobj, 47), b'BZ': bz2.BZ2Decompressor,
    **dict.fromkeys((b'\xfd7zXZ', b']\0'), lambda: lzma.LZMADecompressor(memlimit=max_memory()))}
_LZ4 = b'\x04"M\x18'
#: Bytes that are unpacked at a time.
_STEP = 2**24


def load_joblib(path):
    """Plain objects of a file of joblib >= 0.10, or of a plain pickle.

    Compressed with zlib, gzip, bz2, lzma or xz, or not; of objects as :func:`~mmhuman_dto.fileio.load_pickle`.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    return unpickle(read_unpacked(path), str(path), inline_arrays=True)


def read_unpacked(path):
    """Bytes of a file, without the compressions of :func:`load_joblib`; errors as there."""
    path = Path(path)
    check_memory(path.stat().st_size, path)
    data = path.read_bytes()
    if data.startswith(_LZ4):
        raise UnsafeFileError(f'{path}: compressed with lz4, which is not read. Write it again with '
                              "joblib.dump(joblib.load(...), path, compress='zlib').")
    make = _decompressor(data)
    if make is None:
        return data
    with reading(path, 'compressed as joblib does it'):
        parts, size, decompressor = [], 0, make()
        while not decompressor.eof:
            part = decompressor.decompress(data, _STEP)
            data = getattr(decompressor, 'unconsumed_tail', b'')
            if not part and not data and getattr(decompressor, 'needs_input', True):
                raise BrokenFileError(f'{path}: cut short. Download or write the file again.')
            parts.append(part)
            check_memory(size := size + len(part), path, 'it unpacked')
        return b''.join(parts)


def mentions(path, *names):
    """Whether the bytes of a file, unpacked, have all these names, as those of pickles have the keys of dictionaries;
    False for what is no file or cannot be read. Does not read the values of a file that is not compressed."""
    path = Path(path)
    try:
        with path.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            content = read_unpacked(path) if _decompressor(mapped[:8]) else mapped
            return all(content.find(name.encode()) >= 0 for name in names)
    except (OSError, ValueError):
        return False


def _decompressor(data):
    return next((make for head, make in _COMPRESSIONS.items() if data.startswith(head)), None)
