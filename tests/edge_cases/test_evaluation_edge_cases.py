"""Figures of evaluators where there is nobody, nothing to compare, or nothing between two people."""


import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.depth_order import depth_order, depth_order_by_gap, pcdr, pcdr_layers
from mmhuman_dto.evaluation.functional.pose import mpjpe, pa_mpjpe
from mmhuman_dto.evaluation.functional.translation import (
    pairwise_distance_errors,
    relative_depth_errors,
    scaled_translation_errors,
    scene_scale,
    translation_errors,
)


@pytest.mark.parametrize('count', [0, 1])
def test_nobody_and_one_person_have_no_pairs(count):
    z, places = np.full(count, 3.0), np.ones((count, 3))
    assert depth_order(z, z).pairs == pcdr(z, z).pairs == pcdr_layers(z, z).pairs == 0
    assert len(pairwise_distance_errors(places, places)) == 0
    assert all(gap.pairs == 0 for gap in depth_order_by_gap(z, z))
    assert [errors(places, places).tolist() for errors in (translation_errors, scaled_translation_errors)] == [
        [0] * count] * 2
    assert scene_scale(z, z) == 1 and mpjpe(np.ones((count, 4, 3)), np.ones((count, 4, 3))).tolist() == [0] * count
    assert len(pa_mpjpe(np.ones((count, 4, 3)), np.ones((count, 4, 3)))) == count


def test_everyone_at_the_camera_or_predicted_there():
    assert scene_scale([0.0, 0.0], [3.0, 4.0]) == 1
    assert np.isfinite(scaled_translation_errors(np.zeros((2, 3)), np.ones((2, 3)))).all()


def test_everyone_far_and_behind_the_camera():
    far = np.array([1e6, 2e6])
    assert scene_scale(far, far) == 1 and depth_order(far, far) == (1, 1)
    assert relative_depth_errors([-4.0], [4.0]).tolist() == [2.0]
    assert np.isfinite(scaled_translation_errors(-np.ones((2, 3)), np.ones((2, 3)))).all()


def test_identical_people_and_bodies_without_extent():
    points = np.zeros((2, 5, 3))
    assert mpjpe(points, points).tolist() == pa_mpjpe(points, points).tolist() == [0, 0]
    assert np.isfinite(pa_mpjpe(points, points + np.random.default_rng(0).normal(size=(5, 3)))).all()


def test_half_precision_is_compared_in_double():
    z = np.array([3.0, 3.001, 900.0], np.float16)
    assert scene_scale(z, z) == pytest.approx(1) and np.isfinite(relative_depth_errors(z * 2, z)).all()
    points = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float16) * 60
    assert np.isfinite(mpjpe(points, -points)).all() and np.isfinite(pa_mpjpe(points, -points)).all()
