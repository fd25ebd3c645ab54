"""Joints of bodies that say nothing of their insides, and how they move, by differences of posed bodies."""
import torch

from mmhuman_dto.geometry import axis_angle_to_matrix, matrix_to_axis_angle

from .kinematics import FitState, JointPlaces

#: Steps of the differences: a turn, rad, and a coefficient of shape.
_TURN, _SHAPE = 5e-3, 5e-3


class SampledTables:
    """What :class:`~.kinematics.JointTables` is to the SMPL family, for a
    :class:`~mmhuman_dto.body_models.ForeignBody` whose pose is a rotation of each bone and whose transl is where its
    pelvis is: so slower.

    Args:
        body: the body.
        bones: indices of the bones that are turned; the others keep their rotations.
        points: (S,) vertices that follow SMPL's 24 joints.
    """

    def __init__(self, body, bones, points=(), dtype=torch.float64):
        self.body, self.bones, self.dtype = body.thinned(points), list(bones), dtype
        self.num_bones, self.num_betas = len(body.bone_names), body.num_betas
        self.num_joints = 24 + len(points)

    def state(self, pose, betas, transl):
        """:class:`FitState` of bodies: pose (N, K, 3) rad, betas (N, B), transl (N, 3) m, camera frame."""
        place = torch.cat([transl[:, :2] / transl[:, 2:], transl[:, 2:].log()], 1)
        return FitState(axis_angle_to_matrix(pose), betas, place)

    def transl(self, state):
        """transl (N, 3) m, camera frame, of bodies."""
        return state.position

    def joints(self, state):
        """SMPL's joints and the points (N, J, 3), m, camera frame."""
        return self._around(state.rotations, state.betas) + state.position[:, None]

    def places(self, state):
        """:class:`JointPlaces` of bodies."""
        parts = [self._places_of(state.rotations[row], state.betas[row]) for row in range(len(state.betas))]
        return JointPlaces(*map(torch.stack, zip(*parts)))

    def _places_of(self, rotations, betas):
        turns = torch.eye(3, dtype=self.dtype) * _TURN
        turned = rotations[None, None].repeat(len(self.bones), 3, 1, 1, 1)
        for row, bone in enumerate(self.bones):
            turned[row, :, bone] = rotations[bone] @ axis_angle_to_matrix(turns)
        shaped = betas + torch.eye(self.num_betas, dtype=self.dtype) * _SHAPE
        turned = turned.flatten(0, 1)
        every = self._around(torch.cat([rotations[None], turned, rotations.expand(self.num_betas, -1, -1, -1)]),
                             torch.cat([betas.expand(1 + len(turned), -1), shaped]))
        here, by_turn, by_shape = every[0], every[1:1 + len(turned)] - every[0], every[1 + len(turned):] - every[0]
        by_rotations = here.new_zeros(self.num_joints, 3, self.num_bones, 3)
        by_rotations[:, :, self.bones] = (by_turn / _TURN).unflatten(0, (-1, 3)).permute(2, 3, 0, 1)
        return here, by_rotations.flatten(2), (by_shape / _SHAPE).permute(1, 2, 0)

    @torch.no_grad()
    def _around(self, rotations, betas):
        """Joints and points around the root (N, J, 3)."""
        vertices, joints = self.body(matrix_to_axis_angle(rotations), betas)
        return torch.cat([joints, vertices], 1).to(self.dtype)
