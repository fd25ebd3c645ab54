"""The one table of per-person fields: what each is called, its shape, kind, unit and frame.

Datasets convert foreign files to these names once, at load. Transforms dispatch on ``kind``,
so a new field costs one row here, or :func:`register_field` in a module of your own, and no code there.
"""
from typing import NamedTuple


class FieldSpec(NamedTuple):
    """One per-person field."""
    #: what transforms do with it (``box``, ``area``, ``point2d``, ``point3d``, ``valid``, ``axis_angle``, ``shape``,
    #: ``vec3``, ``scalar``, ``label``, ``sides``: labels of left and right, ``mesh`` or ``mask``)
    kind: str
    #: shape of one person's entry; a string names a size that is free but equal for all fields of a sample that use it
    #: (``J`` joints, ``K`` joints of the metainfo ``keypoint_set``, ``P`` body joints, ``B`` shape coefficients)
    row: tuple[int | str, ...]
    unit: str  # unit and frame, for readers
    floating: bool = True  # whether values are floats (else integers or booleans; validity may also be a confidence)


#: A joint of the picture (``keypoint_scores``) counts as seen from this score on.
SEEN_SCORE = .2

FIELDS = {
    'bboxes': FieldSpec('box', (4, ), 'px of the current image, xyxy'),
    'areas': FieldSpec('area', (), 'px^2 of the current image, of the segment of a person'),
    'keypoints_2d': FieldSpec('point2d', ('J', 2), 'px of the current image'),
    'keypoints_2d_valid': FieldSpec('valid', ('J', ), 'whether, or confidence 0..1', floating=False),
    'keypoints_3d': FieldSpec('point3d', ('J', 3), 'm, camera'),
    'keypoints_3d_valid': FieldSpec('valid', ('J', ), 'whether, or confidence 0..1', floating=False),
    'global_orient': FieldSpec('axis_angle', (3, ), 'rad, camera'),
    'body_pose': FieldSpec('axis_angle', ('P', 3), 'rad, relative to the parent joint'),
    'betas': FieldSpec('shape', ('B', ), '- (last = child blend where the body model has one)'),
    'transl': FieldSpec('vec3', (3, ), 'm, camera'),
    'heights': FieldSpec('scalar', (), 'm, rest pose'),
    'vertices': FieldSpec('mesh', ('V', 3), 'm, camera, of people who are only meshes'),
    'pelvis': FieldSpec('label', (3, ), 'm, camera'),
    'smpl_joints': FieldSpec('label', (24, 3), 'm, camera, SMPL\'s 24 kinematic joints, nan unknown'),
    'mesh_scales': FieldSpec('label', (), 'size of the placed mesh over that of the given one, about the pelvis; its '
                                          'shape parameters do not say it'),
    'track_ids': FieldSpec('label', (), 'the same number is the same person in all pictures of a video',
                           floating=False),
    'keypoints_3d_std': FieldSpec('label', ('J', ), 'm, of each of x, y, z around the pelvis, nan unknown'),
    'heights_std': FieldSpec('label', (), 'm, nan unknown'),
    'depths_std': FieldSpec('label', (), 'm, of the pelvis\' z, nan unknown'),
    'sizes_std': FieldSpec('label', (), 'of the logarithm of height over depth, for the picture shows no more'),
    'scores': FieldSpec('scalar', (), 'detection confidence, 0..1'),
    'keypoint_scores': FieldSpec('label', ('K', ), 'how sure each joint of keypoint_set is in the picture, 0..1'),
    'drop_reasons': FieldSpec('label', (), 'why DTO left the person out: mmhuman_dto.dto.DropReason', floating=False),
    'has_mesh': FieldSpec('label', (), 'whether pose, shape and transl are known; absent: of all', floating=False),
    'has_shape': FieldSpec('label', (), 'whether the mesh has the person\'s size and shape; absent: every mesh',
                           floating=False),
    'has_depth': FieldSpec('label', (), 'whether the mesh is as far away as the person; absent: every mesh',
                           floating=False),
    'dto_evidence': FieldSpec('label', ('E', ), 'what a depth map said of the person: mmhuman_dto.dto.problem.CACHED'),
    'ages': FieldSpec('label', (), 'years, nan unknown'),
    'male_probs': FieldSpec('label', (), 'probability, nan unknown'),
    'is_child': FieldSpec('label', (), 'annotated as a child', floating=False),
    'is_crowd': FieldSpec('label', (), 'no person but a region of several, none of whom is annotated', floating=False),
    'depth_layers': FieldSpec('label', (), 'order, 0 nearest, -1 unknown', floating=False),
    'is_released': FieldSpec('label', (), 'mesh comes from a released annotation', floating=False),
    'visible_vertices': FieldSpec('label', (), 'vertices of the mesh seen in the image', floating=False),
    'masks': FieldSpec('mask', ('H', 'W'), 'current image', floating=False),
}


def register_field(name, spec):
    """Add a field, from any module: from then on people, tables and transforms know it.

    Raises:
        ValueError: the name stands for another field.
    """
    if FIELDS.setdefault(name, spec) != spec:
        raise ValueError(f'people field {name!r} is {FIELDS[name]}, it cannot also be {spec}')
