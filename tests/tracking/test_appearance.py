"""Colours of clothes that were painted on purpose."""
import time

import numpy as np
import pytest
from walking_points import STANDING

from mmhuman_dto.tracking import colour_histograms
from mmhuman_dto.tracking.appearance import BINS, COLOURS, GREYS, HUES, colour_distance

RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 200, 20), (20, 20, 200), (128, 128, 128)
JOINTS = STANDING * 300 * [1, -1] + [200, 340]
BOX = np.array([155., 50, 245, 350])


def painted(torso, legs, light=1., shape=(400, 400, 3)):
    """A picture with blocks of colour where torso and legs are, black elsewhere."""
    image = np.zeros(shape)
    image[94:184, 160:240] = torso
    image[184:340, 160:240] = legs
    return (image * light).astype(np.uint8)


def histogram(image, scores=1., **more):
    return colour_histograms(image, JOINTS[None], np.full((1, 17), scores), BOX[None], **more)[0].reshape(2, BINS)


def test_torso_and_legs_by_hand():
    torso, legs = histogram(painted(RED, GREY))
    assert torso[HUES + 0] == pytest.approx(1)  # a strong red is on the first hue
    greys = legs[-GREYS:]
    # 128 / 255 lies between the second and the third of four greys.
    np.testing.assert_allclose(greys, [0, .49, .51, 0], atol=.01)
    _, legs = histogram(painted(RED, GREEN))
    # Green is a third around the circle of eight hues: 2.667.
    np.testing.assert_allclose(legs[HUES + 2:HUES + 4], [1 / 3, 2 / 3], atol=.01)


@pytest.mark.parametrize('scores', [1., 0.])
def test_sums_are_one_by_joints_and_by_boxes(scores):
    np.testing.assert_allclose(histogram(painted(BLUE, GREEN), scores).sum(1), 1)
    assert histogram(painted(BLUE, GREEN), scores)[0].argmax() - HUES == pytest.approx(2 / 3 * HUES, abs=1)


def test_the_light_does_not_matter_for_colours():
    bright, dark = (colour_histograms(painted(RED, GREEN, light), JOINTS[None], np.ones((1, 17)), BOX[None])
                    for light in (1., .4))
    assert colour_distance(bright, dark)[0, 0] < .1


def test_distances():
    people = np.concatenate([colour_histograms(painted(*clothes), JOINTS[None], np.ones((1, 17)), BOX[None])
                             for clothes in ((RED, GREY), (RED, GREY), (GREEN, BLUE), (RED, BLUE))])
    distance = colour_distance(people, people)
    np.testing.assert_allclose(np.diag(distance), 0, atol=1e-7)
    assert distance[0, 1] == pytest.approx(0, abs=1e-7)
    assert distance[0, 2] == pytest.approx(1)
    assert distance[0, 3] == pytest.approx(.5)  # one part of two
    np.testing.assert_allclose(distance, distance.T)
    people[1, BINS:] = np.nan  # legs of one are not in the picture
    assert colour_distance(people[1:2], people[3:])[0, 0] == pytest.approx(0, abs=1e-7)
    assert np.isnan(colour_distance(np.full((1, COLOURS), np.nan), people)).all()


def test_only_what_is_the_persons_own():
    ids = np.ones((400, 400), int)
    ids[:, :200] = 2
    image = painted(RED, RED)
    image[:, :200] = GREEN
    assert histogram(image, id_map=ids)[0, HUES] == pytest.approx(1)
    assert histogram(image)[0, HUES] < .6


def test_what_is_not_in_the_picture_is_unknown():
    cut = painted(RED, GREEN)[:190]
    torso, legs = histogram(cut)
    assert torso[HUES] == pytest.approx(1)
    assert np.isnan(legs).all()
    assert np.isnan(colour_histograms(cut, JOINTS[None], np.zeros((1, 17)), np.full((1, 4), np.nan))).all()
    assert colour_histograms(cut, np.zeros((0, 17, 2)), np.zeros((0, 17)), np.zeros((0, 4))).shape == (0, COLOURS)


def test_fast_enough_for_video():
    image = np.zeros((1080, 1920, 3), np.uint8)
    people = np.repeat(JOINTS[None] * 2.5, 20, 0)
    colour_histograms(image, people[:1], np.ones((1, 17)), BOX[None])
    start = time.process_time()
    colour_histograms(image, people, np.ones((20, 17)), np.repeat(BOX[None], 20, 0))
    assert time.process_time() - start < 20 * .002
