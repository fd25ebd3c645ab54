"""People read from known maps, and put together from several looks."""
import numpy as np
import pytest
import torch

from mmhuman_dto.movenet import STRIDE, MoveNetMaps
from mmhuman_dto.movenet.people import Look, choose, decode


def draw_maps(joints, size=(96, 128)):
    """Maps that say joints (N, 17, 2), cells y, x, exactly; coarse joints are two cells off, the heat is .9."""
    height, width = size
    zeros = lambda *shape: torch.zeros(1, *shape, height, width)  # noqa: E731
    maps = MoveNetMaps(zeros(1), zeros(2), zeros(2), zeros(17, 2), zeros(17), zeros(17, 2))
    for person in joints:
        low, high = person.amin(0), person.amax(0)
        y, x = ((low + high) / 2).long()
        maps.centers[0, 0, y, x] = .8
        maps.sizes[0, :, y, x] = high - low + 8
        maps.joints[0, :, :, y, x] = person + 2 - torch.tensor([y, x])
        for number, place in enumerate(person):
            row, column = place.long()
            maps.heat[0, number, row, column] = .9
            maps.joint_offsets[0, number, :, row, column] = place - place.long()
    return maps


def test_more_than_six_people_are_read_from_maps():
    rng = np.random.default_rng(0)
    corners = np.stack(np.meshgrid(np.arange(8, 80, 28), np.arange(8, 110, 34), indexing='ij'), -1).reshape(-1, 1, 2)
    truth = torch.from_numpy(corners + rng.uniform(0, (18, 12), (9, 17, 2)).round(1)).float()
    joints, scores = decode(draw_maps(truth), 0)
    assert joints.shape == (9, 17, 2)
    torch.testing.assert_close(scores, torch.full((9, 17), .9))
    away = (joints[None] - STRIDE * truth.flip(-1)[:, None]).abs().amax((2, 3))
    assert (away.amin(1) < 1e-4).all()


def test_a_joint_outside_of_its_persons_box_is_not_taken():
    person = torch.rand(17, 2, generator=torch.Generator().manual_seed(1)) * 20 + 30
    maps = draw_maps(person[None])
    maps.heat[0, 9] = 0
    maps.heat[0, 9, 90, 120] = 1.
    _, scores = decode(maps, 0)
    assert scores[0, 9] == 0 and (scores[0, :9] > .8).all()


def figure(x, y, height, score=.8):
    """Joints (17, 2) of somebody of a height, px, at a place, and their scores."""
    shape = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (.4, 1)
    shape[:, 1] = (shape[:, 1] - shape[:, 1].min()) / np.ptp(shape[:, 1])
    return shape * height + (x, y), np.full(17, score)


def look(people, factor):
    joints, scores = zip(*people)
    return Look(np.stack(joints), np.stack(scores), factor)


@pytest.mark.parametrize('offset, found', [(0, 1), (.08, 1), (.3, 2)])
def test_people_found_at_two_scales_are_one(offset, found):
    first, again = figure(100, 100, 400), figure(100 + 400 * offset, 100, 400, .7)
    joints, scores = choose([look([again], .25), look([first], .5)])
    assert len(joints) == found
    np.testing.assert_array_equal(joints[0], first[0])


def test_each_scale_answers_for_people_of_its_size():
    near, far = figure(100, 100, 1000), figure(900, 100, 100)
    # At .25 px a px of the picture the far one is 25 px tall, at 1 the near one is 1000 px: neither is believed there.
    joints, _ = choose([look([near, far], .25), look([near, far], 1.)])
    assert sorted(np.ptp(person[:, 1]).round() for person in joints) == [100, 1000]
    only_small, _ = choose([look([far], .25), look([near], 1.)])
    assert len(only_small) == 0


def test_nobody():
    joints, scores = choose([Look(np.zeros((0, 17, 2)), np.zeros((0, 17)), 1.)])
    assert joints.shape == (0, 17, 2) and scores.shape == (0, 17)
