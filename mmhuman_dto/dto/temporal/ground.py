"""The ground of a video whose camera moves as is known: one plane, seen from many places."""
import numpy as np
import torch

from ..terms.base import extended_log, extended_log_derivative
from .parts import RowsOfTerm

#: Feet that are farther off the first camera's axis than this (z of their rays of length 1) tell no middle of the feet.
_AHEAD = .3


class WorldGround(RowsOfTerm):
    """A :class:`~mmhuman_dto.dto.terms.GroundTerm` whose plane is that of the first camera's frame.

    Points X of the plane have m . X = 1; with tilt, height h above it and q of the term, m is
    (tilt / h, 1 / h, exp(q) - (y + tilt x) / h), (x, y) being the middle of the feet. A foot that a camera, turned by A
    and at c in the first one's frame, sees in the direction r is on it where 1 / z = (m . A r) / (1 - m . c). For a
    camera that stays this is the term's own equation.

    Args:
        places: :class:`~.motion.Places`.
    """

    def __init__(self, term, variables, places):
        super().__init__(term, variables)
        self.places = places
        feet = self.problem.feet[0].numpy()
        self.depth = np.maximum(feet[:, 2], .1)
        self.rays = feet / self.depth[:, None]
        self.middle = self.problem.reference('middle of the feet ahead', self._middle())

    def _middle(self):
        seen = np.einsum('rij,rj->ri', self.places.turned, self.rays)
        ahead = (seen[:, 2] > _AHEAD * np.linalg.norm(seen, axis=1)) & self.problem.mask[0].numpy()
        return (seen[ahead, :2] / seen[ahead, 2:]).mean(0) if ahead.any() else np.zeros(2)

    def linearise(self, point):
        scene = {name: float(point[place]) for name, place in self.variables.scene.items()}
        values = {name: _numpy(value, len(self.depth)) for name, value in self.variables.values(point).items()}
        level, tilt, focal = (values[name] for name in ('ground_level', 'ground_tilt', 'log_focal'))
        height, shrink = np.exp(values['ground_height']), np.exp(-focal)
        scale = 1. if self.places.scale_name is None else np.exp(scene[self.places.scale_name])
        zero, near = np.zeros_like(level), np.exp(level)
        foot = (self.middle[1] + tilt * self.middle[0]) * shrink / height
        plane = np.stack([tilt / height, 1 / height, near - foot], 1)
        by = dict(ground_level=np.stack([zero, zero, near], 1),
                  ground_height=np.stack([-plane[:, 0], -plane[:, 1], foot], 1),
                  ground_tilt=np.stack([1 / height, zero, -self.middle[0] * shrink / height], 1),
                  log_focal=np.stack([zero, zero, foot], 1))
        ray = np.concatenate([self.rays[:, :2] * shrink[:, None], np.ones((len(zero), 1))], 1)
        seen, centre = np.einsum('rij,rj->ri', self.places.turned, ray), self.places.centres * scale
        nearness, beside = _dot(plane, seen) / near, 1 - _dot(plane, centre)
        gain, loss = _slope(nearness) / near, _slope(beside)
        derivatives = {name: gain * _dot(change, seen) + loss * _dot(change, centre) for name, change in by.items()}
        derivatives['ground_level'] += 1 - gain * nearness * near
        turned = np.einsum('rij,rj->ri', self.places.turned[:, :, :2], -ray[:, :2])
        derivatives['log_focal'] += 1 + gain * _dot(plane, turned)
        if self.places.scale_name is not None:
            derivatives[self.places.scale_name] = loss * _dot(plane, centre)
        residuals = (values['log_scale'] + focal + np.log(self.depth) + level + _log(nearness) - _log(beside))
        return residuals, self._jacobian(self._columns(derivatives | dict(log_scale=np.ones_like(level))))


def _dot(first, second):
    return np.einsum('ri,ri->r', first, second)


def _log(values):
    return extended_log(torch.from_numpy(values)).numpy()


def _slope(values):
    return extended_log_derivative(torch.from_numpy(values)).numpy()


def _numpy(value, rows):
    """(rows,) of a value (1, rows) or (1)."""
    return np.broadcast_to(value.numpy().ravel(), (rows, )).copy()
