"""Posed bodies of any kind as fits see them: joints, surface, and which part of the body is where."""
from typing import NamedTuple

import torch
from scipy.spatial import cKDTree

from mmhuman_dto.body_models import SMPL_PARENTS
from mmhuman_dto.geometry.surfaces import distances_to_surface, vertex_normals

#: Nearest vertices among which the one that corresponds is looked for, and how much its normal must agree.
_CANDIDATES, _AGREES = 12, .3


class Posed(NamedTuple):
    """N posed bodies.

    Attributes:
        joints: (N, 24, 3) m, SMPL's, nan where the body lacks them. vertices: (N, V, 3) m. heights: (N) m, at rest.
        faces: (F, 3) int64. parts: (V,) SMPL's joint that each vertex mostly follows, or None.
    """
    joints: torch.Tensor
    vertices: torch.Tensor
    heights: torch.Tensor
    faces: torch.Tensor
    parts: torch.Tensor | None

    def moved(self, shift):
        """Moved by (N, 3) m."""
        return self._replace(joints=self.joints + shift[:, None], vertices=self.vertices + shift[:, None])


class Errors(NamedTuple):
    """How far N bodies are from those that they stand for, mm: mean and largest of joints and of the surface, (N)."""
    joints: torch.Tensor
    joints_max: torch.Tensor
    surface: torch.Tensor
    surface_max: torch.Tensor


def pose_body(body, pose, betas, transl, chunk=16):
    """:class:`Posed` of a body's pose (N, P, 3) or MHR's (N, 204), betas (N, B) and transl (N, 3)."""
    with torch.no_grad():
        outputs = [body(*some) for some in zip(*(value.split(chunk) for value in (pose, betas, transl)))]
        heights = body.height(betas, pose) if pose.ndim == 2 else body.height(betas)
    joints, vertices = torch.cat([one.joints[:, :24] for one in outputs]), torch.cat([one.vertices for one in outputs])
    return Posed(joints.double(), vertices.double(), heights.double(), body.faces.cpu(), parts_of(body))


def parts_of(body):
    """(V,) SMPL's joint, 0..23, that each vertex of a body mostly follows; None where it does not tell."""
    if not hasattr(body, 'skin_weights'):
        return body.vertex_parts
    parents, public = [-1, *body.bone_parents.tolist()], public_bones(body)
    parts = []
    for bone in range(len(parents)):
        while bone not in public:
            bone = parents[bone]
        parts.append(public.index(bone))
    return torch.tensor(parts)[body.skin_weights.argmax(0).cpu()]


def public_bones(body_model):
    """Bones (24) whose joints are SMPL's, of all of a :class:`~mmhuman_dto.body_models.BodyModel`."""
    bones = len(body_model.bone_parents) + 1
    return body_model.public_joints(torch.arange(bones).view(1, -1, 1)).flatten().tolist()


def nearest_surface(points, normals, parts, body, normals_of_body, far):
    """Where points (N, S, 3) of bodies meet the surfaces of other :class:`Posed` bodies.

    The nearest vertex counts that follows the same part of the body, or a neighbour of it, and faces the same way.

    Args:
        normals: (N, S, 3) of the points. parts: (S,) of the points, or None. normals_of_body: (N, V, 3).
        far: how far the surface may be, in parts of the height.

    Returns:
        tuple: places (N, S, 3), nan where there is none near, and the surface's normals there (N, S, 3).
    """
    neighbours = _neighbours()
    places, facing = torch.full_like(points, torch.nan), torch.zeros_like(points)
    for row in range(len(points)):
        tree = cKDTree(body.vertices[row].numpy())
        away, near = (torch.from_numpy(value) for value in tree.query(points[row].numpy(), k=_CANDIDATES))
        agreement = (normals_of_body[row][near] * normals[row][:, None]).sum(-1)
        fits = (away < far * body.heights[row]) & (agreement > _AGREES)
        if parts is not None and body.parts is not None:
            fits &= neighbours[parts[:, None], body.parts[near]]
        best = fits.double().argmax(1)  # the first, which is the nearest
        chosen = near[torch.arange(len(near)), best]
        found = fits.any(1)
        places[row, found], facing[row, found] = body.vertices[row][chosen[found]], normals_of_body[row][chosen[found]]
    return places, facing


def errors_between(made, goal, exact=None):
    """:class:`Errors` of ``made`` bodies against those they stand for; ``exact``: (N, V, 3), their own vertices."""
    joints = 1000 * (made.joints - goal.joints).norm(dim=-1)
    known = torch.isfinite(joints)
    if exact is not None:
        surface = 1000 * (made.vertices - exact).norm(dim=-1)
    else:
        surface = 1000 * torch.stack([distances_to_surface(points, vertices, goal.faces)
                                      for points, vertices in zip(made.vertices, goal.vertices)])
    return Errors(joints.nanmean(1), torch.where(known, joints, 0.).amax(1), surface.mean(1), surface.amax(1))


def normals_of(posed):
    """Unit normals (N, V, 3) of :class:`Posed` bodies."""
    return vertex_normals(posed.vertices, posed.faces)


def _neighbours():
    """(24, 24) bool, which parts of the body are the same or next to each other."""
    near = torch.eye(24, dtype=torch.bool)
    for part, parent in enumerate(SMPL_PARENTS[1:], 1):
        near[part, parent] = near[parent, part] = True
    return near
