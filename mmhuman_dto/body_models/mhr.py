"""MHR (Momentum Human Rig), the body of SAM 3D Body, from its published TorchScript file."""
import functools
from pathlib import Path

import torch

from mmhuman_dto.fileio.errors import BrokenFileError, reading

#: The file as MHR's assets.zip and the weights of SAM 3D Body have it.
MHR_FILE = 'mhr_model.pt'


@functools.lru_cache(maxsize=2)
def load_mhr(path):
    """MHR's TorchScript module; it is a program, so take the file from its publisher.

    Raises:
        FileNotFoundError: no such file. BrokenFileError: no TorchScript of MHR.
    """
    path = Path(path)
    path.stat()
    with reading(path, 'a TorchScript of MHR'):
        return torch.jit.load(str(path), map_location='cpu').eval()


def read_mhr_faces(path):
    """Triangles (F, 3) int64 of MHR's mesh, level of detail 1; errors as of :func:`load_mhr`."""
    try:
        return load_mhr(path).character_torch.mesh.faces.long()
    except AttributeError as error:
        raise BrokenFileError(f'{path}: it is a TorchScript, but none of MHR: {error}') from error
