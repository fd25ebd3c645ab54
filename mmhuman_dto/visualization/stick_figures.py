"""People of whom only joints are known, as meshes of thin bones, so that they are drawn like bodies."""
import numpy as np

from .scene import Placement

#: Half the thickness of a bone, m.
RADIUS = .03
#: Triangles of a three-sided prism: corners 0-2 at one end, 3-5 at the other.
_PRISM = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4], [2, 0, 3], [2, 3, 5], [0, 2, 1], [3, 4, 5]])


def stick_figures(joints, valid, edges, ids, intrinsics=None):
    """Joints in space as a :class:`~mmhuman_dto.visualization.Placement`, heights unknown.

    Args:
        joints: (N, J, 3) m, camera frame.
        valid: (N, J) which of them are known; people without two known joints of a bone are left out.
        edges: E pairs of joints, the bones.
        ids, intrinsics: as of the Placement.

    Returns:
        Placement, faces (F, 3).
    """
    edges = np.asarray(edges, int).reshape(-1, 2)
    joints = np.asarray(joints, np.float32)
    known = np.asarray(valid, bool)[:, edges].all(-1) & np.isfinite(joints[:, edges]).all((-1, -2))
    stay = known.any(1)
    bones = _bones(joints[:, edges])[stay]
    for person, whole in zip(bones, known[stay]):
        # Bones that are not known hide in one point of one that is.
        person[~whole] = person[whole][0, :1]
    faces = (_PRISM + 6 * np.arange(len(edges))[:, None, None]).reshape(-1, 3)
    vertices = bones.reshape(len(bones), 6 * len(edges), 3)
    return Placement(vertices, np.full(len(bones), np.nan), np.asarray(ids, int)[stay], intrinsics), faces


def _bones(ends):
    """Prisms (..., 6, 3) around lines with ends (..., 2, 3), m."""
    along = ends[..., 1, :] - ends[..., 0, :]
    # The axis least along the bone is never parallel to it.
    helper = np.eye(3, dtype=np.float32)[np.abs(np.nan_to_num(along)).argmin(-1)]
    first = _unit(np.cross(along, helper))
    second = _unit(np.cross(along, first))
    turns = np.arange(3, dtype=np.float32) * np.float32(2 * np.pi / 3)
    ring = RADIUS * (np.cos(turns)[:, None] * first[..., None, :] + np.sin(turns)[:, None] * second[..., None, :])
    return (ends[..., :, None, :] + ring[..., None, :, :]).reshape(*ends.shape[:-2], 6, 3)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
