"""Reading foreign ``.json`` files."""
import json
from pathlib import Path

from .unpickle import BrokenFileError


def load_json(path, keys=None):
    """What a ``.json`` file holds.

    Args:
        path: the file.
        keys: of its objects only these are kept, which saves memory where a file holds more than is used; None: all.

    Raises:
        BrokenFileError: no whole JSON, with the file's name.
    """
    def only(pairs):
        return {key: value for key, value in pairs if keys is None or key in keys}

    try:
        return json.loads(Path(path).read_bytes(), object_pairs_hook=only)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f'{path}: no whole JSON ({error}). Download or write the file again.') from error
