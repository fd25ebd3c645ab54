import pytest
import torch

from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.geometry.alignment import similarity_align


@pytest.fixture
def points():
    return torch.randn(5, 17, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_similar_points_meet(points):
    rotation = axis_angle_to_matrix(torch.tensor([.4, -2., 1.], dtype=torch.float64))
    moved = 2.5 * points @ rotation.T + torch.tensor([1., 2, 3])
    torch.testing.assert_close(similarity_align(moved, points), points)
    assert (similarity_align(moved, points, scale=False) - points).norm(dim=-1).mean() > .5


def test_a_mirror_image_is_not_undone(points):
    mirrored = points * torch.tensor([-1., 1, 1])
    assert (similarity_align(mirrored, points) - points).norm(dim=-1).mean() > .1


def test_no_other_motion_is_better(points):
    target = points + .2 * torch.randn(points.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    best = (similarity_align(points, target) - target).square().sum()
    for k in range(6):
        nudge = torch.zeros(3, dtype=torch.float64)
        nudge[k % 3] = 1e-3
        other = similarity_align(points, target)
        other = other @ axis_angle_to_matrix(nudge).T if k < 3 else other + nudge
        assert (other - target).square().sum() > best


def test_points_without_extent_stay_finite():
    out = similarity_align(torch.zeros(4, 3), torch.ones(4, 3))
    torch.testing.assert_close(out, torch.ones(4, 3))
