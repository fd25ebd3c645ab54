"""Files that are whole or not there at all, whenever the process or the machine stops."""
import os
from pathlib import Path


def write_atomically(path, write):
    """Call ``write(temporary path)`` beside ``path``, force it to disk and rename it: whole or not there at all."""
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.tmp')
    write(temporary)
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


def sync(path):
    """Force a file or a folder's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
