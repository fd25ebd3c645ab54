"""From decoder contents to confidence, pose, shape and a person's camera."""
import numpy as np
import torch
from mmengine.model import BaseModule
from torch import nn

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.errors import reading
from mmhuman_dto.registry import MODELS

from ..layers.mlp import MLP, zero_last


@MODELS.register_module()
class PeopleHead(BaseModule):
    """Confidence and camera heads shared by all layers; pose and shape heads whose residuals add up over the layers.

    A child that says more of each person names it in ``outputs`` and adds it to what ``forward`` returns; the network
    then gives it to losses and costs as ``pred_NAME``, and as ``NAME`` in ``pred_instances``.

    Args:
        dims: width of the decoder.
        num_layers: decoder layers.
        num_joints: rotations of the body model, the root's included.
        num_betas: shape coefficients.
        mean_params: ``smpl_mean_params.npz`` with ``pose`` (num_joints * 6) and ``shape``, where residuals start;
            shape coefficients beyond the file's start at 0. None: the rest pose, upright in the camera frame, shape 0.
        depths: linear layers of a pose head and of a shape head; the published (6, 5) take long to learn from scratch.

    Raises:
        ValueError: ``mean_params`` is for another number of joints, or no such file.
    """

    #: what :meth:`forward` returns of every query
    outputs = ('confs', 'pose_6d', 'betas', 'cameras')

    def __init__(self, dims=768, num_layers=6, num_joints=24, num_betas=10, mean_params=None, depths=(6, 5),
                 init_cfg=None):
        super().__init__(init_cfg)
        self.num_joints = num_joints
        self.pose_heads = nn.ModuleList(MLP(dims, dims, num_joints * 6, depths[0]) for _ in range(num_layers))
        self.shape_heads = nn.ModuleList(MLP(dims, dims, num_betas, depths[1]) for _ in range(num_layers))
        self.conf_head = nn.Linear(dims, 1)
        self.camera_head = MLP(dims, dims // 2, 3, 3)
        for head in (*self.pose_heads, *self.shape_heads):
            zero_last(head)
        # One query in a hundred is a person: where a focal loss starts best (Lin et al. 2017).
        nn.init.constant_(self.conf_head.bias, -float(np.log(99)))
        pose, shape = _read_means(mean_params, num_joints, num_betas)
        self.register_buffer('mean_pose', pose)
        self.register_buffer('mean_shape', shape)

    def forward(self, contents):
        """What is said of all queries in all layers, before any body model or camera.

        Args:
            contents: (L, B, Q, D) of the decoder.

        Returns:
            dict of ``confs`` (L, B, Q, 1) confidence, 0..1, ``pose_6d`` (L, B, Q, J, 6) 6-D rotations of root and body
            joints, ``betas`` (L, B, Q, num_betas), ``cameras`` (L, B, Q, 3) tx, ty, s: offset in the image and log-odds
            of the size.
        """
        pose = torch.stack([head(x) for head, x in zip(self.pose_heads, contents)]).cumsum(0) + self.mean_pose
        shape = torch.stack([head(x) for head, x in zip(self.shape_heads, contents)]).cumsum(0)
        return dict(confs=self.conf_head(contents).sigmoid(), pose_6d=pose.unflatten(-1, (self.num_joints, 6)),
                    betas=shape + self.mean_shape, cameras=self.camera_head(contents))


def _read_means(path, num_joints, num_betas):
    shape = torch.zeros(num_betas)
    if path is None:
        pose = torch.tensor([1., 0, 0, 1, 0, 0]).repeat(num_joints, 1)
        pose[0, 3] = -1  # half a turn about x: a body's y points up, the camera's down
        return pose.flatten(), shape
    with load_npz(path) as means, reading(path, 'smpl_mean_params.npz'):
        pose = torch.from_numpy(means['pose'].astype(np.float32)).flatten()
        given = torch.from_numpy(means['shape'].astype(np.float32)).flatten()[:num_betas]
    if len(pose) != num_joints * 6:
        raise ValueError(f'{path}: pose has {len(pose)} values, expected {num_joints * 6} for {num_joints} joints')
    shape[:len(given)] = given
    return pose, shape
