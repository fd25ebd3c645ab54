"""What the notebook of SAM 3D Body saves: a PLY a person and the focal length of the picture."""
import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import load_json
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.finding import find_files
from mmhuman_dto.fileio.ply_mesh import PlyMesh

from .base import ImageResult, ResultError
from .cameras import centred, diagonal
from .files import Picture, together
from .meshes_only import check_meshes, mesh_people

_MESH, _FOCAL = re.compile(r'(?P<picture>.+)_mesh_(?P<person>\d+)\.ply'), '{}_focal_length.json'
#: Their files have y up and z back: half a turn about x leads to the camera frame and back.
_TURN = np.array([1., -1, -1])
_NOTE = 'PLY files do not tell joints: people are scaled about the middle of their surface, not about the pelvis'


def meshes_in(path):
    """{path of a picture below the folder ``path``, without suffix: its PLY files in order}; {} of others."""
    pictures = defaultdict(list)
    if Path(path).is_dir():
        for name in find_files(path, ('.ply', )):
            if found := _MESH.fullmatch(name):
                pictures[found['picture']].append((int(found['person']), Path(path, name)))
    return {picture: [file for _, file in sorted(files)] for picture, files in pictures.items()}


class SavedMeshes:
    """Reads ``<picture>_mesh_000.ply``, ... and ``<picture>_focal_length.json`` of a folder, and writes them back."""

    def __init__(self, path, context):
        self.path, self.context = Path(path), context

    def read(self):
        """:class:`~mmhuman_dto.results.Results`."""
        self._meshes = {name: [PlyMesh(file) for file in files] for name, files in meshes_in(self.path).items()}
        self._pictures = [self._picture(name, meshes) for name, meshes in self._meshes.items()]
        return together(self._pictures, self.path)

    def write(self, out, moves):
        """Write below ``out`` what ``moves`` change; list of paths."""
        written = []
        for (name, meshes), files, picture, move in zip(
                self._meshes.items(), meshes_in(self.path).values(), self._pictures, moves):
            for row, (mesh, file) in enumerate(zip(meshes, files)):
                points = move.points(row, mesh.vertices * _TURN, picture.image.people.pelvis[row])
                written.append(_save(Path(out, file.relative_to(self.path)), mesh.moved(points * _TURN)))
            focal = self._focal_file(name)
            content = focal.read_bytes()
            if move.intrinsics is not None:
                content = json.dumps({**load_json(focal), 'focal_length': float(move.intrinsics[0, 0])}).encode()
            written.append(_save(Path(out, focal.relative_to(self.path)), content))
        return written

    def _picture(self, name, meshes):
        where, stem = f'{self.path / name}_mesh_*.ply', Path(name).name
        sizes = {len(mesh.vertices) for mesh in meshes}
        if len(sizes) > 1:
            raise ResultError(f'{where}: meshes of {sizes} vertices in one picture')
        vertices = torch.from_numpy(np.stack([mesh.vertices * _TURN for mesh in meshes]))
        check_meshes(vertices, where, 'vertex')
        faces = torch.from_numpy(meshes[0].faces)
        image_size, focal = self.context.image_size(stem), self._focal(name)
        intrinsics = None if image_size is None else centred(focal, image_size)
        guess = image_size is not None and abs(focal - diagonal(image_size)) < .5
        return Picture(ImageResult(stem, mesh_people(vertices, faces), intrinsics, image_size), faces, 'MHR', (_NOTE, ),
                       guess)

    def _focal_file(self, name):
        return self.path / _FOCAL.format(name)

    def _focal(self, name):
        file = self._focal_file(name)
        if not file.is_file():
            raise ResultError(f'{file}: not found; the focal length (px) of {name} belongs there, as the notebook of '
                              'SAM 3D Body saves it: {"focal_length": 1234.5}')
        content = load_json(file)
        focal = content.get('focal_length') if isinstance(content, dict) else None
        if not isinstance(focal, (int, float)) or not focal > 0:
            raise ResultError(f'{file}, key focal_length: {focal!r}, expected px')
        return float(focal)


def _save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_bytes(content))
    return path
