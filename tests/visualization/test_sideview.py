import numpy as np
import pytest

from mmhuman_dto.visualization.ground import Ground
from mmhuman_dto.visualization.sideview import _fit, _from_the_side, draw_sideview

LEVEL = Ground(np.array([0, -1., 0]), 1.5)
PHOTO = (200, 240)


def colored(panel):
    return np.ptp(panel.astype(int), axis=-1) > 40


def frame_of(placements, width=600, cap=7.):
    return _fit([_from_the_side(p.level(LEVEL)) for p in placements], LEVEL, width, cap)


def test_person_stands_at_its_metres(boxes, faces):
    # A box 1.8 m tall on the ground, 1.5 m below the camera, its walls from 3.7 to 4.3 m away.
    placement = boxes([(.5, .6, 4)], half=(.2, .9, .3))
    picture = draw_sideview([('', placement._replace(heights=np.array([np.nan])))], faces, PHOTO, LEVEL, 600)
    frame, size = _fit([_from_the_side(placement.level(LEVEL))], LEVEL, 600, 7.)
    assert picture.shape == (*size, 3)
    rows, cols = np.nonzero(colored(picture))
    (left, bottom), (right, top) = frame.to_pixels([3.7, 4.3], [0, 1.8])
    np.testing.assert_allclose([cols.min(), cols.max() + 1, rows.min(), rows.max() + 1], [left, right, top, bottom],
                               atol=1.5)


def test_who_is_on_the_right_covers_who_is_on_the_left(boxes, faces):
    # Seen from the right side of the scene.
    both = boxes([(1, .6, 4), (-1, .6, 4)], half=(.2, .9, .3))._replace(heights=np.full(2, np.nan))
    alone = both.only([0])
    seen = [draw_sideview([('', p)], faces, PHOTO, LEVEL, 600) for p in (both, alone)]
    where = colored(seen[1])
    assert where.sum() > 1000 and (seen[0] != seen[1])[where].mean() < .05  # but for the edges


def test_before_and_after_share_the_scale(boxes, faces):
    before, after = boxes([(0, .6, 9)], half=(.2, .9, .3)), boxes([(0, .6, 4)], half=(.2, .9, .3))
    picture = draw_sideview([('before', before), ('after', after)], faces, PHOTO, LEVEL, 600)
    frame, (height, _) = frame_of([before, after])
    middles = [np.nonzero(colored(half))[1].mean() for half in (picture[:height], picture[height:])]
    assert middles[0] - middles[1] == pytest.approx(5 * frame.scale, abs=1.5)


def test_a_camera_that_looks_down_changes_nothing_on_the_ground(boxes, faces):
    pitch = np.radians(20)
    tilted = Ground(np.array([0, -np.cos(pitch), -np.sin(pitch)]), 1.5)
    standing = boxes([(0, .6, 4)], half=(.2, .9, .3))
    seen_tilted = standing._replace(vertices=standing.vertices @ tilted.rotation.astype(np.float32))
    level, down = (draw_sideview([('', p)], faces, PHOTO, ground, 600)
                   for p, ground in ((standing, LEVEL), (seen_tilted, tilted)))
    assert (colored(level) != colored(down)).mean() < 2e-3


def test_nobody_and_fifty_people(boxes, faces):
    nobody = draw_sideview([('', boxes([]))], faces, PHOTO, LEVEL)
    assert nobody.shape[1] == 1080 and not colored(nobody).any()
    crowd = boxes(np.random.default_rng(0).uniform((-8, .4, 3), (8, .6, 45), (50, 3)), half=(.3, .8, .3))
    assert colored(draw_sideview([('', crowd)], faces, PHOTO, LEVEL)).sum() > 500
