"""Frames of a video on disk: what is known of the people of each, so many frames a file, whole or not there."""
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.tensors import load_tensors


class FrameStore:
    """Frames in files of ``size`` each, a folder's ``000000.safetensors``, ``000001.safetensors``, ...

    A frame is a dictionary of arrays (N, ...), a row a person, the same names in all frames with people, and numbers of
    its own. The same frames are the same bytes.

    Args:
        folder: made when the first file is written.
        size: frames a file.
    """

    def __init__(self, folder, size):
        self.folder, self.size = Path(folder), size
        self._read = lru_cache(maxsize=3)(self._load)

    def path(self, part):
        """Of the file of the frames from ``part * size`` on."""
        return self.folder / f'{part:06d}.safetensors'

    def has(self, part):
        """Whether a file is there."""
        return self.path(part).is_file()

    def write(self, part, frames, numbers=None):
        """Write the frames of a file.

        Args:
            frames: list of {name: array (N, ...)}; nobody: {}.
            numbers: {name: array (F, ...)} of the frames themselves.
        """
        counts = np.array([len(next(iter(frame.values()), ())) for frame in frames], np.int64)
        names = next((list(frame) for frame, count in zip(frames, counts) if count), [])
        arrays = {f'people.{name}': np.concatenate([np.asarray(frame[name]) for frame, count in zip(frames, counts)
                                                    if count]) for name in names}
        arrays |= {f'frame.{name}': np.asarray(values) for name, values in (numbers or {}).items()} | {'counts': counts}
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
        write_atomically(self.path(part), lambda temporary: save_file(arrays, temporary))
        self._read.cache_clear()

    def numbers(self, part):
        """{name: array (F, ...)} of the frames of a file."""
        return {name.removeprefix('frame.'): values for name, values in self._read(part)[0].items()
                if name.startswith('frame.')}

    def __getitem__(self, frame):
        """{name: array (N, ...)} of a frame; {} of nobody."""
        part, row = divmod(frame, self.size)
        arrays, ends = self._read(part)
        rows = slice(ends[row], ends[row + 1])
        if rows.start == rows.stop:
            return {}
        return {name.removeprefix('people.'): values[rows] for name, values in arrays.items()
                if name.startswith('people.')}

    def _load(self, part):
        arrays = {name: values.numpy() for name, values in load_tensors(self.path(part)).items()}
        return arrays, np.concatenate([[0], arrays['counts'].cumsum()])
