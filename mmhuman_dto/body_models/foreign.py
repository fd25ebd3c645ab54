"""One interface for bodies of other packages, in their own parameters, axes and joints."""
import torch
from torch import nn

from .base import BodyModel, BodyOutput
from .joint_sets import JOINT_SETS, pick_rows


class ForeignBody(nn.Module):
    """A body that is not of the SMPL family: its meshes are measured, drawn, placed and converted.

    Its parameters are its own, so that no network or prior here poses it; DTO takes its meshes
    (:class:`mmhuman_dto.dto.MeshBodies`).

    Attributes:
        num_vertices, num_betas: sizes; betas are its parameters of shape.
        faces: (F, 3) int64.
        joint_names: SMPL's 24, by which ``joints`` are ordered.
        regressor_names: joint sets that have a vertex regressor.
    """

    joint_names = JOINT_SETS['smpl24'].names
    regressor_names = ()
    child_coefficient, knows_children, shape_space = None, False, None
    #: (V,) SMPL's joint, 0..23, that each vertex mostly follows; None where the body does not tell.
    vertex_parts = None

    check_meshes_of = classmethod(BodyModel.check_meshes_of.__func__)

    def forward(self, pose, betas, transl=None):
        """:class:`~.base.BodyOutput` of vertices (*, V, 3) and SMPL's 24 joints (*, 24, 3), nan for those that the body
        lacks, m, in the body's own axes (:meth:`to_camera`)."""
        raise NotImplementedError

    def height(self, betas):
        """Rest-pose height (*), m, of bodies with betas (*, B)."""
        raise NotImplementedError

    def smpl24(self, joints):
        """The body's own joints (*, K, 3), in its order, as SMPL's 24 (*, 24, 3), nan for those it lacks."""
        raise NotImplementedError

    def to_camera(self, points):
        """Points (*, 3) of the body's own axes in the camera frame (x right, y down, z forward), facing the camera."""
        raise NotImplementedError

    def regress(self, vertices, joint_set):
        """Joints (*, K, 3) of a set with a vertex regressor, from vertices (*, V, 3); KeyError where there is none."""
        if joint_set not in self.regressor_names:
            raise KeyError(f'{type(self).__name__} has no vertex regressor of joint set {joint_set!r}, it has '
                           f'{sorted(self.regressor_names)}; select_joints picks joints by name where it can')
        return getattr(self, f'regressor_{joint_set}') @ vertices

    def select_joints(self, output, joint_set):
        """Joints (*, K, 3) of a named set from a BodyOutput: by its regressor, else by name, nan for those it lacks."""
        if joint_set in self.regressor_names:
            return self.regress(output.vertices, joint_set)
        spare = output.joints.new_full((*output.joints.shape[:-2], 1, 3), torch.nan)
        missing = tuple(name for name in JOINT_SETS[joint_set].names if name not in self.joint_names)
        rows = [min(row, len(self.joint_names)) for row in pick_rows(self.joint_names + missing, joint_set)]
        return torch.cat([output.joints, spare], -2)[..., rows, :]

    def _check(self, name, value, row):
        """ValueError unless ``value`` is (*, row)."""
        if tuple(value.shape[-len(row):]) != row:
            raise ValueError(f'{type(self).__name__} takes {name} (*, {", ".join(map(str, row))}), '
                             f'got {tuple(value.shape)}')


def restored(lead, vertices, joints):
    """:class:`BodyOutput` whose one leading dimension is ``lead`` again."""
    return BodyOutput(*(value.reshape(*lead, *value.shape[1:]) for value in (vertices, joints)))
