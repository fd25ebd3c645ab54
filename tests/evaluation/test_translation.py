import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.evaluation.functional import height_errors, relative_depth_errors, scene_scale, translation_errors


def test_translation_error_is_a_distance_in_metres():
    np.testing.assert_allclose(translation_errors([[3, 4, 5], [0, 0, 1]], [[0, 0, 5], [0, 0, 1]]), [5, 0])


def test_relative_depth_error():
    np.testing.assert_allclose(relative_depth_errors([2.2, 3.0], [2.0, 4.0]), [0.1, 0.25])


def test_scene_scale_undoes_a_common_factor():
    z_true = np.array([2., 3., 7.])
    scale = scene_scale(z_true * 1.6, z_true)
    np.testing.assert_allclose(scale, 1 / 1.6)
    np.testing.assert_allclose(relative_depth_errors(scale * z_true * 1.6, z_true), 0, atol=1e-12)


@given(st.lists(st.tuples(st.floats(1, 20), st.floats(.5, 2)), min_size=1, max_size=8), st.floats(.5, 2))
def test_no_other_scale_is_better(people, other):
    z_true, ratio = np.array(people).T
    squares = [(relative_depth_errors(s * z_true * ratio, z_true)**2).sum()
               for s in (scene_scale(z_true * ratio, z_true), other)]
    assert squares[0] <= squares[1] + 1e-12


def test_height_error():
    np.testing.assert_allclose(height_errors([1.7, 1.0], [1.8, 1.0]), [.1, 0])


def test_nobody():
    assert translation_errors(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, )
    assert relative_depth_errors([], []).shape == height_errors([], []).shape == (0, )
    assert scene_scale([], []) == 1
