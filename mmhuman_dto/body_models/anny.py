"""Anny, NAVER's body of all ages, through its package (code Apache-2.0, body data CC0; the extra ``anny``)."""
import copy

import torch

from mmhuman_dto.fileio.packages import require
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.registry import BODY_MODELS

from .foreign import ForeignBody, restored
from .joint_sets import JOINT_SETS

#: SMPL's joint -> anny's bone whose head is its centre; of feet and hands, the heads of toes and fingers.
JOINT_BONES = {
    'pelvis': ('root',), 'hip': ('upperleg01',), 'spine1': ('spine04',), 'knee': ('lowerleg01',),
    'spine2': ('spine03',), 'ankle': ('foot',), 'spine3': ('spine02',), 'foot': tuple(f'toe{i}-1' for i in range(1, 6)),
    'neck': ('neck01',), 'collar': ('clavicle',), 'head': ('head',), 'shoulder': ('upperarm01',),
    'elbow': ('lowerarm01',), 'wrist': ('wrist',), 'hand': tuple(f'finger{i}-1' for i in range(2, 6)),
}
#: Bodies whose rest vertices are held at once.
_CHUNK = 32


@BODY_MODELS.register_module()
class Anny(ForeignBody):
    """Anny: shapes by phenotypes, poses by a rotation of each bone; z up at rest, facing -y, m.

    ``betas`` are the phenotypes gender (0 male), age (-1/3 newborn, 0 baby, 1/3 child, 2/3 young, 1 old), muscle,
    weight, height and proportions, each 0..1, then with ``phenotypes='all'`` cupsize, firmness, african, asian,
    caucasian. Of betas with more than the model has, the first are taken, as Multi-HMR does.

    ``pose`` is axis-angle (*, J, 3), rad, of its J bones, the root's to the frame that the mesh is wanted in;
    ``transl`` is where the root joint is. Poses in results are in the camera frame, so their meshes are, too.

    Args:
        rig: 'anny', 104 bones, or 'makehuman', the 163 of Multi-HMR's and Anny-Fit's results.
        pose_parameterization: the package's word for what rotations are relative to; that of those results,
            root_relative_world in its old versions, is 'local-bone' with rig 'makehuman'.
        phenotypes: 'default', the first six, or 'all'.

    Raises:
        ImportError: no package anny; names the command.
    """

    regressor_names = ('coco17', )
    knows_children = True
    #: Least value of an age; of the other phenotypes it is 0.
    least = torch.tensor([0., -1 / 3, *[0.] * 9])
    #: Bones that stand for one of SMPL's joints each.
    main_bones = tuple(heads[0] + side for heads in JOINT_BONES.values() if len(heads) == 1
                       for side in ('', '.L', '.R'))

    def __init__(self, rig='anny', pose_parameterization='local-bone', phenotypes='default'):
        super().__init__()
        anny = require('anny', 'anny', 'docs/bodies.md')
        model = anny.Anny(rig=rig, pose_parameterization=pose_parameterization, phenotypes=phenotypes,
                          skinning_method='lbs')
        points = anny.KeypointsRegressor.coco(model, list(JOINT_SETS['coco17'].names))
        self.model = model.float().requires_grad_(False)
        self.bone_names, self.phenotypes = tuple(model.bone_labels), tuple(model.phenotype_labels)
        self.num_betas, self.num_vertices = len(self.phenotypes), len(model.template_vertices)
        self.register_buffer('faces', model.faces.long(), persistent=False)
        self.register_buffer('regressor_coco17', points.regression_weights.float(), persistent=False)
        self.register_buffer('regressor_smpl24', bone_means(self.bone_names), persistent=False)

    @property
    def mean_betas(self):
        """(B,) an average adult's phenotypes."""
        betas = torch.full((self.num_betas, ), .5)
        betas[1] = 2 / 3
        return betas

    def pose_of(self, rotations):
        """The pose (N, J, 3), rad, of rotations (N, J, 3, 3)."""
        return matrix_to_axis_angle(rotations)

    def forward(self, pose, betas, transl=None):
        self._check('pose', pose, (len(self.bone_names), 3))
        transl = pose.new_zeros(3) if transl is None else transl
        self._check('transl', transl, (3, ))
        betas = self._phenotypes(betas)
        lead = torch.broadcast_shapes(pose.shape[:-2], betas.shape[:-1], transl.shape[:-1])
        pose, betas, transl = (value.expand(*lead, *value.shape[value.ndim - rank:]).reshape(-1, *value.shape[-rank:])
                               for value, rank in ((pose, 2), (betas, 1), (transl, 1)))
        bones = torch.eye(4).to(betas).repeat(*pose.shape[:2], 1, 1)
        bones[:, :, :3, :3] = axis_angle_to_matrix(pose).to(betas)
        bones[:, 0, :3, 3] = transl.to(betas)
        if not len(bones):  # which the package does not take
            return restored(lead, bones.new_zeros(0, self.num_vertices, 3), bones.new_zeros(0, 24, 3))
        output = self.model(bones, phenotype_kwargs=betas)
        return restored(lead, output['vertices'], self.smpl24(output['bone_poses'][:, :, :3, 3]))

    def height(self, betas):
        betas = self._phenotypes(betas)
        rest = (self.model(phenotype_kwargs=part)['rest_vertices'][..., 2]
                for part in betas.reshape(-1, self.num_betas).split(_CHUNK) if len(part))
        heights = [z.amax(1) - z.amin(1) for z in rest]
        return torch.cat([betas.new_zeros(0), *heights]).view(betas.shape[:-1])

    def smpl24(self, joints):
        self._check('joints', joints, (len(self.bone_names), 3))
        return self.regressor_smpl24.to(joints) @ joints

    def to_camera(self, points):
        x, y, z = points.unbind(-1)
        return torch.stack([x, -z, y], -1)

    @property
    def vertex_parts(self):
        """(V,) SMPL's joint, 0..23, that each vertex mostly follows."""
        part_of = {bone: row for row, bone in self.regressor_smpl24.nonzero().tolist()}
        parents, parts = self.model.bone_parents, []
        for bone in range(len(self.bone_names)):
            while bone not in part_of:
                bone = parents[bone]
            parts.append(part_of[bone])
        return torch.tensor(parts)[self.model.dense_vertex_bone_weights.argmax(1)]

    def extrapolated(self):
        """A copy that goes on beyond the ends of phenotypes as it comes to them, for fits to walk through."""
        free = copy.copy(self)
        free._modules = dict(self._modules, model=copy.copy(self.model))
        free.model.extrapolate_phenotypes = True
        return free

    def thinned(self, vertices):
        """A light copy whose vertices are these (S,) alone; it has no faces, heights and regressors."""
        thin, vertices = copy.copy(self), torch.as_tensor(vertices, dtype=torch.long)
        thin._modules = dict(self._modules, model=copy.copy(self.model))
        buffers = dict(self.model._buffers)
        buffers['blendshapes'] = buffers['blendshapes'][:, vertices]
        for name in ('template_vertices', 'vertex_bone_weights', 'vertex_bone_indices', 'dense_vertex_bone_weights'):
            buffers[name] = buffers[name][vertices]
        thin.model._buffers = buffers
        thin.num_vertices = len(vertices)
        return thin

    def _phenotypes(self, betas):
        if betas.shape[-1] > self.num_betas:
            betas = betas[..., :self.num_betas]
        self._check('betas', betas, (self.num_betas, ))
        return betas.to(self.regressor_smpl24)


def bone_means(bone_names):
    """Weights (24, J) by which heads of anny's bones make SMPL's joints."""
    weights = torch.zeros(24, len(bone_names))
    for row, name in enumerate(JOINT_SETS['smpl24'].names):
        side, _, joint = name.rpartition('_')
        heads = [bone + (f'.{side[0].upper()}' if side else '') for bone in JOINT_BONES[joint]]
        for head in heads:
            weights[row, bone_names.index(head)] = 1 / len(heads)
    return weights
