"""Reading foreign ``.json`` files."""
import json
from pathlib import Path

from .errors import reading
from .limits import check_memory

#: Bytes of memory for each of these in a file, strings left aside: lists, dictionaries, what follows in either.
_MEMORY = {b'[': 64, b'{': 72, b',': 32, b':': 64}


def load_json(path, keys=None):
    """What a ``.json`` file holds.

    Args:
        path: the file.
        keys: of its objects only these are kept, which saves memory where a file holds more than is used; None: all.

    Raises:
        BrokenFileError: no whole JSON, nested too deep, or with a number of thousands of digits; with the file's name.
        UnsafeFileError: so large that what it holds would not fit into memory.
    """
    def only(pairs):
        return {key: value for key, value in pairs if keys is None or key in keys}

    path = Path(path)
    check_memory(path.stat().st_size, path)
    content = path.read_bytes()
    check_memory(sum(size * content.count(sign) for sign, size in _MEMORY.items()), path, 'what it holds')
    with reading(path, 'JSON'):
        return json.loads(content, object_pairs_hook=only)
