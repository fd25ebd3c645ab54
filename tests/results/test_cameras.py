import numpy as np
import pytest
from results.peers import crowd, pinhole, shown

from mmhuman_dto.results.cameras import centred, longer_side_focal, measured

K = pinhole(650., 300, 260)


def test_stated():
    np.testing.assert_array_equal(centred(500, (480, 720)), pinhole(500, 360, 240))
    assert longer_side_focal(60, (480, 720)) == pytest.approx(720 / 2 * np.sqrt(3))
    assert longer_side_focal(90, (720, 480)) == pytest.approx(360)


def test_measured_by_points():
    joints = crowd().joints
    np.testing.assert_allclose(measured(joints, shown(joints, K)), K, atol=1e-6)
    np.testing.assert_allclose(measured(joints, shown(joints, K), focal=650.), K, atol=1e-6)
    np.testing.assert_allclose(measured(joints[:1], np.float32(shown(joints[:1], K))), K, atol=.1)


def test_what_no_camera_shows_is_not_measured():
    joints = crowd().joints
    assert measured(joints, shown(joints, K) * [1, -1]) is None
    assert measured(joints * [1, 1, -1], shown(joints, K)) is None
    assert measured(joints, shown(joints, K), focal=400.) is None
    assert measured(np.zeros((0, 3)), np.zeros((0, 2))) is None
    far = joints[:1] * [.02, .02, 1] + [0, 0, 80]
    assert measured(far, shown(far, K)) is None
