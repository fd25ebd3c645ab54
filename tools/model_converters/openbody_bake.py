"""Bakes anny's rest pose (A-pose, bent elbows, z up) into SMPL's (T-pose, y up, facing +z), for each shape sample."""
import anny
import numpy as np
import torch

from mmhuman_dto.body_models.anny import JOINT_BONES
from mmhuman_dto.body_models.joint_sets import JOINT_SETS

SMPL_JOINTS = JOINT_SETS['smpl24'].names
#: Where the pelvis of every shape is put in the zero pose, m: as high as SMPL's (whose origin is near the chest).
PELVIS = np.array([0., -0.24, 0.])
#: How far the shoulder girdle is raised for the T-pose, degrees: about a third of an arm's elevation comes from it.
CLAVICLE_RAISE, SHOULDER_RAISE = 5., 11.
#: Feet of SMPL's rest pose point slightly outwards, degrees.
TOE_OUT = 8.


class AnnyRig:
    """anny with all its bones, in SMPL's axes (x left, y up, z front), metres.

    ``weights`` (V, B) skinning weights, ``faces`` (F, 3), ``bones`` B names, ``parents`` B indices, the root's -1.
    """

    def __init__(self):
        self.model = anny.Anny(skinning_method='lbs')
        self.bones = list(self.model.bone_labels)
        self.parents = list(self.model.bone_parents)
        self.faces = self.model.faces.numpy()
        self.weights = self.model.dense_vertex_bone_weights.numpy()

    def rest(self, phenotypes: dict) -> tuple[np.ndarray, np.ndarray]:
        """Phenotype values (S,) by name -> rest vertices (S, V, 3) and bone heads (S, B, 3)."""
        with torch.no_grad():
            tensors = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in phenotypes.items()}
            out = self.model(phenotype_kwargs=tensors)
        return to_smpl_axes(out['rest_vertices'].numpy()), to_smpl_axes(out['rest_bone_heads'].numpy())

    def bone(self, name: str) -> int:
        return self.bones.index(name)


def to_smpl_axes(points: np.ndarray) -> np.ndarray:
    """(*, 3) z up, facing -y -> y up, facing +z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def frame(first, second):
    """Right-handed frames (S, 3, 3), columns: along ``first``, ``second`` made orthogonal to it, their cross."""
    x = unit(first)
    y = unit(second - (second * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], -1)


def between(source, target):
    """Rotations (S, 3, 3) that carry frames ``source`` to the frame ``target``."""
    return target @ np.swapaxes(source, -1, -2)


def about(axis: int, degrees) -> np.ndarray:
    """Rotation about a coordinate axis."""
    angle = np.deg2rad(np.asarray(degrees, dtype=np.float64))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros(angle.shape + (3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., i, i] = matrix[..., j, j] = np.cos(angle)
    matrix[..., j, i], matrix[..., i, j] = np.sin(angle), -np.sin(angle)
    return matrix


def arm_rotations(head, side: str) -> dict[str, np.ndarray]:
    """World rotations of one arm's bones: straight along +-x, elbow hinge vertical, palm down.

    ``head`` maps a bone's name to its rest heads (S, 3).
    """
    s = 1. if side == 'L' else -1.
    outwards, front, down = np.array([s, 0, 0]), np.array([0, 0, 1.]), np.array([0, -1., 0])
    upper = head(f'lowerarm01.{side}') - head(f'upperarm01.{side}')
    fore = head(f'wrist.{side}') - head(f'lowerarm01.{side}')
    hinge = np.cross(upper, fore)
    target = frame(outwards, front)
    forearm = between(frame(fore, np.cross(hinge, fore)), target)
    knuckles = [head(f'finger{i}-1.{side}') - head(f'wrist.{side}') for i in range(2, 6)]
    palm = s * np.cross(knuckles[3], knuckles[0])
    hand = between(frame(np.mean(knuckles, 0), palm), frame(outwards, down))
    twist = hand @ np.swapaxes(forearm, -1, -2)
    angle = np.rad2deg(np.arctan2(twist[:, 2, 1] - twist[:, 1, 2], twist[:, 1, 1] + twist[:, 2, 2]))
    return {
        'clavicle': about(2, s * CLAVICLE_RAISE), 'shoulder01': about(2, s * SHOULDER_RAISE),
        'upperarm01': between(frame(upper, np.cross(hinge, upper)), target), 'lowerarm01': forearm,
        'lowerarm02': about(0, angle / 2) @ forearm,  # half of the forearm's twist, so the wrist isn't wrung
        'wrist': hand}


def leg_rotations(head, side: str) -> dict[str, np.ndarray]:
    """World rotations of one leg's bones: thigh and shin vertical, knee hinge along x, sole flat."""
    s = 1. if side == 'L' else -1.
    right, down = np.array([1., 0, 0]), np.array([0, -1., 0])
    thigh = head(f'lowerleg01.{side}') - head(f'upperleg01.{side}')
    shin = head(f'foot.{side}') - head(f'lowerleg01.{side}')
    return {'upperleg01': between(frame(thigh, right), frame(down, right)),
            'lowerleg01': between(frame(shin, right), frame(down, right)), 'foot': about(1, s * TOE_OUT)}


def rest_rotations(rig: AnnyRig, heads: np.ndarray) -> np.ndarray:
    """World rotations (S, B, 3, 3) from anny's rest to SMPL's; bones not named follow their parents."""
    given = {}
    for side in 'LR':
        for part in (arm_rotations, leg_rotations):
            rotations = part(lambda name: heads[:, rig.bone(name)], side)
            given.update({f'{name}.{side}': rotation for name, rotation in rotations.items()})
    world = np.broadcast_to(np.eye(3), heads.shape[:2] + (3, 3)).copy()
    for b, name in enumerate(rig.bones):
        if name in given:
            world[:, b] = given[name]
        elif rig.parents[b] >= 0:
            world[:, b] = world[:, rig.parents[b]]
    return world


def pose_heads(parents, heads: np.ndarray, world: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Heads (S, B, 3) after turning the bones by ``world``, with the first one at ``root``."""
    posed = np.empty_like(heads)
    for b, parent in enumerate(parents):
        offset = heads[:, b] - heads[:, parent]
        posed[:, b] = root if parent < 0 else posed[:, parent] + np.einsum('sij,sj->si', world[:, parent], offset)
    return posed


def skin(vertices, heads, posed, world, weights):
    """Linear blend skinning: (S, V, 3), (S, B, 3), (S, B, 3), (S, B, 3, 3), (V, B) -> (S, V, 3)."""
    shift = posed - np.einsum('sbij,sbj->sbi', world, heads)
    out = np.empty_like(vertices)
    for i in range(len(vertices)):
        linear = (weights @ world[i].reshape(-1, 9)).reshape(-1, 3, 3)
        out[i] = np.einsum('vij,vj->vi', linear, vertices[i]) + weights @ shift[i]
    return out


def bake(rig: AnnyRig, phenotypes: dict) -> tuple[np.ndarray, np.ndarray]:
    """Phenotypes (S,) by name -> vertices (S, V, 3) and SMPL's joint centres (S, 24, 3) in SMPL's rest pose, m."""
    vertices, heads = rig.rest(phenotypes)
    world = rest_rotations(rig, heads)
    posed = pose_heads(rig.parents, heads, world, PELVIS)
    joints = np.stack([posed[:, bones].mean(1) for bones in joint_bones(rig)], 1)
    return skin(vertices, heads, posed, world, rig.weights), joints


def joint_bones(rig: AnnyRig) -> list[list[int]]:
    """For each of SMPL's joints, the anny bones whose heads are its centre."""
    result = []
    for joint in SMPL_JOINTS:
        side, _, name = joint.rpartition('_')
        suffix = {'left': '.L', 'right': '.R', '': ''}[side]
        result.append([rig.bone(bone + suffix) for bone in JOINT_BONES[name]])
    return result


def bone_to_joint(rig: AnnyRig) -> np.ndarray:
    """(B,) SMPL joint each anny bone is collapsed to: its own, else its parent's; the thumb goes with the hand."""
    own = {bone: joint for joint, bones in enumerate(joint_bones(rig)) for bone in bones}
    for side, hand in (('L', 'left_hand'), ('R', 'right_hand')):
        own[rig.bone(f'finger1-1.{side}')] = SMPL_JOINTS.index(hand)
    result = np.zeros(len(rig.bones), dtype=np.int64)
    for b, parent in enumerate(rig.parents):
        result[b] = own.get(b, 0 if parent < 0 else result[parent])
    return result
