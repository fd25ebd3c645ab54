"""Which checkpoint a run goes on from."""
import re
import zipfile
from pathlib import Path

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_tensors

from .checkpoint import CheckpointError
from .divergence import nonfinite_part


def latest_checkpoint(work_dir):
    """The checkpoint to resume a run from, passing over damaged ones, and those: (path or None, {path: what is wrong}).

    It is the one that ``last_checkpoint`` names, or the newest before it that is whole; None where there are none. A
    folder's own come first, wherever ``last_checkpoint`` says they are: the folder may be a copy.

    Raises:
        CheckpointError: there are some and all of them are damaged.
    """
    last, folder = _last_checkpoint(Path(work_dir))
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


def _last_checkpoint(work_dir):
    """What ``last_checkpoint`` names, or an empty path, and the folder where a run's checkpoints are."""
    named = work_dir / 'last_checkpoint'
    last = Path(named.read_text().strip()) if named.is_file() else Path()
    own = work_dir.is_dir() and any(_step(path.name) is not None for path in work_dir.iterdir())
    # The hook's out_dir; a folder with such a file of its own is another run's.
    elsewhere = last.is_absolute() and last.parent.is_dir() and not (last.parent / named.name).exists()
    return last, last.parent if elsewhere and not own else work_dir


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
        content = load_tensors(path)
    except (OSError, zipfile.BadZipFile, BrokenFileError, UnsafeFileError) as error:
        return str(error)
    return nonfinite_part(content) or None


def _step(name):
    """Iteration or epoch of a checkpoint by its name; None for other files."""
    match = re.fullmatch(r'(?:iter|epoch)_(\d+)\.pth', name)
    return int(match[1]) if match else None
