"""Which checkpoint a run goes on from."""
import re
import zipfile
from pathlib import Path

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_tensors

from .checkpoint import CheckpointError


def latest_checkpoint(work_dir):
    """The checkpoint to resume a run from, passing over damaged ones, and those: (path or None, {path: what is wrong}).

    It is the one that ``last_checkpoint`` names, or the newest before it that is whole; None where there are none.

    Raises:
        CheckpointError: there are some and all of them are damaged.
    """
    named = Path(work_dir, 'last_checkpoint')
    last = Path(named.read_text().strip()) if named.is_file() else Path()
    folder = last.parent if last.name and last.parent.is_dir() else Path(work_dir)
    steps = {path: _step(path.name) for path in folder.iterdir()} if folder.is_dir() else {}
    newest, damaged = _step(last.name), {}
    for path in sorted((path for path, step in steps.items() if step is not None), key=steps.get, reverse=True):
        # Newer ones than the last are of an earlier run in the same folder.
        if newest is not None and steps[path] > newest:
            continue
        damage = find_damage(path)
        if damage is None:
            return path, damaged
        damaged[path] = damage
    if damaged:
        raise CheckpointError('all checkpoints are damaged; remove them to train from the start:\n' + '\n'.join(
            f'  {path}: {damage}' for path, damage in damaged.items()))
    return None, damaged


def find_damage(path):
    """What is wrong with a checkpoint of a run, a file or a folder of one a rank; None if nothing is.

    All of it is read: torch alone notices a file that ends too early, but not a changed bit.
    """
    if Path(path).is_dir():
        return next(filter(None, map(find_damage, sorted(Path(path).iterdir()))), None)
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged is not None:
            return f'{damaged} is not as it was written'
        load_tensors(path)
    except (OSError, zipfile.BadZipFile, BrokenFileError, UnsafeFileError) as error:
        return str(error)
    return None


def _step(name):
    """Iteration or epoch of a checkpoint by its name; None for other files."""
    match = re.fullmatch(r'(?:iter|epoch)_(\d+)\.pth', name)
    return int(match[1]) if match else None
