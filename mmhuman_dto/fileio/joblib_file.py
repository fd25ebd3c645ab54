"""Files of ``joblib.dump``, compressed or not, without joblib and without running anything they hold."""
import bz2
import lzma
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
    path = Path(path)
    check_memory(path.stat().st_size, path)
    return unpickle(_unpacked(path.read_bytes(), path), str(path), inline_arrays=True)


def _unpacked(data, path):
    if data.startswith(_LZ4):
        raise UnsafeFileError(f'{path}: compressed with lz4, which is not read. Write it again with '
                              "joblib.dump(joblib.load(...), path, compress='zlib').")
    make = next((make for head, make in _COMPRESSIONS.items() if data.startswith(head)), None)
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
