"""Cameras that move: their poses from frame to frame, and points in the world that they see.

Camera poses (T, 4, 4) are world -> camera, m, float64: ``x_camera = R x_world + t``. A camera that stands still has
none (None): its frame is the world.
"""
import roma
import torch

from .rotation import matrix_to_quaternion


def make_poses(rotations, translations):
    """Poses (*, 4, 4) of rotations (*, 3, 3) and translations (*, 3), m."""
    poses = torch.eye(4, dtype=rotations.dtype, device=rotations.device).repeat(*rotations.shape[:-2], 1, 1)
    poses[..., :3, :3], poses[..., :3, 3] = rotations, translations
    return poses


def inverse_poses(poses):
    """Poses (*, 4, 4) the other way: camera -> world of world -> camera, whose last column is the camera's place."""
    back = poses[..., :3, :3].transpose(-1, -2)
    return make_poses(back, -(back @ poses[..., :3, 3:])[..., 0])


def moved_points(points, poses):
    """Points (T, *, 3) of each frame moved by its pose (T, 4, 4), in the precision of the poses."""
    flat = points.to(poses).reshape(len(poses), -1, 3)
    return (flat @ poses[:, :3, :3].transpose(-1, -2) + poses[:, None, :3, 3]).view(points.shape)


def world_points(points, camera_poses):
    """Points (T, *, 3), m, of each frame's camera in the world; as they are where ``camera_poses`` is None."""
    return points if camera_poses is None else moved_points(points, inverse_poses(camera_poses))


def camera_points(points, camera_poses):
    """Points (T, *, 3), m, of the world in each frame's camera; as they are where ``camera_poses`` is None."""
    return points if camera_poses is None else moved_points(points, camera_poses)


def scaled_poses(camera_poses, scale):
    """The poses of a world ``scale`` times as large: m of poses whose unit is ``scale`` m."""
    return make_poses(camera_poses[..., :3, :3], scale * camera_poses[..., :3, 3])


def interpolated_poses(camera_poses, stamps, wanted, tolerance=0.):
    """Poses (T, 4, 4) at stamps ``wanted`` (T), between those that are known.

    Cameras go straight and evenly from a known place to the next, and turn about one axis (slerp of quaternions;
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985).

    Args:
        camera_poses: (N, 4, 4). stamps: (N), rising, s or frames.
        tolerance: how far before the first stamp and after the last one its pose still holds.

    Raises:
        ValueError: a stamp is outside of what is known: nobody knows where the camera went.
    """
    stamps, wanted = (torch.as_tensor(values, dtype=torch.float64) for values in (stamps, wanted))
    stamps = stamps.contiguous()
    outside = (wanted < stamps[0] - tolerance) | (wanted > stamps[-1] + tolerance)
    if outside.any():
        raise ValueError(f'camera poses are known from {stamps[0]:g} to {stamps[-1]:g}, asked for '
                         f'{wanted[outside][0]:g}: nobody knows where the camera is then')
    wanted = wanted.clamp(stamps[0], stamps[-1])
    after = torch.searchsorted(stamps, wanted).clamp(1, max(len(stamps) - 1, 1))
    before, after = after - 1, after.clamp(max=len(stamps) - 1)
    share = (wanted - stamps[before]) / (stamps[after] - stamps[before]).clamp(min=torch.finfo(torch.float64).tiny)
    back = inverse_poses(torch.as_tensor(camera_poses, dtype=torch.float64))
    places = torch.lerp(back[before, :3, 3], back[after, :3, 3], share[:, None])
    return inverse_poses(make_poses(_slerp(back[before, :3, :3], back[after, :3, :3], share), places))


def _slerp(first, second, share):
    """Rotations (T, 3, 3) a share (T) of the way from the first to the second (T, 3, 3)."""
    first, second = matrix_to_quaternion(first), matrix_to_quaternion(second)
    turn = roma.quat_product(roma.quat_conjugation(first), second)
    return roma.unitquat_to_rotmat(roma.quat_product(first, roma.rotvec_to_unitquat(
        share[:, None] * roma.unitquat_to_rotvec(turn))))
