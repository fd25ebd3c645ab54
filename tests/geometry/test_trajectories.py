"""Moving cameras: points through them, and poses between those that are known."""
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp

from mmhuman_dto.geometry.trajectories import (
    camera_points,
    interpolated_poses,
    inverse_poses,
    make_poses,
    moved_points,
    scaled_poses,
    world_points,
)


@pytest.fixture
def poses():
    turns = torch.as_tensor(Rotation.random(6, random_state=0).as_matrix())
    return make_poses(turns, torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))


def test_points_of_the_world_and_back(poses):
    points = torch.randn(6, 5, 24, 3, generator=torch.Generator().manual_seed(1))
    expected = np.stack([points[t].double().numpy() @ poses[t, :3, :3].numpy().T + poses[t, :3, 3].numpy()
                         for t in range(6)])
    seen = camera_points(points, poses)
    np.testing.assert_allclose(seen, expected)
    torch.testing.assert_close(world_points(seen, poses), points.double())
    assert world_points(points, None) is points and camera_points(points, None) is points
    torch.testing.assert_close(moved_points(torch.zeros(6, 3), poses), poses[:, :3, 3])


def test_the_inverse(poses):
    torch.testing.assert_close(inverse_poses(poses) @ poses, torch.eye(4, dtype=torch.float64).expand(6, 4, 4))


def test_a_camera_that_walks():
    """From (0, 0, 0) to (3, 0, 0) m in three frames, looking along z: what stands at x = 1 comes towards the left."""
    places = torch.tensor([[0., 0, 0], [1, 0, 0], [3, 0, 0]], dtype=torch.float64)
    poses = make_poses(torch.eye(3, dtype=torch.float64).expand(3, 3, 3), -places)
    seen = camera_points(torch.tensor([[1., 0, 5]]).expand(3, 3), poses)
    torch.testing.assert_close(seen, torch.tensor([[1., 0, 5], [0, 0, 5], [-2, 0, 5]], dtype=torch.float64))
    torch.testing.assert_close(scaled_poses(poses, 2.)[:, :3, 3], -2 * places)


def test_a_scaled_world_is_seen_scaled(poses):
    points = torch.randn(6, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(camera_points(3 * points, scaled_poses(poses, 3.)), 3 * camera_points(points, poses))


def test_poses_in_between(poses):
    stamps, wanted = np.array([0, 1, 2.5, 3, 7, 8]), np.array([0, .3, 2.5, 5, 6.9, 8])
    found = inverse_poses(interpolated_poses(poses, stamps, wanted))
    back = inverse_poses(poses).numpy()
    places = np.stack([np.interp(wanted, stamps, back[:, axis, 3]) for axis in range(3)], 1)
    np.testing.assert_allclose(found[:, :3, 3], places, atol=1e-12)
    turned = Slerp(stamps, Rotation.from_matrix(back[:, :3, :3]))(wanted).as_matrix()
    np.testing.assert_allclose(found[:, :3, :3], turned, atol=1e-12)


def test_nobody_knows_where_a_camera_goes_after_its_last_pose(poses):
    stamps = torch.arange(6.)
    for wanted in ([0, 5.1], [-.1, 2]):
        with pytest.raises(ValueError, match=f'known from 0 to 5, asked for {min(wanted) or max(wanted)}'):
            interpolated_poses(poses, stamps, wanted)
    held = interpolated_poses(poses, stamps, [-.1, 5.1], tolerance=.11)
    torch.testing.assert_close(held, poses[[0, 5]])
    torch.testing.assert_close(interpolated_poses(poses[:1], [4.], [4.]), poses[:1])
