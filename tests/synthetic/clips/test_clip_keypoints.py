from dataclasses import replace

import numpy as np
import pytest

from mmhuman_dto.synthetic.clips import ClipConfig, ClipKeypointErrors, clip_keypoints, sample_clip
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors


@pytest.fixture(scope='module')
def long(body_model):
    config = ClipConfig(size=(180, 320), people=(4, 4), seconds=6., cameras=(('still', 1.), ), enter_leave=0.)
    return sample_clip(0, body_model, config, seed=1)


def test_without_errors_joints_are_the_truth(long):
    for t in (0, 90):
        found, scene = clip_keypoints(long, t, ClipKeypointErrors.none()), long.frames[t]
        assert sorted(found.track_ids.tolist()) == long.track_ids(t).tolist()
        for i, row in enumerate(long.track_ids(t)):
            k = found.track_ids.tolist().index(row)
            nose, mesh = scene.project(scene.joints[i, 24]), scene.project(scene.vertices[i])
            assert np.abs(found.keypoints[k, 0] - nose).max() < 3
            edge = np.tile(scene.size[::-1], 2)
            assert np.allclose(found.bboxes[k], np.clip(np.concatenate([mesh.min(0), mesh.max(0)]), 0, edge))
            # Left of a person is left: ankles are at the foot of the box.
            assert np.abs(found.keypoints[k, [15, 16]] - scene.project(scene.joints[i, [7, 8]])).max() < 4


def test_joints_that_others_hide_have_low_scores(body_model):
    config = ClipConfig(size=(180, 320), people=(8, 8), seconds=10., fps=2., cameras=(('still', 1.), ), enter_leave=0.)
    crowd, values = sample_clip(0, body_model, config, seed=1), []
    for t in range(len(crowd)):
        found = clip_keypoints(crowd, t, ClipKeypointErrors.none())
        values += [(crowd.visible[t, row], score) for row, score in zip(found.track_ids, found.scores)]
    visible, scores = np.array(values).T
    assert np.corrcoef(visible, scores)[0, 1] > .7
    assert scores[visible > .99].mean() > .95 and scores[visible < .5].mean() < .65


def test_as_many_are_missed_and_made_up_as_stated(long):
    errors = ClipKeypointErrors(missed=.2, made_up=.15)
    whole = missed = made_up = 0
    for t in range(len(long)):
        rows = clip_keypoints(long, t, errors).track_ids
        there = np.flatnonzero(long.visible[t] > .5)
        whole, missed, made_up = whole + len(there), missed + len(set(there) - {*rows}), made_up + (rows < 0).sum()
    assert np.isclose(missed / whole, .2, atol=.05) and np.isclose(made_up / len(long), .15, atol=.07)


def residuals(crowd, errors):
    """(F, 17, 2) px of one person who is always found, and its diagonals (F, 1, 1)."""
    none = replace(ClipKeypointErrors.none(), joints=replace(errors.joints, std=(0., 0., 0.)))
    found = [[clip_keypoints(crowd, t, kind) for kind in (errors, none)] for t in range(40)]
    wrong, right = np.array([[one.keypoints[one.track_ids == 0][0] for one in both] for both in found]).swapaxes(0, 1)
    return (wrong - right) / np.linalg.norm(np.ptp(right, axis=1), axis=1)[:, None, None]


def test_the_drifting_part_stays_for_its_time_and_parts_add_up(long):
    joints = replace(KeypointErrors.none(), std=(.02, 0., 0.))
    kinds = [replace(ClipKeypointErrors.none(), joints=joints, drifting=share, seconds=.4) for share in (0., 1., .5)]
    fresh, slow, both = (residuals(long, kind) for kind in kinds)
    for values, next_frame in ((fresh, 0.), (slow, np.exp(-.5 * (1 / 30 / .4)**2)), (both, .5)):
        assert np.isclose(values.std(), .02, rtol=.2)
        assert np.isclose((values[1:] * values[:-1]).mean() / (values**2).mean(), next_frame, atol=.12)
    assert abs((slow[30:] * slow[:-30]).mean() / (slow**2).mean()) < .35  # after 1 s


def test_frames_may_be_asked_for_in_any_order(long):
    first, again, other = clip_keypoints(long, 7), clip_keypoints(long, 7), clip_keypoints(long, 7, seed=1)
    clip_keypoints(long, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert first.keypoints.shape != other.keypoints.shape or not np.array_equal(first.keypoints, other.keypoints)
    assert (np.diff(first.scores) <= 0).all()
