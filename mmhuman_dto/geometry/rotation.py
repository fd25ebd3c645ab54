"""Rotations as axis-angle vectors (rad), matrices and 6-D vectors; thin over roma.

Every function takes any leading shape, empty ones included, and has finite gradients everywhere,
at no rotation and at half a turn too.
"""
import roma

#: Columns shorter than this are not normalised: a degenerate 6-D vector gives finite values.
_SHORTEST_COLUMN = 1e-6


def axis_angle_to_matrix(axis_angle):
    """Axis-angle (*, 3), rad, to rotation matrices (*, 3, 3)."""
    return roma.rotvec_to_rotmat(axis_angle)


def matrix_to_axis_angle(matrix):
    """Rotation matrices (*, 3, 3) to the shortest axis-angle (*, 3), rad, of norm <= pi."""
    return roma.rotmat_to_rotvec(matrix)


def matrix_to_quaternion(matrix):
    """Rotation matrices (*, 3, 3) to unit quaternions (*, 4): x, y, z, w."""
    return roma.rotmat_to_unitquat(matrix)


def matrix_to_euler(matrix, axes):
    """Rotation matrices (*, 3, 3) to angles (*, 3), rad, about three axes such as 'ZXY': ``Rz @ Rx @ Ry``.

    Where the middle angle is a quarter turn, the last one is 0: the same rotation has many angles there.
    """
    return roma.rotmat_to_euler(axes, matrix)


def rotation_6d_to_matrix(rotation_6d):
    """6-D rotations (*, 6), two columns stored row by row as (3, 2), to matrices (*, 3, 3) by Gram-Schmidt.

    Two columns that are zero or parallel have no rotation: the result is finite but not a rotation.
    Source: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks" (arXiv 1812.07035).
    """
    return roma.special_gramschmidt(rotation_6d.unflatten(-1, (3, 2)), epsilon=_SHORTEST_COLUMN)


def matrix_to_rotation_6d(matrix):
    """Rotation matrices (*, 3, 3) to 6-D rotations (*, 6): the first two columns, stored row by row as (3, 2)."""
    return matrix[..., :2].flatten(-2)


def geodesic_distance(first, second):
    """Angle (*), rad in [0, pi], between rotation matrices (*, 3, 3) and (*, 3, 3), which broadcast."""
    return matrix_to_axis_angle(first.transpose(-1, -2) @ second).norm(dim=-1)
