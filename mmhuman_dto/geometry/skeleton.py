"""People as bones that are turned, and meshes over them: what files of rigs and of motion are written from.

Arrays of NumPy in and out, not tensors: nothing is differentiated on the way into a file.
"""
from typing import NamedTuple

import numpy as np
import torch

from .rotation import axis_angle_to_matrix, matrix_to_axis_angle


class Skeleton(NamedTuple):
    """The K bones of one person at rest, and how they are turned in each of T frames (one, of a photo).

    A bone's joint is where it meets its parent. A point v at rest that moves with bone k alone is, in a frame,
    ``turned[k] @ (v - rest[k]) + joints[k]``, with both of :meth:`world`.

    Attributes:
        names: K names.
        parents: K indices; the root comes first, its parent is -1, the others follow their parents.
        rest: (K, 3), m, joints of the body at rest, in a frame of the body's own.
        rotations: (T, K, 3, 3), of each bone as seen from its parent; the root's leads to the frame of ``root``.
        root: (T, 3), m, where the root's joint is, in the frame that the person is in.
    """
    names: tuple
    parents: tuple
    rest: np.ndarray
    rotations: np.ndarray
    root: np.ndarray

    @classmethod
    def from_joints(cls, names, parents, rotations, joints):
        """Of bones whose joints (T, K, 3), m, are known as they are turned; at rest the root is at the origin."""
        skeleton = cls(names, parents, np.zeros(joints.shape[1:]), rotations, joints[:, 0])
        turned, _ = skeleton.world()
        for bone, parent in list(enumerate(parents))[1:]:
            offsets = np.einsum('tij,ti->tj', turned[:, parent], joints[:, bone] - joints[:, parent])
            skeleton.rest[bone] = skeleton.rest[parent] + offsets.mean(0)
        return skeleton

    @property
    def offsets(self):
        """(K, 3), m: from the parent's joint to the bone's, at rest; 0 of the root."""
        offsets = self.rest - self.rest[np.maximum(self.parents, 0)]
        return np.where(np.array(self.parents)[:, None] < 0, 0, offsets)

    def world(self):
        """Rotations (T, K, 3, 3) and joints (T, K, 3), m, in the frame of ``root``: forward kinematics."""
        turned, joints = np.empty_like(self.rotations), np.empty(self.rotations.shape[:3])
        for bone, (parent, offset) in enumerate(zip(self.parents, self.offsets)):
            if parent < 0:
                turned[:, bone], joints[:, bone] = self.rotations[:, bone], self.root
            else:
                turned[:, bone] = turned[:, parent] @ self.rotations[:, bone]
                joints[:, bone] = joints[:, parent] + turned[:, parent] @ offset
        return turned, joints

    def moved(self, rotation, translation):
        """The same in another frame, whose points are ``rotation (3, 3) @ point + translation (3)``; both may also have
        a leading dimension T, for a frame that moves.

        The translation of the root is not that of a body model, which turns about its rest pelvis and not about the
        origin: it is where the root's joint is, so both are right.
        """
        rotations = self.rotations.copy()
        rotations[:, 0] = rotation @ rotations[:, 0]
        return self._replace(rotations=rotations, root=(rotation @ self.root[..., None])[..., 0] + translation)

    def at(self, times, wanted):
        """At ``wanted`` (N) of its rising ``times`` (T): bones turn the short way, at an even speed (slerp),
        the root goes straight; before the first time and after the last all stands still."""
        times, wanted = np.asarray(times, float), np.clip(np.asarray(wanted, float), times[0], times[-1])
        before = np.searchsorted(times, wanted, side='right') - 1
        after = np.minimum(before + 1, len(times) - 1)
        share = (wanted - times[before]) / np.where(after > before, times[after] - times[before], 1)
        first, last = (torch.from_numpy(self.rotations[rows]) for rows in (before, after))
        turn = matrix_to_axis_angle(first.mT @ last) * torch.from_numpy(share)[:, None, None]
        root = self.root[before] + share[:, None] * (self.root[after] - self.root[before])
        return self._replace(rotations=(first @ axis_angle_to_matrix(turn)).numpy(), root=root)


class Skin(NamedTuple):
    """A mesh over the bones of one person.

    Attributes:
        skeleton: :class:`Skeleton`.
        vertices: (V, 3), m, at rest, in the frame of ``skeleton.rest``.
        weights: (V, K), how much each vertex moves with each bone; rows sum to 1.
        correctives: (T, V, 3), m, what the body model adds to the vertices at rest because of the pose; or None.
    """
    skeleton: Skeleton
    vertices: np.ndarray
    weights: np.ndarray
    correctives: np.ndarray | None = None

    @property
    def moments(self):
        """(K, 4): what each bone moves of the mean of all vertices: a sum of points at rest, m, and how much of it."""
        points = np.concatenate([self.vertices, np.ones((len(self.vertices), 1))], 1)
        return self.weights.T @ points / len(points)

    def centres(self):
        """(T, 3), m: the mean of all vertices in each frame, as of :meth:`posed`."""
        (turned, joints), moments = self.skeleton.world(), self.moments
        about = moments[:, :3] - moments[:, 3:] * self.skeleton.rest
        return np.einsum('tkij,kj->ti', turned, about) + np.einsum('k,tki->ti', moments[:, 3], joints)

    def posed(self, rows=slice(None)):
        """Vertices (T, R, 3), m, by linear blend skinning, of some rows; without the correctives."""
        (turned, joints), rest = self.skeleton.world(), self.skeleton.rest
        shift = joints - np.einsum('tkij,kj->tki', turned, rest)
        weights = self.weights[rows]
        return np.einsum('rk,tkij,rj->tri', weights, turned, self.vertices[rows], optimize=True) + weights @ shift
