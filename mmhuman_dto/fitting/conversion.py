"""People of one body model as people of another."""
from typing import NamedTuple

import roma
import torch

from mmhuman_dto.body_models import BodyModel
from mmhuman_dto.structures import People

from .body_fit import BodyFit
from .height_shapes import HeightShapes
from .posed import Errors, errors_between, pose_body, public_bones

#: Joints by whose places a body is turned before its pose is known.
_TRUNK = [0, 1, 2, 3, 6, 9, 12, 16, 17]
#: Ages, in anny's measure, at which heights are looked up.
_AGES = 49


class Converted(NamedTuple):
    """People of the target's body, and by how much they are off: :class:`~.posed.Errors`."""
    people: People
    errors: Errors


class MeshConversion:
    """Turns people of one body model into people of another, which is only done where it is asked for.

    Without ``fit`` pose and the place of the pelvis stay, and the height where the other body model has such a body:
    quick enough for a pipeline of data. With it, pose and shape are fitted to the joints and the surface then.

    Args:
        source: the body of the people. target: that which they become: a
            :class:`~mmhuman_dto.body_models.BodyModel`, or with ``fit`` Anny.
        fit: see above; about a second a person, to Anny ten.
        mapping: (V_target, V_source) sparse tensor that makes the target's vertices of the source's, if one is
            published: then the target is fitted to exactly these.
    """

    def __init__(self, source, target, fit=False, mapping=None):
        self.same_pose = all(isinstance(body, BodyModel) for body in (source, target))
        if not fit and (not self.same_pose or source.num_body_joints != target.num_body_joints):
            raise ValueError(f'{type(source).__name__} and {type(target).__name__} do not have the same pose: with '
                             'fit=True it is found')
        self.source, self.target, self.mapping = source, target, mapping
        self.shapes = HeightShapes(target) if isinstance(target, BodyModel) else None
        self.fit = BodyFit(target, exact=mapping is not None) if fit else None

    @torch.no_grad()
    def __call__(self, people):
        """:class:`People` with global_orient, body_pose, betas and transl -> such of the other body.

        Raises:
            ValueError: betas that the source has no coefficients for.
        """
        return self.convert(people).people if self.fit else self._same_height(people)

    @torch.no_grad()
    def convert(self, people, chunk=8):
        """:class:`Converted` of :class:`People` as of :meth:`__call__`; needs ``fit``."""
        pose, betas = torch.cat([people.global_orient[:, None], people.body_pose], 1).cpu(), self._betas(people)
        transl, parts = people.transl.cpu(), []
        for rows in torch.arange(len(people)).split(chunk):
            if len(rows):
                parts.append(self._fitted(pose[rows], betas[rows], transl[rows]))
        if not parts:
            return Converted(_with(people, self._at_rest(0), torch.zeros(0, self.target.num_betas), transl),
                             Errors(*(torch.zeros(0) for _ in Errors._fields)))
        values = [torch.cat(part) for part in zip(*((*some[:3], *some[3]) for some in parts))]
        return Converted(_with(people, *values[:3]), Errors(*values[3:]))

    def _at_rest(self, count):
        """A pose of the target (count, P, 3) without rotations."""
        bones = self.target.num_body_joints + 1 if self.shapes else len(self.target.bone_names)
        return torch.zeros(count, bones, 3)

    def _fitted(self, pose, betas, transl):
        goal = pose_body(self.source, pose, betas, transl)
        exact = None if self.mapping is None else torch.stack([self.mapping @ mesh for mesh in goal.vertices])
        start = self._start(goal, pose, betas)
        wanted = goal if exact is None else goal._replace(vertices=exact, faces=self.target.faces.cpu(), parts=None)
        made = self.fit(wanted, *start, self.same_pose)
        return *made, errors_between(pose_body(self.target, *made), goal, exact)

    def _start(self, goal, pose, betas):
        """Rotations (N, K, 3, 3) and betas to start from."""
        shape = self._shapes(goal.heights, betas) if self.shapes else by_age(self.target, goal.heights)
        rest = self._at_rest(len(pose))
        if self.same_pose:
            rotations = self.target.bone_rotations(rest)
            rows = [public_bones(body)[:22] for body in (self.source, self.target)]
            rotations[:, rows[1]] = self.source.bone_rotations(pose)[:, rows[0]]
            return rotations, shape
        joints = self.target(rest, shape).joints[:, _TRUNK].double()
        known = torch.isfinite(goal.joints[:, _TRUNK]).all(-1).all(0)
        turn, _ = roma.rigid_points_registration(joints[:, known], goal.joints[:, _TRUNK][:, known])
        rotations = self.target.bone_rotations(rest) if self.shapes else torch.eye(3).repeat(*rest.shape[:2], 1, 1)
        rotations[:, 0] = turn.to(rotations)
        return rotations, shape

    def _same_height(self, people):
        betas = self._betas(people)
        changed = self._shapes(self.source.height(betas), betas)
        transl = people.transl.cpu() + self._pelvis(self.source, betas) - self._pelvis(self.target, changed)
        return _with(people, torch.cat([people.global_orient[:, None], people.body_pose], 1), changed, transl)

    def _betas(self, people):
        """Betas (N, B) as the source takes them."""
        betas = people.betas.cpu()
        if betas[:, self.source.num_betas:].any() and isinstance(self.source, BodyModel):
            raise ValueError(f'betas have {betas.shape[1]} coefficients, {type(self.source).__name__} '
                             f'{self.source.num_betas}')
        return torch.nn.functional.pad(betas, (0, self.source.num_betas - betas.shape[1]))

    def _shapes(self, heights, betas):
        """Betas of the target: those of the source (N, B) where they mean the same, else by heights (N), m, alone."""
        child = self.source.child_coefficient
        children = torch.zeros(len(betas), dtype=torch.bool) if child is None else betas[:, child] > 0
        shapes = self.shapes(heights, children)
        if self.source.shape_space is None or self.source.shape_space != self.target.shape_space:
            return shapes
        sizes = [body.num_betas if body.child_coefficient is None else body.child_coefficient
                 for body in (self.source, self.target)]
        same = torch.nn.functional.pad(betas[:, :min(sizes)], (0, self.target.num_betas - min(sizes)))
        if child is not None and self.target.child_coefficient is not None:
            same[:, self.target.child_coefficient], children = betas[:, child], torch.zeros_like(children)
        return torch.where(children[:, None], shapes, same)

    def _pelvis(self, body_model, betas):
        pose = torch.zeros(len(betas), body_model.num_body_joints + 1, 3)
        return body_model.skeleton(pose, betas)[:, 0]


def convert(people, source, target, mapping=None):
    """:class:`Converted` of people of one body as people of another, by joints, surface and height.

    Args:
        people: :class:`~mmhuman_dto.structures.People` with global_orient, body_pose, betas and transl.
        source, target, mapping: as of :class:`MeshConversion`.
    """
    return MeshConversion(source, target, fit=True, mapping=mapping).convert(people)


def by_age(anny, heights):
    """Phenotypes (N, B) of average people of the age at which they are as tall as heights (N), m, or the nearest."""
    betas = anny.mean_betas.repeat(_AGES, 1)
    betas[:, 1] = torch.linspace(-1 / 3, 2 / 3, _AGES)
    known = anny.height(betas).double()
    return betas[(known[None] - heights[:, None]).abs().argmin(1)]


def _with(people, pose, betas, transl):
    """People of other parameters."""
    changed = dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl)
    fields = {name: value for name, value in people.items() if name not in changed}
    device = people.betas.device
    return People(num_people=len(people), **fields, **{name: value.to(device)
                                                                  for name, value in changed.items()})
