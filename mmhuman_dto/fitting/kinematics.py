"""Joints of posed bodies without their vertices, and how they move with every parameter.

A joint regressed from the vertices of a skinned body without pose correctives is linear in the bones' rotations:
k_j = P + sum_b G_b d_jb(betas), where P is the pelvis, G_b the rotation of bone b in camera space and d_jb, linear in
betas, what hangs on that bone: the joint's own vertices, and the bones that follow in its chain.
"""
from typing import NamedTuple

import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS, pick_rows
from mmhuman_dto.geometry import axis_angle_to_matrix

#: A joint tells how a bone is turned that it hangs on by so much, m.
TELLING = .05


class FitState(NamedTuple):
    """Parameters of N bodies.

    Attributes:
        rotations: (N, K, 3, 3) of each bone relative to its parent; the root's is relative to the camera.
        betas: (N, B).
        pelvis: (N, 3) x / z, y / z and log z of the pelvis, z in m, camera frame.
    """
    rotations: torch.Tensor
    betas: torch.Tensor
    pelvis: torch.Tensor

    @property
    def position(self):
        """(N, 3) the pelvis, m, camera frame."""
        depth = self.pelvis[:, 2:].exp()
        return torch.cat([self.pelvis[:, :2] * depth, depth], -1)

    def moved(self, step):
        """After a step (N, 3 K + B + 3): rotations turned on the right, the rest added."""
        bones = self.rotations.shape[1]
        turn, betas, pelvis = step.split([3 * bones, self.betas.shape[1], 3], 1)
        turn = axis_angle_to_matrix(turn.unflatten(1, (bones, 3)))
        return FitState(self.rotations @ turn, self.betas + betas, self.pelvis + pelvis)

    def resized(self, betas, log_ratio):
        """The same people of other betas, farther away by a factor of logarithm (N), as large in the picture."""
        pelvis = torch.cat([self.pelvis[:, :2], self.pelvis[:, 2:] + log_ratio[:, None]], 1)
        return FitState(self.rotations, betas, pelvis)

    def rows(self, index):
        """The bodies of an index (M,)."""
        return FitState(*(field[index] for field in self))

    @classmethod
    def cat(cls, states):
        """The bodies of one state after those of the other."""
        return cls(*map(torch.cat, zip(*states)))


class JointPlaces(NamedTuple):
    """Joints (N, J, 3) relative to the pelvis, m, and their derivatives by rotations (N, J, 3, 3 K) and betas."""
    joints: torch.Tensor
    by_rotations: torch.Tensor
    by_betas: torch.Tensor


class JointTables:
    """A body model's joints of one set, as tables over its bones.

    Exact for bodies without pose correctives (OpenBody: 1e-6 m). With them (SMPL, SMPL-X) joints that are regressed
    from vertices are approximate, by a few mm in bent poses; kinematic joints are exact.

    Args:
        body_model: :class:`mmhuman_dto.body_models.base.BodyModel`.
        joint_set: name of a joint set, or None for the model's kinematic joints.
        points: (S,) vertices that follow the joints as such.
        hips: part of the way to the shoulder of their side that the picture's hips lie above the model's.
        dtype, device: of the tables.

    Attributes:
        rest_pelvis: (B + 1, 3): the pelvis at rest for each coefficient, last the constant.
    """

    def __init__(self, body_model, joint_set='coco17', hips=0., points=(), dtype=torch.float64, device='cpu'):
        template, dirs, weights, rest, parents = _skinning(body_model)
        own, mass = _own_parts(body_model, joint_set, template, dirs, weights, rest)
        if len(points):
            more, more_mass = _parts_of_vertices(points, template, dirs, weights)
            own, mass = torch.cat([own, more], 1), torch.cat([mass, more_mass])
        bones = len(parents)
        descends = torch.eye(bones, dtype=torch.float64)
        for bone in range(1, bones):
            descends[bone] += descends[parents[bone]]
        #: descends[b, a]: whether bone b is bone a or follows it.
        offsets = torch.cat([rest[:, :1] * 0, rest[:, 1:] - rest[:, parents[1:]]], 1)
        table = own - mass[None, :, :, None] * rest[:, None]
        through = mass @ descends  # (J, K) how much of each joint hangs on a bone or what follows it
        for bone in range(1, bones):
            table[:, :, parents[bone]] += through[None, :, bone, None] * offsets[:, None, bone]
        if hips:
            names = JOINT_SETS[joint_set].names
            for side in ('left', 'right'):
                hip, shoulder = (names.index(f'{side}_{name}') for name in ('hip', 'shoulder'))
                table[:, hip] = torch.lerp(table[:, hip], table[:, shoulder], hips)
        self.num_joints, self.num_bones, self.num_betas = table.shape[1], bones, table.shape[0] - 1
        place = dict(dtype=dtype, device=device)
        self.table = table.to(**place)  # (B + 1, J, K, 3)
        # (3 K, J (B + 1)): the same for one product.
        self._flat = self.table.permute(2, 3, 1, 0).reshape(3 * bones, -1).contiguous()
        self._descends = descends.to(**place)
        self.rest_pelvis = rest[:, 0].to(**place)
        self._levels = _levels(parents)

    def told(self, seen):
        """(N, K) whether any of the joints that are ``seen`` (N, J) bool tells how a bone is turned."""
        return (seen[:, :, None] & (self.table[-1].norm(dim=-1) > TELLING)).any(1)

    def state(self, pose, betas, transl):
        """:class:`FitState` of bodies: pose (N, K, 3) rad, betas (N, B), transl (N, 3) m, camera frame."""
        pelvis = transl + self._rest_pelvis_of(betas)
        place = torch.cat([pelvis[:, :2] / pelvis[:, 2:], pelvis[:, 2:].log()], 1)
        return FitState(axis_angle_to_matrix(pose), betas, place)

    def transl(self, state):
        """transl (N, 3) m, camera frame, of bodies."""
        return state.position - self._rest_pelvis_of(state.betas)

    def _rest_pelvis_of(self, betas):
        return betas @ self.rest_pelvis[:-1] + self.rest_pelvis[-1]

    def world(self, rotations):
        """Rotations (N, K, 3, 3) of the bones in camera space."""
        world = torch.empty_like(rotations)
        world[:, 0] = rotations[:, 0]
        for bones, parents in self._levels:
            world[:, bones] = world[:, parents] @ rotations[:, bones]
        return world

    def joints(self, state):
        """Joints (N, J, 3), m, camera frame."""
        parts = self._products(self.world(state.rotations))
        return self._combine(parts, state.betas) + state.position[:, None]

    def places(self, state):
        """:class:`JointPlaces` of bodies."""
        world = self.world(state.rotations)
        size, bones = len(world), self.num_bones
        parts = self._products(world)
        shape = (state.betas @ self.table[:-1].flatten(1) + self.table[-1].flatten()).view(
            size, self.num_joints, bones, 3)
        hanging = torch.einsum('nbxy,njby->njxb', world, shape) @ self._descends  # (N, J, 3, K)
        axes = world.permute(0, 2, 1, 3)[:, None]  # (N, 1, 3, K, 3): columns are the bones' axes
        turned = torch.linalg.cross(axes.expand(size, self.num_joints, 3, bones, 3),
                                    hanging[..., None].expand(size, self.num_joints, 3, bones, 3), dim=2)
        return JointPlaces(self._combine(parts, state.betas), turned.flatten(3), parts[..., :-1].transpose(1, 2))

    def _products(self, world):
        """(N, 3, J, B + 1)."""
        flat = world.transpose(1, 2).flatten(2)
        return (flat @ self._flat).view(len(world), 3, self.num_joints, self.num_betas + 1)

    def _combine(self, parts, betas):
        return ((parts[..., :-1] @ betas[:, None, :, None])[..., 0] + parts[..., -1]).transpose(1, 2)


def _skinning(body_model):
    """Template (V, 3), shape directions (B, V, 3), weights (V, K), rest joints (B + 1, K, 3) and parents of a model."""
    wide = [body_model.template.T, body_model.shape_dirs.transpose(1, 2), body_model.skin_weights.T,
            torch.cat([body_model.joint_dirs, body_model.joint_template[None]])]
    return (*(value.detach().cpu().double() for value in wide), [-1, *body_model.bone_parents.tolist()])


def _own_parts(body_model, joint_set, template, dirs, weights, rest):
    """Each joint's own vertices by bone: sum of weighted rest vertices (B + 1, J, K, 3) and of weights (J, K)."""
    kinematic = rest.shape[1]
    if joint_set in body_model.regressor_names:
        matrix = getattr(body_model, f'regressor_{joint_set}').detach().cpu().double()
        kept = matrix.any(0).nonzero()[:, 0]
        matrix, meshes = matrix[:, kept], torch.cat([dirs[:, kept], template[None, kept]])
        mass = matrix @ weights[kept]
        return torch.einsum('jv,vk,svc->sjkc', matrix, weights[kept], meshes), mass
    names = [*range(kinematic)] if joint_set is None else pick_rows(body_model.joint_names, joint_set)
    # Bones of the public joints, which are others than the first where a body has bones of face and hands.
    public = body_model.public_joints(torch.arange(kinematic).view(1, -1, 1)).flatten().tolist()
    bones = names if joint_set is None else public
    own, mass = rest.new_zeros(len(rest), len(names), kinematic, 3), rest.new_zeros(len(names), kinematic)
    for row, joint in enumerate(names):
        if joint_set is None or joint < len(public):
            bone = bones[joint]
            mass[row, bone], own[:, row, bone] = 1, rest[:, bone]
        else:
            vertex = body_model.joint_vertices[joint - len(public)].cpu()
            own[:, row:row + 1], mass[row:row + 1] = _parts_of_vertices([vertex], template, dirs, weights)
    return own, mass


def _parts_of_vertices(vertices, template, dirs, weights):
    """:func:`_own_parts` of vertices (S,) that are joints as they are."""
    vertices = torch.as_tensor(vertices, dtype=torch.long)
    meshes = torch.cat([dirs[:, vertices], template[None, vertices]])
    return weights[vertices][None, :, :, None] * meshes[:, :, None], weights[vertices]


def _levels(parents):
    """Bones by their distance from the root, as (bones, parents) index lists."""
    depth = [0]
    for parent in parents[1:]:
        depth.append(depth[parent] + 1)
    levels = [[bone for bone, at in enumerate(depth) if at == level] for level in range(1, max(depth) + 1)]
    return [(bones, [parents[bone] for bone in bones]) for bones in levels]


def cross_matrix(vectors):
    """Matrices (*, 3, 3) of the cross product with vectors (*, 3) on the left."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def logarithm(rotations):
    """Axis-angle vectors (*, 3) of rotations (*, 3, 3), angles below pi."""
    vector = torch.stack([rotations[..., 2, 1] - rotations[..., 1, 2], rotations[..., 0, 2] - rotations[..., 2, 0],
                          rotations[..., 1, 0] - rotations[..., 0, 1]], -1) / 2
    sine = vector.norm(dim=-1)
    cosine = (rotations.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    angle = torch.atan2(sine, cosine)
    return vector * torch.where(sine > 1e-9, angle / sine.clamp(min=1e-9), 1.)[..., None]


def tangent_inverse(vectors):
    """How axis-angle vectors (*, 3) change as their rotation is turned on the right: (*, 3, 3), inverse right Jacobian.

    I + [v]/2 + (1/a^2 - (1 + cos a) / (2 a sin a)) [v]^2 (Sola et al., arXiv 1812.01537, eq. 144).
    """
    angle = vectors.norm(dim=-1).clamp(min=1e-4)
    factor = 1 / angle**2 - (1 + angle.cos()) / (2 * angle * angle.sin()).clamp(min=1e-9)
    skew = cross_matrix(vectors)
    identity = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return identity + skew / 2 + factor[..., None, None] * (skew @ skew)
