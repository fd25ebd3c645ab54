"""Files that are whole or not there at all, whenever the process or the machine stops."""
import os
import shutil
from pathlib import Path


def write_atomically(path, write):
    """Call ``write(temporary path)`` beside ``path``, force it to disk and rename it: whole or not there at all."""
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.tmp')
    write(temporary)
    publish(temporary, path)


def publish(temporary, final):
    """Force a finished file or folder to disk and rename it; both on one disk."""
    temporary, final = Path(temporary), Path(final)
    for path in ([temporary, *sorted(temporary.rglob('*'))] if temporary.is_dir() else [temporary]):
        sync(path)
    os.replace(temporary, final)
    sync(final.parent)


def sync(path):
    """Force a file or a folder's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def explain(folder, error):
    """What to tell users of an ``OSError`` met while writing into a folder: which, why, how much room there is."""
    existing = next(path for path in [Path(folder).absolute(), *Path(folder).absolute().parents]
                    if os.path.exists(path))
    return f'{folder}: cannot be written ({error}); {shutil.disk_usage(existing).free / 1e6:.1f} MB are free there'
