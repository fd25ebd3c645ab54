"""A body fitted to another posed body: to its joints, its surface and its height."""
import math

import torch

from mmhuman_dto.body_models import BodyModel
from mmhuman_dto.body_models.joint_sets import JOINT_SETS

from .kinematics import FitState, JointTables, logarithm
from .point_terms import KnownHeight, Near, Surface
from .posed import Posed, nearest_surface, normals_of, parts_of, public_bones
from .sampled import SampledTables
from .solver import solve
from .terms import PosePrior, ShapePrior

#: Standard deviations of joints, m: of limbs, and of those whose centre is a matter of convention.
LIMB_STD, OTHER_STD = .01, .04
#: Rounds, before each of which surfaces meet anew: their standard deviation, m, and how far they may be, in heights.
ROUNDS = ((.03, .1), (.02, .06), (.01, .04), (.01, .03))
#: Standard deviations of vertices that are known to correspond, and of the height, m.
EXACT_STD, HEIGHT_STD = .003, .003
#: Spread of bones around a pose that means the same, around one found by joints alone, and of those that nothing shows,
#: rad; of bones in a fit to joints alone, around the rest pose.
SAME_POSE_STD, FOUND_POSE_STD, END_STD, FREE_STD = .1, .3, .01, 1.
#: Spread of shape coefficients, of the first of them, of a child's blend and of an adult's, around those of the height.
SHAPE_STD, STATURE_STD, CHILD_STD, ADULT_STD = 1., 2., .2, .02
#: Spread of a coefficient that was put back to the end of what a body has.
BOUND_STD = 1e-3
#: Steps to the joints alone, and in each round.
JOINT_STEPS, STEPS = 30, 6
#: Bodies are fitted in front of the camera, this far away, m, wherever they are.
_DISTANCE = 4.
_LIMBS = ('knee', 'ankle', 'shoulder', 'elbow', 'wrist')


class BodyFit:
    """Fits one body to others.

    Args:
        target: :class:`~mmhuman_dto.body_models.BodyModel`, or Anny.
        num_points: vertices of it that are fitted to surfaces, spread evenly over its own.
        exact: whether the vertices of what it is fitted to are its own.
    """

    def __init__(self, target, num_points=400, exact=False):
        self.target, self.exact, self.parts = target, exact, parts_of(target)
        points = spread_vertices(target, num_points)
        self.points = points
        self.free = target
        if isinstance(target, BodyModel):
            self.tables = JointTables(target, 'smpl24', points=points)
            self.coarse = JointTables(target, 'smpl24')
        else:
            self.free = target.extrapolated()
            bones = [row for row, name in enumerate(target.bone_names) if name in target.main_bones]
            self.tables, self.coarse = (SampledTables(self.free, bones, some) for some in (points, ()))
        self.joint_std = torch.tensor([LIMB_STD if name.split('_')[-1] in _LIMBS else OTHER_STD
                                       for name in JOINT_SETS['smpl24'].names])

    def __call__(self, goal, rotations, betas, same_pose):
        """Pose, betas and transl of N bodies.

        Args:
            goal: :class:`~.posed.Posed`, what to fit to.
            rotations: (N, K, 3, 3) of the bones, to start from. betas: (N, B).
            same_pose: whether these rotations mean the same pose; else only the root's is about right.
        """
        shift = torch.tensor([0., 0, _DISTANCE]) - goal.joints[:, 0]
        goal = goal.moved(shift)
        place = torch.tensor([0., 0, math.log(_DISTANCE)], dtype=torch.float64)
        state = FitState(rotations.double(), betas.double(), place.repeat(len(betas), 1))
        height = KnownHeight(goal.heights, HEIGHT_STD, self._heights)
        shape = [self._shape_prior(state.betas), height]
        if not same_pose:
            free = self._pose_prior(torch.zeros_like(state.rotations[..., 0]), FREE_STD)
            state, _ = solve(self.coarse, [Near(goal.joints, self.joint_std), free, *shape], state, JOINT_STEPS)
        prior = self._pose_prior(logarithm(state.rotations), SAME_POSE_STD if same_pose else FOUND_POSE_STD)
        normals = normals_of(goal)
        joints = goal.joints * torch.nan if self.exact else goal.joints
        for std, far in ROUNDS:
            surface = self._surface(state, goal, normals, far)
            near = Near(joints, self.joint_std, surface, EXACT_STD if self.exact else std)
            state, _ = solve(self.tables, [near, prior, *shape], state, STEPS)
            shape, state = self._bounded(shape, state)
        pose, transl = self._pose(state), self.tables.transl(state) - shift
        return pose.float(), state.betas.float(), transl.float()

    def _surface(self, state, goal, normals, far):
        """Where the points ought to be, less what the tables leave out of a body (its pose correctives)."""
        made = self._posed(state)
        points = made.vertices[:, self.points]
        left_out = points - self.tables.joints(state)[:, 24:]
        if self.exact:
            return Surface(goal.vertices[:, self.points] - left_out)
        own = normals_of(made)[:, self.points]
        parts = None if self.parts is None else self.parts[self.points]
        places, facing = nearest_surface(points, own, parts, goal, normals, far)
        return Surface(places - left_out, facing)

    def _posed(self, state):
        with torch.no_grad():
            output = self.target(self._pose(state).float(), state.betas.float(), self.tables.transl(state).float())
        joints, vertices = output.joints[:, :24].double(), output.vertices.double()
        return Posed(joints, vertices, None, self.target.faces.cpu(), self.parts)

    def _pose(self, state):
        return self.target.pose_of(state.rotations.float())

    def _heights(self, betas):
        return self.free.height(betas.float()).to(betas)

    def _pose_prior(self, mean, std):
        stds = torch.full_like(mean, std)
        if isinstance(self.target, BodyModel):
            public, names = public_bones(self.target), JOINT_SETS['smpl24'].names
            kept = [bone for bone in range(mean.shape[1]) if bone not in public or
                    names[public.index(bone)].endswith(('foot', 'hand'))]
            stds[:, kept] = END_STD
        return PosePrior(mean, stds)

    def _shape_prior(self, betas):
        if not isinstance(self.target, BodyModel):
            return ShapePrior(betas, torch.full_like(betas, CHILD_STD))
        std, child = torch.full_like(betas, SHAPE_STD), self.target.child_coefficient
        std[:, 0] = STATURE_STD
        if child is not None:
            std[:, child] = torch.where(betas[:, child] > 0, CHILD_STD, ADULT_STD)
        return ShapePrior(betas, std)

    def _bounded(self, shape, state):
        """Terms and state whose betas the body has: no blend away from a child, no phenotypes beyond theirs. Those that
        had to be put back stay where they are from then on."""
        prior, height = shape
        least, most = torch.full_like(state.betas, -math.inf), torch.full_like(state.betas, math.inf)
        if not isinstance(self.target, BodyModel):
            least, most = self.target.least[:state.betas.shape[1]].to(state.betas), torch.ones_like(state.betas)
        elif self.target.child_coefficient is not None:
            least[:, self.target.child_coefficient] = 0
        betas = state.betas.clamp(least, most)
        beyond = betas != state.betas
        mean = torch.where(beyond, betas, prior.mean)
        weights = torch.where(beyond, BOUND_STD**-2, prior.weights)
        return [ShapePrior(mean, weights**-.5), height], state._replace(betas=betas)


def spread_vertices(body, count, seed=0):
    """Vertices (S,) of a body at random, as many on each part of its surface as it is large."""
    mesh = rest_mesh(body)
    corners = mesh[body.faces.cpu()]
    areas = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=-1)
    weights = torch.zeros(len(mesh)).index_add_(0, body.faces.cpu().flatten(), areas.repeat_interleave(3))
    weights[weights.isnan()] = 0
    return torch.multinomial(weights, min(count, int((weights > 0).sum())),
                             generator=torch.Generator().manual_seed(seed)).sort().values


def rest_mesh(body):
    """(V, 3) m, a body of mean shape without rotations."""
    if isinstance(body, BodyModel):
        pose, betas = torch.zeros(1, body.num_body_joints + 1, 3), torch.zeros(1, body.num_betas)
    else:
        pose, betas = torch.zeros(1, len(body.bone_names), 3), body.mean_betas[None]
    with torch.no_grad():
        return body(pose, betas).vertices[0].cpu()
