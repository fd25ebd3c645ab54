"""A stand-in of MHR's TorchScript: its attributes, shapes, units and signature; its body is a rigid ellipsoid."""
import torch
from torch import nn

from mmhuman_dto.body_models.mhr import MHR_FILE

#: 32 x 576 points around and both ends' would be 18434; the grid below makes it 18439 with five spare points at an end.
_RINGS, _SEGMENTS, _SIZE = 32, 576, 18439
#: MHR's own names of the joints that a body has; the other 127 are fingers, twists and the face.
JOINTS = ('body_world', 'root', 'l_upleg', 'l_lowleg', 'l_foot', 'l_ball', 'r_upleg', 'r_lowleg', 'r_foot', 'r_ball',
          'c_spine0', 'c_spine1', 'c_spine2', 'c_spine3', 'l_clavicle', 'l_uparm', 'l_lowarm', 'l_wrist', 'l_middle1',
          'r_clavicle', 'r_uparm', 'r_lowarm', 'r_wrist', 'r_middle1', 'c_neck', 'c_head')


class _Mesh(nn.Module):

    def __init__(self, faces):
        super().__init__()
        self.register_buffer('faces', faces)


class _Skeleton(nn.Module):
    joint_names: list[str]

    def __init__(self, names):
        super().__init__()
        self.joint_names = names


class _Character(nn.Module):

    def __init__(self, faces, names):
        super().__init__()
        self.mesh, self.skeleton = _Mesh(faces), _Skeleton(names)


class _Body(nn.Module):
    """200 cm tall in y at zero parameters: identity[0] adds 10 % of width, scale[0] is log2 of the size."""

    def __init__(self, template, faces, joints, names):
        super().__init__()
        self.character_torch = _Character(faces, names)
        self.register_buffer('template', template)
        self.register_buffer('joints', joints)

    def forward(self, identity: torch.Tensor, parameters: torch.Tensor, face: torch.Tensor | None):
        size = torch.exp2(parameters[:, 136])[:, None, None]
        wide = torch.ones_like(self.template)[None] + .1 * identity[:, :1, None] * torch.tensor([1., 0., 0.])
        angle = parameters[:, 4]  # about y
        zero, one = torch.zeros_like(angle), torch.ones_like(angle)
        turn = torch.stack([angle.cos(), zero, angle.sin(), zero, one, zero, -angle.sin(), zero, angle.cos()], -1)
        turn = turn.view(-1, 3, 3).transpose(1, 2)
        place = parameters[:, None, :3] * 10
        vertices = (size * wide * self.template) @ turn + place
        joints = (size * self.joints[None]) @ turn + place
        rest = torch.zeros(joints.shape[0], joints.shape[1], 5)
        return vertices, torch.cat([joints, rest], -1)


def write_mhr(folder):
    """Write the file below ``folder``; gives its path."""
    ring = torch.linspace(-1, 1, _RINGS)
    around = torch.arange(_SEGMENTS) * (2 * torch.pi / _SEGMENTS)
    y, angle = torch.meshgrid(ring, around, indexing='ij')
    radius = (1 - (.99 * y)**2).sqrt()
    points = torch.stack([25 * radius * angle.cos(), 100 * y + 100, 15 * radius * angle.sin()], -1).flatten(0, 1)
    points = torch.cat([points, points[-1:].expand(_SIZE - len(points), 3)])
    row, column = torch.meshgrid(torch.arange(_RINGS - 1), torch.arange(_SEGMENTS), indexing='ij')
    here, beside = row * _SEGMENTS + column, row * _SEGMENTS + (column + 1) % _SEGMENTS
    faces = torch.cat([torch.stack([here, here + _SEGMENTS, beside], -1),
                       torch.stack([beside, here + _SEGMENTS, beside + _SEGMENTS], -1)]).flatten(0, 1)
    names = [*JOINTS, *(f'other{i}' for i in range(127 - len(JOINTS)))]
    joints = torch.rand(127, 3, generator=torch.Generator().manual_seed(0)) * 100
    path = folder / MHR_FILE
    torch.jit.script(_Body(points, faces, joints, names)).save(str(path))
    return path
