"""What SMPLer-X saves of pictures: everybody in a camera of their own, which is that of their box."""
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio import load_json, load_npz
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.obj import ObjMesh
from mmhuman_dto.registry import RESULTS

from .base import ResultError
from .cameras import centred, diagonal
from .files import numbers
from .posing import BodiesReader, BodyRows, Shot

#: Focal length (px) of the network for its input of so many px across.
_CROP_FOCAL, _CROP_WIDTH = 5000, 192
_NAME = re.compile(r'(\d+)_(\d+)\.npz')
#: Keys of SMPL-X's pose in the order of its joints, and how many joints each has.
_POSE = dict(global_orient=1, body_pose=21, jaw_pose=1, leye_pose=1, reye_pose=1, left_hand_pose=15, right_hand_pose=15)
_NOTE = ('SMPLer-X puts each person before a camera of its own, that of its box; they are put before one camera, whose '
         "focal length is the picture's diagonal")
#: A mesh whose middle is farther (m) from the body's place has no translation in it.
_NEAR = .7


class Person(NamedTuple):
    """Files of one person: npz, json, obj (None: there is none), and what is in them."""
    npz: Path
    json: Path
    obj: Path
    body: dict
    meta: dict
    mesh: ObjMesh


@RESULTS.register_module()
class SmplerX(BodiesReader):
    """A folder with ``smplx/<frame>_<person>.npz`` {global_orient (1, 3), body_pose (21, 3), left_hand_pose (15, 3),
    ..., betas (1, 10), transl (1, 3)}, ``meta/<frame>_<person>.json`` {focal [2], princpt [2], bbox, img_path} and
    ``mesh/<frame>_<person>.obj``; m, axes of the camera, hands relative to their mean.

    The camera of ``meta`` is one of the person's box: f = 5000 of its width / 192, the axis through its middle. Another
    f' and centre show the same at Z' = Z f' / f, X' = X + (p - p') Z / f, exactly at the pelvis' depth. Files that were
    placed have one camera for all people of a picture.
    """
    kind = 'smplerx'
    program = 'SMPLer-X (https://github.com/MotrixLab/SMPLer-X)'
    files = 'a folder with smplx/<frame>_<person>.npz and meta/<frame>_<person>.json'
    licence = 'S-Lab, non-commercial; SMPL-X non-commercial'

    @classmethod
    def sniff(cls, path):
        return bool(_stems(path)) and (path / 'meta' / f'{_stems(path)[0]}.json').is_file()

    def understood(self):
        self.people = [_person(self.path, stem) for stem in _stems(self.path)]
        if not self.people:
            raise ResultError(f'{self.path}: no smplx/<frame>_<person>.npz; expected {self.files}')
        pictures = {}
        for row, person in enumerate(self.people):
            pictures.setdefault(person.npz.stem.split('_')[0], []).append(row)
        shots = [self._shot(frame, rows) for frame, rows in pictures.items()]
        joined = {key: torch.cat([_pose(person.body, key, str(person.npz)) for person in self.people]) for key in _POSE}
        betas, transl = (torch.cat([numbers(person.body, key, (1, size), str(person.npz)) for person in self.people])
                         for key, size in (('betas', 10), ('transl', 3)))
        crops = torch.stack([_camera(person) for person in self.people])
        cameras = torch.stack([shot.intrinsics for shot in shots for _ in shot.rows])
        pose = torch.cat([values.view(len(self.people), -1, 3) for values in joined.values()], 1)
        bodies = BodyRows('smplx', pose, betas, transl, hands_of_mean=True)
        # The pelvis, not transl, is what both cameras must show at the same place.
        rest = bodies.posed(self.context.bodies, list(range(len(self.people)))).pelvis.double() - transl
        bodies.transl = _before(transl + rest, crops, cameras) - rest
        self.shifts = bodies.transl - transl
        if all(person.mesh is not None for person in self.people):
            bodies.vertices = self._vertices
        bodies.fields = dict(bboxes=torch.stack([_box(person) for person in self.people]))
        crops = any(map(_is_crop, self.people))
        return bodies, shots, (_NOTE, ) if crops else (), crops

    def _shot(self, frame, rows):
        image = Path(str(self.people[rows[0]].meta.get('img_path', frame)).replace('\\\\', '/')).name
        size = self.context.image_size(image, int(frame) - 1)
        if not any(_is_crop(self.people[row]) for row in rows):
            return Shot(image, rows, _camera(self.people[rows[0]]), size)
        if size is None:
            raise ResultError(f'{self.people[rows[0]].json}: the picture {image} was not found; its size, which one '
                              'camera for all its people needs, is in none of the files. Give the folder of the '
                              'pictures as --images')
        return Shot(image, rows, centred(diagonal(size), size), size)

    def _vertices(self, rows):
        """(k, V, 3) before the picture's camera."""
        meshes = [torch.from_numpy(self.people[row].mesh.vertices) for row in rows]
        own = [self.shifts[row] if _has_place(self.people[row]) else self.bodies.transl[row] for row in rows]
        return torch.stack([mesh + place for mesh, place in zip(meshes, own)]) if rows else torch.zeros(0, 10475, 3)

    def write(self, out, moves):
        rows, pelvises, written = self.of_rows(moves), self.pelvises(), []
        changed = {row: move.intrinsics if move.intrinsics is not None else shot.intrinsics
                   for shot, move in zip(self.shots, moves, strict=True) for row in shot.rows
                   if move.intrinsics is not None or any(map(move.moves, range(len(shot.rows))))}
        for row, person in enumerate(self.people):
            contents = _kept(person)
            if row in changed:
                contents = self._changed(row, person, rows, pelvises[row], changed[row])
            for path, content in contents.items():
                target = Path(out) / path.relative_to(self.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(target, lambda temporary, content=content: _write(temporary, content))
                written.append(target)
        return written

    def _changed(self, row, person, moves, pelvis, intrinsics):
        """{path: content} of a person who stands before the picture's camera from now on."""
        transl = (self.bodies.transl[row] + moves.shift[row]).numpy().reshape(1, 3)
        meta = dict(person.meta, focal=[float(intrinsics[i, i]) for i in range(2)],
                    princpt=[float(intrinsics[i, 2]) for i in range(2)])
        contents = {person.npz: dict(person.body, transl=transl.astype(person.body['transl'].dtype)),
                    person.json: json.dumps(meta).encode()}
        if person.mesh is not None:
            vertices = self._vertices([row])[0].double()
            moved = moves.points(row, vertices, pelvis)
            if not _has_place(person):
                moved = moved - torch.from_numpy(transl[0])
            contents[person.obj] = person.mesh.moved(moved.numpy())
        return contents


def _stems(path):
    folder = path / 'smplx'
    found = [file.stem for file in (folder.iterdir() if folder.is_dir() else ()) if _NAME.fullmatch(file.name)]
    return sorted(found, key=lambda stem: [int(number) for number in stem.split('_')])


def _person(path, stem):
    npz, meta, mesh = path / 'smplx' / f'{stem}.npz', path / 'meta' / f'{stem}.json', path / 'mesh' / f'{stem}.obj'
    if not meta.is_file():
        raise ResultError(f'{meta}: not found; it has the camera of the person in {npz.name}')
    with load_npz(npz) as file:
        body = dict(file)
    mesh = mesh if mesh.is_file() else None
    return Person(npz, meta, mesh, body, load_json(meta), None if mesh is None else ObjMesh(mesh))


def _pose(body, key, where):
    """(1, joints * 3) of a person."""
    return numbers(body, key, (_POSE[key], 3), where).view(1, -1)


def _camera(person):
    camera = {key: np.asarray(person.meta.get(key, ())) for key in ('focal', 'princpt')}
    focal, centre = (numbers(camera, key, (2, ), str(person.json)) for key in ('focal', 'princpt'))
    return torch.tensor([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]], dtype=torch.float64)


def _is_crop(person):
    """Whether a person has the camera of its box, as SMPLer-X leaves it."""
    return abs(float(_camera(person)[0, 0]) / _box_focal(person) - 1) < .01


def _box_focal(person):
    box = numbers(dict(bbox=np.asarray(person.meta.get('bbox', ()))), 'bbox', (4, ), str(person.json))
    return _CROP_FOCAL * max(float(box[2]), 1e-6) / _CROP_WIDTH


def _box(person):
    box = torch.as_tensor(person.meta.get('bbox', [torch.nan] * 4)).float()
    return torch.cat([box[:2], box[:2] + box[2:]])


def _before(points, old, new):
    """Points (N, 3) that cameras ``new`` (N, 3, 3) show where ``old`` showed others, as large."""
    depth = points[:, 2] / old[:, 1, 1]
    offset = (old[:, :2, 2] - new[:, :2, 2]) * depth[:, None]
    aspect = old[:, 0, 0] / old[:, 1, 1] * new[:, 1, 1] / new[:, 0, 0]
    xy = torch.stack([points[:, 0] * aspect, points[:, 1]], 1)
    return torch.cat([xy + offset, (depth * new[:, 1, 1])[:, None]], 1)


def _has_place(person):
    """Whether a mesh has the translation in it."""
    return np.linalg.norm(person.mesh.vertices.mean(0) - person.body['transl'].reshape(3)) < _NEAR


def _kept(person):
    return {path: path.read_bytes() for path in (person.npz, person.json, person.obj) if path is not None}


def _write(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    with path.open('wb') as file:
        np.savez(file, **content)


