"""Bodies from 2D joints in one pass of a small network that has never seen a picture."""
import math
from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from torch import nn

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fitting.kinematics import FitState, JointTables
from mmhuman_dto.geometry import matrix_to_axis_angle, rotation_6d_to_matrix
from mmhuman_dto.models.task_modules.targets import Targets
from mmhuman_dto.registry import BODY_MODELS, MODELS
from mmhuman_dto.structures import Camera, People

from .normalise import normalise

#: Spread of a body's joints, m, that the network starts from.
_SPREAD = .38
#: Standard deviations before training: of logarithms, and of joints, m.
_FIRST_STD, _FIRST_JOINT_STD = .2, .1
#: Bounds of the logarithms of standard deviations.
_LEAST_LOG_STD, _MOST_LOG_STD = math.log(1e-3), math.log(3.)


class Lifted(NamedTuple):
    """N bodies.

    Attributes:
        state: :class:`~mmhuman_dto.fitting.kinematics.FitState`.
        joints: (N, K + J, 3) m, camera frame: the body's kinematic joints, then those of the joint set.
        heights: (N) m, rest pose.
        log_depth_std, log_height_std, log_size_std: (N) standard deviations of the logarithms of the pelvis' depth, of
            the height, and of height over depth.
        joint_stds: (N, K + J) m, of each joint's place around the pelvis, in each of x, y and z.
    """
    state: FitState
    joints: torch.Tensor
    heights: torch.Tensor
    log_depth_std: torch.Tensor
    log_height_std: torch.Tensor
    log_size_std: torch.Tensor
    joint_stds: torch.Tensor


@MODELS.register_module()
class KeypointLifter(BaseModel):
    """2D joints with scores -> pose, shape and place of a body in metres, and how sure each of them is.

    A person is seen along the ray to the middle of the joints, in units of the joints' spread, so one network serves
    all focal lengths and places in the picture. It learns from :class:`~mmhuman_dto.datasets.SyntheticKeypoints`.

    Args:
        body_model: config of a body model; its weights are not part of the network's.
        joint_set: of the keypoints.
        width, num_blocks: of the residual network.
        criterion: config of the losses (``SetCriterion``), for training.
        dropped: in training, probability that a joint is not given.
        data_preprocessor, init_cfg: MMEngine's.
    """

    def __init__(self, body_model, joint_set='coco17', width=448, num_blocks=3, criterion=None, dropped=.05,
                 data_preprocessor=None, init_cfg=None):
        super().__init__(data_preprocessor and MODELS.build(data_preprocessor), init_cfg)
        self.body_model = BODY_MODELS.build(body_model)
        self.joint_set, self.dropped = joint_set, dropped
        self._tables = {}
        kinematic, named = self.tables
        self.num_bones, self.num_betas = named.num_bones, named.num_betas
        self.num_joints = kinematic.num_joints + named.num_joints
        self.parts = dict(pose=6 * self.num_bones, betas=self.num_betas, place=3, spreads=3, joints=self.num_joints)
        self.stem = nn.Linear(4 * named.num_joints + 3, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(num_blocks))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, sum(self.parts.values())))
        nn.init.zeros_(self.head[1].weight)
        with torch.no_grad():
            self.head[1].bias.copy_(self._first_answer())
        self.criterion = criterion and MODELS.build(criterion)

    def _first_answer(self):
        """An upright body that faces the camera."""
        pose = torch.tensor([1., 0, 0, 1, 0, 0]).repeat(self.num_bones, 1)
        pose[0, 3] = -1  # half a turn about x: a body's y points up, the camera's down
        return torch.cat([pose.flatten(), torch.zeros(self.num_betas), torch.tensor([0, 0, math.log(_SPREAD)]),
                          torch.full((3, ), math.log(_FIRST_STD)),
                          torch.full((self.num_joints, ), math.log(_FIRST_JOINT_STD))])

    @property
    def tables(self):
        """:class:`JointTables` of the kinematic joints and of the joint set, on the body model's device."""
        device = self.body_model.faces.device
        if device not in self._tables:
            self._tables[device] = [JointTables(self.body_model, name, dtype=torch.float32, device=device)
                                    for name in (None, self.joint_set)]
        return self._tables[device]

    def forward(self, data_samples, inputs=None, mode='tensor'):
        """Run the network.

        Args:
            data_samples: list of samples whose people (``gt_instances``, or else ``detected_instances``) have
                ``keypoints_2d`` px and ``keypoints_2d_valid`` (scores 0..1), with ``gt_camera`` or ``pred_camera``.
            inputs: not looked at.
            mode: ``'tensor'``: :class:`Lifted` of everybody; ``'loss'``: dict of losses; ``'predict'``: the samples
                with ``pred_instances``, row i person i, and ``pred_camera``.
        """
        if mode not in ('tensor', 'loss', 'predict'):
            raise ValueError(f"unknown mode {mode!r}, expected 'tensor', 'loss' or 'predict'")
        people = [sample.gt_instances if 'gt_instances' in sample else sample.detected_instances
                  for sample in data_samples]
        cameras = [sample.gt_camera if 'gt_camera' in sample else sample.pred_camera for sample in data_samples]
        keypoints, scores = (torch.cat([part[name].float() for part in people])
                             for name in ('keypoints_2d', 'keypoints_2d_valid'))
        intrinsics = torch.cat([camera.intrinsics.float().expand(len(part), 3, 3)
                                for camera, part in zip(cameras, people)])
        lifted = self.lift(keypoints, scores, intrinsics)
        if mode == 'tensor':
            return lifted
        if mode == 'predict':
            return self._predict(lifted, data_samples, cameras, [len(part) for part in people])
        if self.criterion is None:
            raise ValueError('this model was built without criterion, so it has no losses')
        local = normalise(keypoints, scores, intrinsics)
        return self.criterion(self._outputs(lifted, intrinsics, local), self._targets(people, cameras, local))

    def lift(self, keypoints, scores, intrinsics):
        """:class:`Lifted` of people with keypoints (N, J, 2) px, scores (N, J) 0..1 and intrinsics (N, 3, 3) px."""
        if self.training and self.dropped:
            scores = scores * (torch.rand_like(scores) >= self.dropped)
        local = normalise(keypoints, scores, intrinsics)
        used = (local.scores > 0).float()
        given = torch.cat([local.points.flatten(1), local.scores, used, local.size.log()[:, None], local.ray], 1)
        hidden = self.stem(given)
        for block in self.blocks:
            hidden = block(hidden)
        answer = dict(zip(self.parts, self.head(hidden).split(list(self.parts.values()), 1)))
        rotations = rotation_6d_to_matrix(answer['pose'].unflatten(1, (self.num_bones, 6)))
        root = local.rotation.transpose(1, 2) @ rotations[:, 0]
        state = FitState(torch.cat([root[:, None], rotations[:, 1:]], 1), answer['betas'],
                         self._pelvis(answer['place'], local))
        joints = torch.cat([tables.joints(state) for tables in self.tables], 1)
        spreads, joint_stds = (answer[name].clamp(_LEAST_LOG_STD, _MOST_LOG_STD).exp()
                               for name in ('spreads', 'joints'))
        return Lifted(state, joints, self.body_model.height(state.betas), *spreads.unbind(1), joint_stds)

    def _pelvis(self, place, local):
        """x / z, y / z and log z of the pelvis in the camera's frame."""
        offset, depth = place[:, :2] * local.size[:, None], place[:, 2].exp() / local.size
        point = torch.cat([offset * depth[:, None], depth[:, None]], 1)
        x, y, z = (local.rotation.transpose(1, 2) @ point[..., None])[..., 0].unbind(1)
        z = z.clamp(min=.05)
        return torch.stack([x / z, y / z, z.log()], 1)

    def _outputs(self, lifted, intrinsics, local):
        """What the losses look at: one layer, one image whose queries are everybody."""
        depth = lifted.state.position[:, 2]
        outputs = dict(
            pred_poses=matrix_to_axis_angle(lifted.state.rotations).flatten(1), pred_betas=lifted.state.betas,
            pred_j3ds=lifted.joints, pred_j2ds=_in_sizes(lifted.joints, local), pred_heights=lifted.heights,
            pred_depths=torch.stack([depth, depth / intrinsics[:, 0, 0]], 1), pred_joint_stds=lifted.joint_stds,
            pred_log_depth_std=lifted.log_depth_std, pred_log_height_std=lifted.log_height_std,
            pred_log_size_std=lifted.log_size_std)
        return dict(layers={name: value[None, None] for name, value in outputs.items()})

    def _targets(self, people, cameras, local):
        """:class:`Targets` of samples all of whose people have meshes; 2D joints in units of a person's size."""
        pose, betas, transl = (torch.cat([part[name].float() for part in people]) for name in
                               ('pose', 'betas', 'transl'))
        state = self.tables[0].state(pose, betas, transl)
        joints = torch.cat([tables.joints(state) for tables in self.tables], 1)
        counts, focals = [len(part) for part in people], torch.stack([c.intrinsics[0, 0].float() for c in cameras])
        focal = focals.repeat_interleave(torch.tensor(counts, device=focals.device))
        known, depth = torch.ones_like(joints), state.position[:, 2]
        return Targets(
            counts=counts, boxes=joints.new_zeros(len(betas), 4), poses=pose.flatten(1), betas=betas, j3ds=joints,
            j2ds=_in_sizes(joints, local), j3ds_mask=known, j2ds_mask=known[..., :2],
            depths=torch.stack([depth, depth / focal], 1), focals=focals,
            fully_annotated=[True] * len(counts), input_size=1., labels=dict(
                heights=torch.cat([part.heights.float() for part in people])))

    def _predict(self, lifted, samples, cameras, counts):
        state = lifted.state
        pose, depth = matrix_to_axis_angle(state.rotations), state.position[:, 2]
        named = slice(-len(JOINT_SETS[self.joint_set].names), None)
        fields = dict(
            global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=state.betas,
            transl=self.tables[0].transl(state), heights=lifted.heights,
            keypoints_3d=lifted.joints[:, named], keypoints_3d_std=lifted.joint_stds[:, named],
            depths_std=depth * lifted.log_depth_std, heights_std=lifted.heights * lifted.log_height_std,
            sizes_std=lifted.log_size_std)
        for sample, camera, *rows in zip(samples, cameras, *(value.split(counts) for value in fields.values())):
            sample.pred_instances = People(**dict(zip(fields, rows)))
            sample.pred_camera = Camera(intrinsics=camera.intrinsics)
        return samples


def _in_sizes(joints, local):
    """Joints (N, J, 3) in the picture, (N, J, 2), seen along each person's ray in units of the person's size."""
    turned = joints @ local.rotation.transpose(1, 2)
    return turned[..., :2] / turned[..., 2:].clamp(min=.1) / local.size[:, None, None]


class _Block(nn.Module):
    """x + linear(GELU(linear(norm(x))))."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x):
        return x + self.layers(x)
