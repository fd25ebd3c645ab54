"""Bones and joints of a scene as files, one a person: writers of :data:`~mmhuman_dto.visualization.writers.WRITERS`.

All stand in the frame of the ``.glb``: x right, y up from the ground, z towards the viewer; a photo is one frame.
"""
from functools import partial
from pathlib import Path

import numpy as np

from mmhuman_dto.body_models import JOINT_SETS, SMPL, SMPLX, BodyModel
from mmhuman_dto.body_models.smplx import NUM_EXPRESSION
from mmhuman_dto.fileio.amass import write_amass
from mmhuman_dto.fileio.bvh import write_bvh
from mmhuman_dto.fileio.trc import write_trc

from .mesh_writers import versions
from .rigs import KindError, joints_of, skeletons_of, upright

#: Frames a second that files of a single picture say.
RATE = 30


def write_scene_bvh(scene, path, scale):
    """Bones at rest and their angles, ``scale`` units a metre, as ``PATH/person_0.bvh``; ``_before`` too after DTO."""
    move, paths = upright(scene.ground), []
    for file, skeleton, _ in _people(scene, path, skeletons_of, 'joints and rotations of its people'):
        paths.append(Path(f'{file}.bvh'))
        write_bvh(paths[-1], skeleton.moved(*move), RATE, scale)
    return paths


def write_scene_trc(scene, path):
    """Joints as markers, ``PATH/person_0.trc``; ``_before`` too after DTO."""
    (rotation, translation), paths = upright(scene.ground), []
    for file, (names, joints), _ in _people(scene, path, joints_of, 'joints of its people'):
        paths.append(Path(f'{file}.trc'))
        write_trc(paths[-1], names, (joints @ rotation.T + translation)[None], RATE)
    return paths


def write_scene_amass(scene, path):
    """Pose, shape and place by AMASS's names, ``PATH/person_0.npz``; ``_before`` too after DTO."""
    move, paths = upright(scene.ground), []
    needed = 'people by parameters of a body of SMPL\'s family'
    for file, (skeleton, shape), _ in _people(scene, path, _skeletons_and_shapes, needed):
        paths.append(Path(f'{file}.npz'))
        write_amass(paths[-1], skeleton.moved(*move), rate=RATE, **shape)
    return paths


write_scene_bvh_cm, write_scene_bvh_m = partial(write_scene_bvh, scale=100.), partial(write_scene_bvh, scale=1.)


def _people(scene, path, what_of, needed):
    """(file without suffix, what ``what_of(placement)`` has of a person, placement) of everybody in all versions."""
    for suffix, placement in versions(scene):
        things = what_of(placement)
        if things is None and len(placement.ids):
            raise KindError(f'{scene.title}: it needs {needed}, and these are only meshes')
        for number, thing in zip(placement.ids, [] if things is None else things):
            yield Path(f'{path}{suffix}') / f'person_{number}', thing, placement


def _skeletons_and_shapes(placement):
    """(skeleton, what AMASS says of the body's shape) of each person; None where one is not known."""
    skeletons, betas = skeletons_of(placement), placement.field('betas')
    if skeletons is None or betas is None:
        return None
    if isinstance(placement.body_model, BodyModel):
        shapes = [dict(shape_of(placement.body_model, row), gender=placement.body_model.gender) for row in betas]
    elif placement.field('transl') is None:
        return None
    else:
        shapes = [placed_shape(placement.sample.body_model, row, scale)
                  for row, scale in zip(betas, placement.field('mesh_scales') if 'mesh_scales' in placement.people else
                                        np.ones(len(betas)))]
    return list(zip(skeletons, shapes))


def placed_shape(body, betas, scale):
    """The shape of another program's body, which placing has made ``scale`` times as large about the pelvis."""
    return dict(betas=betas, gender='neutral', smplx='SMPL-X' in body or body == 'SMPLX', body_model=body, scale=scale)


def shape_of(body_model, betas):
    """Shape coefficients as AMASS means them, and what else there is to a shape.

    Other bodies than SMPL's have other coefficients: theirs are kept as ``body_betas``, and the shape is SMPL's mean.
    """
    about = dict(body_model=type(body_model).__name__)
    if not isinstance(body_model, SMPL | SMPLX):
        return dict(about, betas=np.zeros(1), body_betas=betas)
    if body_model.child_coefficient is not None:
        betas, about['child_blend'] = betas[:-1], betas[-1]
    if body_model.num_body_joints >= len(JOINT_SETS['smpl24'].names):  # SMPL-X with face and hands
        betas, about['expression'] = betas[:-NUM_EXPRESSION], betas[-NUM_EXPRESSION:]
    return dict(about, betas=betas)
