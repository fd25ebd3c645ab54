"""Anny-Fit: the parameters of everybody in a picture, posed by Anny's package."""
import numpy as np
import torch

from mmhuman_dto.registry import RESULTS

from . import anny_bodies
from .base import AGED_BODIES, ImageResult, ResultError
from .files import FilesReader, Picture, numbers, stacked
from .meshes_only import check_meshes, mesh_people, nobody

_BONES, _FILE = 163, 'params'
_CHANGES_NOTE = ('local_changes_params are not among the shapes that are drawn and measured here: bodies are those '
                 'of the phenotypes alone')


@RESULTS.register_module()
class AnnyFit(FilesReader):
    """``<picture>/params.npz`` with a dictionary a person, '0', '1', ...: ``root_rotation_params`` (1, 3),
    ``root_translation_params`` (3) m, ``body_pose_params`` (162, 3), ``shape_params`` (11) and ``camera_intrinsics``
    (3, 3), px of the whole picture; camera frame.

    Placing changes ``root_translation_params`` and, where the camera is solved for, ``camera_intrinsics``.
    """
    kind = 'anny_fit'
    initial_heights = AGED_BODIES
    program = 'Anny-Fit (https://github.com/naver/anny-fit)'
    files = "a folder a picture with params.npz, of a dictionary a person ('0', '1', ...)"
    licence = 'NAVER, non-commercial; Anny: Apache-2.0, its data CC0'
    suffixes = ('.npz', )

    @classmethod
    def knows(cls, content):
        if not isinstance(content, dict) or not all(isinstance(person, dict) for person in content.values()):
            return False
        return all('root_translation_params' in person for person in content.values()) if content else None

    def parts(self, content, name, where):
        """A picture is called as the folder of its file is, for the file is always called the same."""
        folder, _, own = name.rpartition('/')
        here = self.path.absolute()
        return {(folder or (here.parent if here.is_file() else here).name) if own == _FILE else name: content}

    def picture(self, part, name, where):
        people, image_size = list(part.values()), self.context.image_size(name)
        if not people:
            return Picture(ImageResult(name, nobody(), None, image_size), None, 'Anny')
        body = anny_bodies.anny_body()
        if body is None:
            raise ResultError(f'{where}: bodies of Anny-Fit are parameters, which the package anny poses. Install it: '
                              'pip install "mmhuman_dto[anny]"; see docs/bodies.md')
        pose = torch.cat([stacked(people, 'root_rotation_params', (1, 3), where),
                          stacked(people, 'body_pose_params', (_BONES - 1, 3), where)], 1).float()
        transl = stacked(people, 'root_translation_params', (3, ), where).float()
        shape = _phenotypes(people, body, where)
        with torch.no_grad():
            vertices, joints = body(pose, shape, transl)
            heights = body.height(shape)
        check_meshes(vertices, where, 'root_translation_params')
        found = mesh_people(vertices, body.faces, joints[:, 0], joints, heights=heights,
                            heights_std=torch.zeros(len(people)))
        intrinsics = numbers(people[0], 'camera_intrinsics', (3, 3), where)
        changed = any(torch.as_tensor(person.get('local_changes_params', 0.)).abs().max() > 1e-3 for person in people)
        return Picture(ImageResult(name, found, intrinsics, image_size), body.faces, 'Anny',
                       (_CHANGES_NOTE, ) if changed else ())

    def moved(self, part, picture, moves):
        changed = {}
        for row, (key, person) in enumerate(part.items()):
            new = dict(person)
            new['root_translation_params'] = moves.translated(row, person['root_translation_params'])
            if moves.intrinsics is not None:
                new['camera_intrinsics'] = _like(moves.intrinsics, person['camera_intrinsics'])
            changed[key] = new
        return changed


def _phenotypes(people, body, where):
    """(N, B) of the body's phenotypes, by their names where the file has them, else the first ones."""
    shape = stacked(people, 'shape_params', (None, ), where).float()
    names = [str(name) for name in np.asarray(people[0].get('shape_params_keys', ())).reshape(-1)]
    if len(names) == shape.shape[1] and set(body.phenotypes) <= set(names):
        return shape[:, [names.index(name) for name in body.phenotypes]]
    return shape[:, :len(body.phenotypes)]


def _like(values, example):
    return values.to(example) if torch.is_tensor(example) else values.numpy().astype(np.asarray(example).dtype)
