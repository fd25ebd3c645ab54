import numpy as np
import pytest
import torch
from results.videos import model_files, true_tracks

from mmhuman_dto.results import Moves
from mmhuman_dto.results.posing import BodyRows, PosedImages, Shot, moved_points
from mmhuman_dto.results.smpl_family import SmplFamily


class Counting(SmplFamily):
    """Notes how many bodies it is asked for at once."""

    def __init__(self):
        super().__init__(model_files())
        self.asked = []

    def __call__(self, layout, pose, *args, **options):
        self.asked.append(len(pose))
        return super().__call__(layout, pose, *args, **options)


def images(count=100):
    """``count`` pictures of one and two people in turns, from the rows of one track."""
    track, shots, start = true_tracks()[0], [], 0
    for number in range(count):
        rows = list(range(start, start := start + 1 + number % 2))
        shots.append(Shot(str(number), rows, None, None, number))
    places = torch.arange(start) % 4
    bodies = BodyRows('smpl', *(torch.tensor(getattr(track, name))[places] for name in ('pose', 'betas', 'transl')),
                      fields=dict(track_ids=torch.arange(start)))
    family = Counting()
    return PosedImages(family, bodies, shots), family


def test_a_few_pictures_are_posed_at_once_and_when_they_are_asked_for():
    found, family = images()
    assert len(found) == 100 and not family.asked
    track = true_tracks()[0]
    for number, image in enumerate(found):
        rows = image.people.track_ids.tolist()
        assert image.frame == number and rows == [number + number // 2, number + number // 2 + 1][:1 + number % 2]
        np.testing.assert_allclose(image.people.vertices, track.vertices[[row % 4 for row in rows]], atol=1e-4)
    assert family.asked == [48, 48, 48, 6]


def test_as_a_list():
    found, _ = images(40)
    assert found[-1].frame == 39 and [image.frame for image in found[30:35]] == [30, 31, 32, 33, 34]
    assert found[3].people.body_pose.shape == (2, 23, 3)
    with pytest.raises(IndexError):
        found[40]


def test_who_stays_keeps_its_bits():
    points = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    moves = Moves(torch.tensor([[0, 0, 0], [0, 0, 1.]]).double(), torch.tensor([1, 2.]).double())
    for given in points, torch.tensor(points):
        moved = moved_points(moves, given, torch.ones(2, 3))
        assert type(moved) is type(given) and moved.dtype == given.dtype
        np.testing.assert_array_equal(moved[0], points[0])
        np.testing.assert_allclose(moved[1], 2 * points[1] - 1 + [0, 0, 1], atol=1e-6)
        np.testing.assert_array_equal(given, points)
