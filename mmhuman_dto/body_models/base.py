"""One interface for every parametric body: pose, betas, transl -> vertices and named joints."""
import copy
from typing import NamedTuple

import torch
from torch import nn

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.geometry.skeleton import Skeleton, Skin
from mmhuman_dto.registry import BODY_MODELS

from .joint_sets import JOINT_SETS, SMPL_PARENTS, pick_rows

#: Bodies whose zero-pose y coordinates are held at once while measuring heights.
_HEIGHT_CHUNK = 256


class BodyModelError(ValueError):
    """Meshes of one body model where another poses them, or a file of another body than the one asked for; the message
    names both and says what to do."""


class BodyOutput(NamedTuple):
    """A posed body, m, camera frame as pose and transl: vertices (*, V, 3), joints (*, J, 3) by ``joint_names``."""
    vertices: torch.Tensor
    joints: torch.Tensor


class BodyModel(nn.Module):
    """Linear blend skinning in SMPL's layout; subclasses only load data.

    Source: Loper et al., "SMPL: A Skinned Multi-Person Linear Model" (SIGGRAPH Asia 2015). Its data are non-persistent
    buffers: they move with ``.to(device)`` and never end up in a checkpoint.

    Args:
        template: (V, 3), m, zero-pose mesh at zero betas, y up.
        shape_dirs: (V, 3, B), m for one unit of each coefficient.
        skin_weights: (V, K), rows sum to 1.
        joint_regressor: (K, V), rest joints from the zero-pose mesh.
        parents: K integers, the root's (the first) is ignored, the others precede their joint.
        faces: (F, 3) integers.
        joint_vertices: J - 24 vertices that are joints too.
        joint_names: J names, the 24 kinematic joints first.
        pose_dirs: (V, 3, 9 (K - 1)) pose correctives, or None.
        child_coefficient: index of the child blend in betas, or None.
        regressors: ``{joint set: (rows, V)}`` vertex regressors of named joint sets.

    Attributes:
        num_betas, num_body_joints, num_vertices: sizes.
        faces: (F, 3) int64; parents: (24,) int64, SMPL's tree, the root's -1.
        joint_names: tuple of J; child_coefficient: index of the child blend in betas, or None.

    Raises:
        ValueError: data whose shapes disagree, with the name of the argument.
    """

    num_body_joints = 23
    #: Whether the last coefficient of betas is the blend to a child, whatever the arguments.
    knows_children = False
    #: Names of the bones of :meth:`skin`, and the gender of the body's data.
    bone_names, gender = JOINT_SETS['smpl24'].names, 'neutral'
    #: What a message says to those who give another pose.
    pose_hint = ''
    #: Bodies that name the same one mean the same by a pose, betas and transl, but for betas that one of them lacks.
    shape_space = None

    def __init__(self, *, template, shape_dirs, skin_weights, joint_regressor, parents, faces, joint_vertices,
                 joint_names, pose_dirs=None, child_coefficient=None, regressors=None):
        super().__init__()
        parents = torch.as_tensor(parents).long()
        template, shape_dirs, skin_weights, joint_regressor = (
            torch.as_tensor(x).double() for x in (template, shape_dirs, skin_weights, joint_regressor))
        size, bones = len(template), len(parents)
        for name, value, want in (('template', template, (size, 3)), ('shape_dirs', shape_dirs, (size, 3, '*')),
                                  ('skin_weights', skin_weights, (size, bones)),
                                  ('joint_regressor', joint_regressor, (bones, size))):
            _check_shape(name, value, want)
        self.num_vertices, self.num_betas = size, shape_dirs.shape[2]
        self.child_coefficient, self.joint_names = child_coefficient, tuple(joint_names)
        self._tree = [-1, *parents[1:].tolist()]
        self._buffer('bone_parents', parents[1:])
        self._buffer('template', template.T)
        self._buffer('shape_dirs', shape_dirs.permute(2, 1, 0))
        self._buffer('skin_weights', skin_weights.T)
        self._buffer('joint_template', joint_regressor @ template)
        self._buffer('joint_dirs', torch.einsum('kv,vcb->bkc', joint_regressor, shape_dirs))
        self._buffer('faces', torch.as_tensor(faces).long())
        self._buffer('parents', torch.tensor(SMPL_PARENTS))
        self._buffer('joint_vertices', torch.as_tensor(joint_vertices).long())
        self._buffer('pose_dirs', None)
        if pose_dirs is not None:
            pose_dirs = torch.as_tensor(pose_dirs)
            _check_shape('pose_dirs', pose_dirs, (size, 3, 9 * (bones - 1)))
            self._buffer('pose_dirs', pose_dirs.permute(2, 1, 0))
        self.regressor_names = tuple(regressors or ())
        for name, matrix in (regressors or {}).items():
            _check_shape(f'regressor {name}', torch.as_tensor(matrix), (len(JOINT_SETS[name].names), size))
            self._buffer(f'regressor_{name}', torch.as_tensor(matrix))

    def forward(self, pose, betas, transl=None):
        """Pose a body.

        Args:
            pose: (*, 24, 3) or (*, 72), rad, axis-angle, root first.
            betas: (*, B) shape coefficients.
            transl: (*, 3), m, or None for zero. Leading shapes broadcast and may be empty.

        Returns:
            :class:`BodyOutput`; ValueError for a shape the model doesn't take.
        """
        pose, betas, transl, lead = self._flatten(pose, betas, transl)
        rotations = self.bone_rotations(pose)
        rest = self._rest_joints(betas)
        world = self._world_transforms(rotations, rest)
        shift = world[:, :, :3, 3:] - world[:, :, :3, :3] @ rest[..., None]
        relative = torch.cat([world[:, :, :3, :3], shift], -1)
        # Coordinates before vertices, so that every product runs over contiguous rows of vertices.
        blended = (relative.flatten(2).transpose(1, 2) @ self.skin_weights).view(-1, 3, 4, self.num_vertices)
        mesh = self._unskinned(betas, rotations)
        vertices = (blended[:, :, :3] * mesh[:, None]).sum(2) + blended[:, :, 3] + transl[..., None]
        vertices = vertices.transpose(1, 2).contiguous()
        kinematic = self.public_joints(world[:, :, :3, 3]) + transl[:, None]
        joints = torch.cat([kinematic, vertices[:, self.joint_vertices]], 1)
        return BodyOutput(vertices.view(*lead, *vertices.shape[1:]), joints.view(*lead, *joints.shape[1:]))

    def skeleton(self, pose, betas, transl=None):
        """Kinematic joints (*, 24, 3), m, without the vertices; arguments as of :meth:`forward`."""
        pose, betas, transl, lead = self._flatten(pose, betas, transl)
        world = self._world_transforms(self.bone_rotations(pose), self._rest_joints(betas))
        joints = self.public_joints(world[:, :, :3, 3]) + transl[:, None]
        return joints.view(*lead, *joints.shape[1:])

    @torch.no_grad()
    def skin(self, pose, betas, transl):
        """One person in T frames as a :class:`~mmhuman_dto.geometry.skeleton.Skin`: bones, and a mesh at rest.

        Args:
            pose: (T, 24, 3), rad, as of :meth:`forward`.
            betas: (B) shape coefficients.
            transl: (T, 3), m.
        """
        pose, betas, transl, _ = self._flatten(pose, betas, transl)
        rotations, rest = self.bone_rotations(pose), self._rest_joints(betas[:1])[0]
        at_rest = self._unskinned(betas[:1], torch.eye(3).to(rotations).expand_as(rotations[:1]))
        bent = None if self.pose_dirs is None else _array((self._unskinned(betas, rotations) - at_rest).mT)
        skeleton = Skeleton(self.bone_names, tuple(self._tree), *map(_array, (rest, rotations, rest[0] + transl)))
        return Skin(skeleton, _array(at_rest[0].T), _array(self.skin_weights.T), bent)

    def height(self, betas):
        """Height (*), m, of bodies with betas (*, B): max y - min y of the zero-pose mesh."""
        flat = self._checked_betas(betas).reshape(-1, self.num_betas)
        template, dirs = self.template[1], self.shape_dirs[:, 1]
        extents = [ys.amax(1) - ys.amin(1)
                   for ys in (torch.addmm(template, part, dirs) for part in flat.split(_HEIGHT_CHUNK))]
        return torch.cat(extents).view(betas.shape[:-1])

    def regress(self, vertices, joint_set):
        """Joints (*, K, 3) of a set with a vertex regressor, from vertices (*, V, 3); KeyError where there is none."""
        if joint_set not in self.regressor_names:
            raise KeyError(f'{type(self).__name__} has no vertex regressor of joint set {joint_set!r}, '
                           f'it has {sorted(self.regressor_names)}. {self._regressor_hint(joint_set)}'.rstrip())
        return getattr(self, f'regressor_{joint_set}') @ vertices

    def select_joints(self, output, joint_set):
        """Joints (*, K, 3) of a named set from a BodyOutput: by its regressor, else by name; KeyError without both."""
        if joint_set in self.regressor_names:
            return self.regress(output.vertices, joint_set)
        return pick_joints(output.joints, pick_rows(self.joint_names, joint_set))

    def thinned(self, joint_set):
        """A light copy that has only the vertices its joints and one joint set need.

        ``select_joints(copy(pose, betas, transl), name)`` is that of the whole body, many times faster. The copy's
        vertices, faces and heights are not a body's.
        """
        keep = torch.cat([self.joint_vertices, self._vertices_of(joint_set)]).unique()
        thin = copy.copy(self)
        thin._buffers = {name: value[..., keep].contiguous() if value is not None and
                         value.shape[-1:] == (self.num_vertices, ) else value for name, value in self._buffers.items()}
        thin.joint_vertices = torch.searchsorted(keep, self.joint_vertices)
        thin.num_vertices = len(keep)
        return thin

    def bone_rotations(self, pose):
        """Local rotations (N, K, 3, 3) of all bones from SMPL's pose (N, 24, 3)."""
        return axis_angle_to_matrix(pose)

    def public_joints(self, bone_joints):
        """The 24 public joints of all bones' joints (N, K, 3)."""
        return bone_joints

    def pose_of(self, rotations):
        """The pose (N, P, 3), rad, whose :meth:`bone_rotations` are (N, K, 3, 3), as near as it can say them."""
        return matrix_to_axis_angle(rotations)

    @classmethod
    def check_meshes_of(cls, name, where):
        """Raise :class:`BodyModelError` where meshes of the body model that configs call ``name`` are not this one's.

        ``name`` is as in a table's ``schema.json``, None or '' where nobody says; ``where``: whose meshes they are.
        """
        other = name and BODY_MODELS.get(name)
        if name and _shape_space(other) != _shape_space(cls):
            raise BodyModelError(
                f'{where}: its meshes are of {name}, this body model is {cls.__name__}, for which the same numbers are '
                f'another body. Use body_model=dict(type={name!r}) throughout, convert the meshes (ConvertMeshes), '
                'or learn their joints alone; see docs/datasets.md, "Meshes of another body model"')

    def _vertices_of(self, joint_set):
        """Vertices (M,) that a joint set is made of: those that would move it."""
        with torch.enable_grad():
            vertices = self.template.new_zeros(self.num_vertices, 3, requires_grad=True)
            bones = vertices.new_zeros(len(self.joint_names) - len(self.joint_vertices), 3)
            output = BodyOutput(vertices, torch.cat([bones, vertices[self.joint_vertices]]))
            joints = self.select_joints(output, joint_set)
            # Unequal factors, so that a vertex's part in one joint can't cancel that in another.
            factors = torch.arange(1, joints.numel() + 1, device=joints.device).sqrt().view_as(joints)
            gradient, = torch.autograd.grad((joints * factors).sum() + 0 * vertices.sum(), vertices)
        return gradient.any(-1).nonzero()[:, 0]

    def _regressor_hint(self, joint_set):
        """What a user can do about a missing regressor."""
        return ''

    def _buffer(self, name, value):
        if value is not None and value.is_floating_point():
            value = value.float()
        self.register_buffer(name, value if value is None else value.contiguous(), persistent=False)

    def _checked_betas(self, betas):
        if betas.shape[-1:] != (self.num_betas, ):
            raise ValueError(f'{type(self).__name__} takes betas (*, {self.num_betas}), got {tuple(betas.shape)}')
        return betas.to(self.template)

    def _flatten(self, pose, betas, transl):
        """Arguments with one leading dimension N, and the leading shape to restore."""
        pose_size = 3 * (self.num_body_joints + 1)
        if pose.shape[-1:] != (pose_size, ):
            if pose.shape[-2:] != (pose_size // 3, 3):
                raise ValueError(f'{type(self).__name__} takes pose (*, {pose_size // 3}, 3) or (*, {pose_size}), '
                                 f'got {tuple(pose.shape)}{self.pose_hint}')
            pose = pose.flatten(-2)
        betas = self._checked_betas(betas)
        transl = self.template.new_zeros(3) if transl is None else transl
        if transl.shape[-1:] != (3, ):
            raise ValueError(f'{type(self).__name__} takes transl (*, 3), got {tuple(transl.shape)}')
        lead = torch.broadcast_shapes(pose.shape[:-1], betas.shape[:-1], transl.shape[:-1])
        pose, betas, transl = (x.to(self.template).expand(*lead, -1).reshape(-1, x.shape[-1])
                               for x in (pose, betas, transl))
        return pose.view(-1, pose_size // 3, 3), betas, transl, lead

    def _rest_joints(self, betas):
        return self.joint_template + torch.einsum('nb,bkc->nkc', betas, self.joint_dirs)

    def _unskinned(self, betas, rotations):
        """Zero-pose meshes (N, 3, V) with shape and pose correctives."""
        mesh = torch.addmm(self.template.flatten(), betas, self.shape_dirs.flatten(1))
        if self.pose_dirs is not None:
            bend = rotations[:, 1:] - torch.eye(3, dtype=mesh.dtype, device=mesh.device)
            mesh = torch.addmm(mesh, bend.flatten(1), self.pose_dirs.flatten(1))
        return mesh.view(-1, 3, self.num_vertices)

    def _world_transforms(self, rotations, rest):
        """Transforms (N, K, 4, 4) of all bones, root first, from local rotations and rest joints (N, K, 3)."""
        offsets = torch.cat([rest[:, :1], rest[:, 1:] - rest[:, self.bone_parents]], 1)
        last_row = torch.eye(4, dtype=rotations.dtype, device=rotations.device)[3]
        bottom = last_row.expand(*rotations.shape[:2], 1, 4)
        local = torch.cat([torch.cat([rotations, offsets[..., None]], -1), bottom], 2).unbind(1)
        world = [local[0]]
        for parent, transform in zip(self._tree[1:], local[1:]):
            world.append(world[parent] @ transform)
        return torch.stack(world, 1)


def _shape_space(body_model):
    return getattr(body_model, 'shape_space', None) or body_model


def pick_joints(joints, rows):
    """Joints (*, K, 3) in the given rows (K numbers) of (*, J, 3); the host does not wait for their device."""
    return joints.index_select(-2, torch.tensor(rows).to(joints.device, non_blocking=True))


def _array(tensor):
    return tensor.double().cpu().numpy()


def _check_shape(name, value, want):
    fits = value.ndim == len(want) and all(w in ('*', have) for have, w in zip(value.shape, want))
    if not fits:
        raise ValueError(f'body model {name} has shape {tuple(value.shape)}, expected {want}')
