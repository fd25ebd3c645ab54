"""What DTO needs of people's bodies: parameters of a body model, or meshes that nobody has parameters of."""
from typing import NamedTuple, Protocol

import torch

from .moving import move_people, refocus, shifted

#: SMPL's joints nearest to the ground, the balls of the feet.
FOOT_JOINTS = (10, 11)
#: SMPL's joints of the legs: hips, knees, ankles, each left and right.
LEG_JOINTS = ((1, 2), (4, 5), (7, 8))
#: SMPL's joints at the ends of the trunk.
NECK, PELVIS = 12, 0
#: What of a mesh of unknown joints counts as its feet, and how much higher a foot's ball is: shares of its height.
LOWEST, BALL = .03, .012


class Measures(NamedTuple):
    """What DTO is to know of M bodies; float64.

    Attributes:
        heights: (M) rest-pose height, m.
        joints: (M, 24, 3) SMPL's kinematic joints, m, camera frame; nan where not known, of the pelvis never.
        depths: (M) depth, m, by which they are said to be in front of the camera, and how large they appear.
        leg_reach: (M, 2) how far the left and the right leg reach on along the trunk, 1 as far as they are long, as of
            who stands.
        finite: (M) bool, whether all that makes the body is finite.
    """
    heights: torch.Tensor
    joints: torch.Tensor
    depths: torch.Tensor
    leg_reach: torch.Tensor
    finite: torch.Tensor


class Bodies(Protocol):
    """Bodies of one kind; ``people`` is the :class:`People` of S images, M people in all.

    Attributes:
        faces: (F, 3) int64.
    """
    faces: torch.Tensor

    def measure(self, people):
        """:class:`Measures` of the M people."""

    def heights(self, people):
        """(M) rest-pose heights, m."""

    def vertices(self, people):
        """(M, V, 3) m, camera frame."""

    def placed(self, people, heights, scale, height_class, focal_factor, sizes, shifts):
        """Fields of the M people, by name, once they are where they belong.

        Args:
            heights: (M) m, before; anything for who stays.
            scale: (M) new over old distance; 1 for who stays.
            height_class: (M) index of ``HEIGHT_CLASSES``.
            focal_factor: (M) new over old focal length; None: as it was.
            sizes: (M) new over old size; None: as the distance, which leaves the picture as it is.
            shifts: (M, 2) sideways, of the pelvis' place in the picture at z = 1; None: nobody moves so.
        """


def bodies_of(body):
    """:class:`Bodies`: ``body`` itself, or those of a body model."""
    return body if hasattr(body, 'measure') else ModelBodies(body)


class ModelBodies:
    """People by ``global_orient``, ``body_pose``, ``betas`` and ``transl`` of a body model.

    They are moved by ``transl`` and get their size by ``betas``.

    Args:
        body_model: anything with ``height(betas)``, ``skeleton(pose, betas, transl)``, ``num_betas``,
            ``num_body_joints`` and ``child_coefficient``; called, where vertices are asked for.
    """

    def __init__(self, body_model):
        self.body_model = body_model

    @property
    def faces(self):
        return self.body_model.faces

    def measure(self, people):
        pose, betas, transl = self._parameters(people)
        joints = self.body_model.skeleton(pose, betas, transl).double()
        return Measures(self.heights(people).double(), joints, transl[:, 2], leg_reach(joints),
                        transl.isfinite().all(-1))

    def heights(self, people):
        return self.body_model.height(self._betas(people))

    def vertices(self, people):
        return self.body_model(*self._parameters(people)).vertices

    def placed(self, people, heights, scale, height_class, focal_factor=None, sizes=None, shifts=None):
        betas, transl = move_people(self.body_model, *self._parameters(people), heights, scale, height_class, sizes)
        if shifts is not None:
            transl = shifted(self.body_model, betas, transl, shifts)
        if focal_factor is not None:
            transl = refocus(self.body_model, betas, transl, focal_factor)
        return dict(betas=betas, transl=transl, heights=self.body_model.height(betas))

    def _parameters(self, people):
        orient = stack_rows(people, 'global_orient', (3, ))
        body_pose = stack_rows(people, 'body_pose', (self.body_model.num_body_joints, 3))
        return torch.cat([orient[:, None], body_pose], 1), self._betas(people), stack_rows(people, 'transl', (3, ))

    def _betas(self, people):
        return stack_rows(people, 'betas', (self.body_model.num_betas, ))


class MeshBodies:
    """People by ``vertices``, ``pelvis`` and ``heights``, and ``smpl_joints`` where they are known.

    A mesh is scaled about the camera, which leaves the picture as it is; ``mesh_scales`` says by how much it grew.
    Where people have parameters too, ``transl`` moves as the pelvis does.

    Args:
        faces: (F, 3) integers, of everybody.
    """

    def __init__(self, faces):
        self.faces = torch.as_tensor(faces).long()

    def measure(self, people):
        pelvis, vertices = stack_rows(people, 'pelvis', (3, )).double(), self.vertices(people).double()
        joints = torch.cat([torch.as_tensor(group.smpl_joints).double() if 'smpl_joints' in group else
                            pelvis.new_full((len(group), 24, 3), torch.nan) for group in people])
        joints = torch.cat([pelvis[:, None], joints[:, 1:]], 1)
        finite = vertices.isfinite().all(-1).all(-1) & pelvis.isfinite().all(-1)
        heights = self.heights(people).double()
        feet, upright = _lowest(vertices, heights)
        for foot in FOOT_JOINTS:
            joints[:, foot] = torch.where(joints[:, foot].isfinite(), joints[:, foot], feet)
        reach = leg_reach(joints)
        return Measures(heights, joints, pelvis[:, 2], reach.where(reach.isfinite(), upright[:, None]), finite)

    def heights(self, people):
        return stack_rows(people, 'heights')

    def vertices(self, people):
        count = max((group.vertices.shape[1] for group in people if 'vertices' in group), default=0)
        return stack_rows(people, 'vertices', (count, 3))

    def placed(self, people, heights, scale, height_class, focal_factor=None, sizes=None, shifts=None):
        sizes, pelvis = scale if sizes is None else sizes, stack_rows(people, 'pelvis', (3, ))
        goal = pelvis * scale[:, None]
        if shifts is not None:
            goal[:, :2] += shifts * goal[:, 2:]
        if focal_factor is not None:
            goal = goal * torch.stack([torch.ones_like(scale), torch.ones_like(scale), focal_factor], -1)
        moved = {name: ((values.double() - pelvis[:, None]) * sizes[:, None, None] + goal[:, None]).to(values.dtype)
                 for name, values in self._points(people).items()}
        if people and all('transl' in group for group in people):
            moved['transl'] = stack_rows(people, 'transl', (3, )) + (goal - pelvis).to(pelvis.dtype)
        grown = stack_rows(people, 'mesh_scales', fill=1., device=pelvis.device) * sizes
        return dict(moved, pelvis=goal.to(pelvis.dtype), heights=(self.heights(people) * sizes).to(pelvis.dtype),
                    mesh_scales=grown.to(pelvis.dtype))

    def _points(self, people):
        """Fields of points, (M, *, 3), that move with a mesh."""
        points = dict(vertices=self.vertices(people))
        if any('smpl_joints' in group for group in people):
            points['smpl_joints'] = stack_rows(people, 'smpl_joints', (24, 3))
        return points


def leg_reach(joints):
    """:attr:`Measures.leg_reach` (M, 2) of skeletons (M, 24, 3)."""
    hip, knee, ankle = (joints[:, pair] for pair in LEG_JOINTS)
    length = (knee - hip).norm(dim=-1) + (ankle - knee).norm(dim=-1)
    down = torch.nn.functional.normalize(joints[:, PELVIS] - joints[:, NECK], dim=-1)
    return ((ankle - hip) * down[:, None]).sum(-1) / length.clamp(min=1e-6)


def _lowest(vertices, heights):
    """Where a foot's ball would be (M, 3), m, of meshes (M, V, 3) that stand, and how upright they are (M): how high in
    the picture over how tall."""
    y = vertices[..., 1]
    if not y.shape[1]:
        return vertices.new_zeros(len(y), 3), torch.ones_like(heights)
    low = (y > y.amax(1, keepdim=True) - LOWEST * heights[:, None]).double()
    feet = (vertices * low[..., None]).sum(1) / low.sum(1, keepdim=True).clamp(min=1)
    feet = feet - torch.stack([torch.zeros_like(heights), BALL * heights, torch.zeros_like(heights)], -1)
    return feet, (y.amax(1) - y.amin(1)) / heights


def stack_rows(people, name, row=(), fill=None, device=None):
    """One field of the people of several images, (M, *row), at least float32.

    ``fill`` is the value, on ``device``, for images without the field; None makes its absence an error.
    """
    rows = []
    for group in people:
        if name in group:
            rows.append(torch.as_tensor(group[name]))
        elif fill is not None:
            rows.append(torch.full((len(group), *row), fill, device=device))
        elif len(group):
            raise ValueError(f'DTO needs the field {name!r} of pred_instances; present: {", ".join(group.keys())}')
    if not rows:
        return torch.zeros(0, *row)
    return torch.cat([rows[0].new_zeros(0, *row, dtype=torch.float32), *rows])
