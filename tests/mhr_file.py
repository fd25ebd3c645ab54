"""A stand-in of MHR's TorchScript: its attributes, shapes, units and signature; its body is a rigid ellipsoid."""
import torch
from torch import nn

from mmhuman_dto.body_models.mhr import MHR_FILE

#: Rings and points around; what is left to MHR's number of vertices lies at the last point.
_RINGS, _SEGMENTS, _SIZE = 32, 576, 18439
#: Where MHR's skeleton has the joints of a body, by its own names; the other 127 are twists, fingers and the face.
JOINTS = dict(
    root=1, l_upleg=2, l_lowleg=3, l_foot=4, l_ball=8, r_upleg=18, r_lowleg=19, r_foot=20, r_ball=24, c_spine0=34,
    c_spine1=35, c_spine2=36, c_spine3=37, r_clavicle=38, r_uparm=39, r_lowarm=40, r_wrist=42, r_middle1=52,
    l_clavicle=74, l_uparm=75, l_lowarm=76, l_wrist=78, l_middle1=88, c_neck=110, c_head=113)


class _Mesh(nn.Module):

    def __init__(self, faces):
        super().__init__()
        self.register_buffer('faces', faces)


class _Character(nn.Module):

    def __init__(self, faces):
        super().__init__()
        self.mesh = _Mesh(faces)


class _Body(nn.Module):
    """200 cm tall in y at zero parameters: identity[0] adds 10 % of width, scale[0] is log2 of the size; the last
    of the pose makes it stoop."""

    def __init__(self, template, faces, joints):
        super().__init__()
        self.character_torch = _Character(faces)
        self.register_buffer('template', template)
        self.register_buffer('joints', joints)

    def forward(self, identity: torch.Tensor, parameters: torch.Tensor, face: torch.Tensor | None):
        size = torch.exp2(parameters[:, 136])[:, None, None] * (1 - .1 * parameters[:, 135, None, None])
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
    joints = torch.arange(127.)[:, None] + torch.tensor([0., 200, 400])  # cm, each another place
    path = folder / MHR_FILE
    torch.jit.script(_Body(points, faces, joints)).save(str(path))
    return path
