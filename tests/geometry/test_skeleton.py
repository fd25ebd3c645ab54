import numpy as np
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry.skeleton import Skeleton


def arm(*turns):
    """An upper arm of .3 m along x and a forearm of .25 m, at rest a metre high; turns about z in degrees, by frame."""
    rotations = Rotation.from_euler('z', np.reshape(turns, (-1, 1)), degrees=True).as_matrix().reshape(-1, 3, 3, 3)
    rest = np.array([[0, 1., 0], [.3, 1, 0], [.55, 1, 0]])
    return Skeleton(('shoulder', 'elbow', 'wrist'), (-1, 0, 1), rest, rotations, np.array([[5., 2, 1]] * len(turns)))


def test_forward_kinematics_by_hand():
    skeleton = arm((0, 0, 0), (90, 0, 0), (90, -90, 0))
    np.testing.assert_allclose(skeleton.offsets, [[0, 0, 0], [.3, 0, 0], [.25, 0, 0]], atol=1e-12)
    turned, joints = skeleton.world()
    np.testing.assert_allclose(joints - [5, 2, 1], [[[0, 0, 0], [.3, 0, 0], [.55, 0, 0]],
                                                    [[0, 0, 0], [0, .3, 0], [0, .55, 0]],
                                                    [[0, 0, 0], [0, .3, 0], [.25, .3, 0]]], atol=1e-12)
    np.testing.assert_allclose(turned[2, 2], np.eye(3), atol=1e-12)


def test_in_another_frame_everything_is_moved_alike():
    skeleton, turn, shift = arm((20, 30, 40)), Rotation.from_rotvec([.3, -1, .4]).as_matrix(), np.array([1, 2, 3])
    turned, joints = skeleton.moved(turn, shift).world()
    np.testing.assert_allclose(joints, skeleton.world()[1] @ turn.T + shift, atol=1e-12)
    np.testing.assert_allclose(turned, turn @ skeleton.world()[0], atol=1e-12)
    np.testing.assert_allclose(skeleton.rotations[0, 0], arm((20, 30, 40)).rotations[0, 0])


def test_bones_at_rest_are_found_from_joints_that_are_turned():
    skeleton = arm((20, 30, 40), (90, -50, 10))
    found = Skeleton.from_joints(skeleton.names, skeleton.parents, skeleton.rotations, skeleton.world()[1])
    np.testing.assert_allclose(found.rest, skeleton.rest - skeleton.rest[0], atol=1e-12)
    np.testing.assert_allclose(found.world()[1], skeleton.world()[1], atol=1e-12)
