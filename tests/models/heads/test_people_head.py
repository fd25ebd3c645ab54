import numpy as np
import pytest
import torch

from mmhuman_dto.geometry import rotation_6d_to_matrix
from mmhuman_dto.models.heads import PeopleHead


def head(**kwargs):
    return PeopleHead(dims=8, num_layers=3, **kwargs)


def test_starts_upright_in_the_camera_frame():
    raw = head()(torch.randn(3, 2, 4, 8))
    rotations = rotation_6d_to_matrix(raw['pose_6d'])
    torch.testing.assert_close(rotations[..., 0, :, :], torch.diag(torch.tensor([1., -1, -1])).expand(3, 2, 4, 3, 3))
    torch.testing.assert_close(rotations[..., 1:, :, :], torch.eye(3).expand(3, 2, 4, 23, 3, 3))
    assert raw['betas'].abs().max() == 0


def test_starts_at_mean_params(tmp_path):
    pose, shape = np.arange(144, dtype=np.float32), np.arange(10, dtype=np.float32) + 1
    np.savez(tmp_path / 'mean.npz', pose=pose, shape=shape)
    raw = head(num_betas=11, mean_params=str(tmp_path / 'mean.npz'))(torch.zeros(3, 1, 1, 8))
    assert raw['pose_6d'][2, 0, 0].flatten().tolist() == pose.tolist()
    assert raw['betas'][0, 0, 0].tolist() == [*shape.tolist(), 0.]
    with pytest.raises(ValueError, match='expected 12 for 2 joints'):
        head(num_joints=2, mean_params=str(tmp_path / 'mean.npz'))


def test_few_people_at_first():
    confs = head()(torch.zeros(3, 1, 2, 8))['confs']
    torch.testing.assert_close(confs, torch.full((3, 1, 2, 1), .01), atol=1e-6, rtol=0)


def test_shallow_heads_start_where_deep_ones_do():
    shallow, deep = head(depths=(2, 1)), head()
    assert [len(h.layers) for h in (*shallow.pose_heads, *shallow.shape_heads)] == [2] * 3 + [1] * 3
    x = torch.randn(3, 1, 2, 8)
    torch.testing.assert_close(shallow(x)['pose_6d'], deep(x)['pose_6d'])
    torch.testing.assert_close(shallow(x)['betas'], deep(x)['betas'])
