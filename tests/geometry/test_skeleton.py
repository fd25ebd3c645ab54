import numpy as np
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry.skeleton import Skeleton, Skin


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


def test_a_frame_that_moves_takes_each_frame_of_the_bones_along():
    skeleton = arm((20, 30, 40), (90, -50, 10))
    turns = Rotation.from_rotvec([[.3, -1, .4], [0, 2, 0]]).as_matrix()
    shifts = np.array([[1, 2, 3], [4, 5, 6.]])
    _, joints = skeleton.moved(turns, shifts).world()
    for frame in (0, 1):
        truth = skeleton.world()[1][frame] @ turns[frame].T + shifts[frame]
        np.testing.assert_allclose(joints[frame], truth, atol=1e-12)


def test_between_frames_bones_turn_at_an_even_speed_and_the_short_way():
    skeleton = arm((0, 170, 0), (90, -170, 0), (0, -170, 0))
    skeleton.root[1] += [2, 0, 0]
    at = skeleton.at([1, 2, 4], [0, 1, 1.25, 3.5, 9])
    truth = arm((0, 170, 0), (0, 170, 0), (22.5, 175, 0), (22.5, -170, 0), (0, -170, 0))
    np.testing.assert_allclose(at.rotations, truth.rotations, atol=1e-12)
    np.testing.assert_allclose(at.root[:, 0], [5, 5, 5.5, 5.5, 5], atol=1e-12)


def test_one_frame_is_the_same_at_all_times():
    skeleton = arm((20, 30, 40))
    at = skeleton.at([3.], [0, 3, 5])
    np.testing.assert_allclose(at.rotations, np.repeat(skeleton.rotations, 3, 0), atol=1e-12)


def test_vertices_follow_their_bones_by_their_weights():
    skin = Skin(arm((0, 90, 0), (90, 0, 0)), np.array([[.55, 1, .1], [.1, 1, 0]]), np.array([[0, .75, .25], [1, 0, 0]]))
    np.testing.assert_allclose(skin.posed() - [5, 2, 1], [[[.3, .25, .1], [.1, 0, 0]], [[0, .55, .1], [0, .1, 0]]],
                               atol=1e-12)
    np.testing.assert_allclose(skin.posed([1]), skin.posed()[:, 1:], atol=1e-12)
    np.testing.assert_allclose(skin.centres(), skin.posed().mean(1), atol=1e-12)
