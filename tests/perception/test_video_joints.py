"""People and joints through the frames of a video: as good as picture by picture, from few looks of MoveNet."""
from pathlib import Path

import numpy as np
import pytest
import torch

from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import HumanDataSample

#: Three people, apart from each other.
PHOTO = Path(__file__).parents[2] / 'demo/resources/group/images/0000.jpg'
#: px that the picture moves from frame to frame.
STEP = 4


@pytest.fixture(scope='module')
def source():
    return SOURCES.build(dict(type='VideoJoints', device='cpu'))


@pytest.fixture(scope='module')
def photo():
    return read_image(PHOTO)


@pytest.fixture(scope='module')
def still(photo):
    """What BlazePoseJoints finds in the photo."""
    return SOURCES.build(dict(type='BlazePoseJoints', device='cpu'))([sample(photo)])[0]


@pytest.fixture
def looks(source, monkeypatch):
    """List of the sides, px, at which MoveNet looks."""
    sides, look = [], source.movenet.look
    monkeypatch.setattr(source.movenet, 'look', lambda image, side: sides.append(side) or look(image, side))
    source.forget()
    return sides


def sample(image, **meta):
    made = HumanDataSample(metainfo=dict(img_id='frame', ori_shape=image.shape[:2], **meta))
    made.image = np.ascontiguousarray(image)
    return made


def video(image, numbers, start=1):
    """Frames in which the image moves to the right; what it loses there comes in again on the left."""
    return [sample(np.roll(image, STEP * number, 1), frame=start + number) for number in numbers]


def without(image, box):
    """The image with one person's box taken over by a piece of the wall."""
    x0, y0, x1, y1 = np.round(box + np.array([-25, -25, 25, 25])).clip(0).astype(int)
    changed = image.copy()
    changed[y0:y1, x0:x1] = np.linspace(90, 150, changed[y0:y1, x0:x1].shape[1])[:, None]
    return changed


def rows_of(people, boxes):
    """Row of the person in each of the boxes (N, 4)."""
    overlap = box_iou(people.bboxes.numpy(), boxes)
    assert (overlap.max(0) > .5).all()
    return overlap.argmax(0)


def error(people, still, shift):
    """Median distance of joints from those of the still picture, moved, px."""
    rows = rows_of(people, still.bboxes.numpy() + np.tile(shift, 2))
    return float((people.keypoints_2d[rows] - still.keypoints_2d - torch.tensor(shift)).norm(dim=-1).median())


def test_a_picture_alone_is_looked_at_as_blazepose_joints_does(source, photo, still, looks):
    """At the start, at a new shot, after a gap, at each multiple of ``reset_every`` and without a number."""
    source([sample(photo[:, 300:], frame=40)])
    source([sample(photo[:, 300:], frame=41)])
    for meta in (dict(frame=42, shot_start=True), dict(frame=59), dict(frame=60), dict()):
        looks.clear()
        found, = source([sample(photo, **meta)])
        assert looks == [192, 256, 384, 512]
        torch.testing.assert_close(found.keypoints_2d, still.keypoints_2d, atol=1e-3, rtol=0)
        torch.testing.assert_close(found.keypoints_2d_valid, still.keypoints_2d_valid, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.bboxes, still.bboxes, atol=1e-3, rtol=0)
    source.forget()
    source([sample(photo, frame=3)])
    looks.clear()
    source([sample(photo, frame=4)])
    assert looks == []
    source([sample(photo[:, 300:], frame=5)])
    assert len(looks) == 4


def test_people_are_followed_with_few_looks(source, photo, still, looks):
    frames = video(photo, range(11))
    for number, found in enumerate(source(frames)):
        assert len(found) == len(still) == 3
        assert error(found, still, [STEP * number, 0.]) < 2.5
    assert len(looks) <= 5 + 2 and min(looks[5:]) >= 256  # one full look and two quick ones


def test_results_do_not_depend_on_how_frames_are_batched(source, photo):
    source.forget()
    whole = source(video(photo, range(7), start=57))
    source.forget()
    parts = [source(part) for part in (video(photo, range(2), 57), video(photo, range(2, 3), 57),
                                       video(photo, range(3, 7), 57))]
    source.forget()
    resumed = source(video(photo, range(3, 7), start=57))  # frame 60 is a multiple of reset_every
    for a, b in zip(whole, sum(parts, [])):
        assert torch.equal(a.keypoints_2d, b.keypoints_2d) and torch.equal(a.scores, b.scores)
    for a, b in zip(whole[3:], resumed):
        assert torch.equal(a.keypoints_2d, b.keypoints_2d) and torch.equal(a.scores, b.scores)


def test_who_leaves_is_gone_and_who_comes_is_found(source, photo, still):
    source.forget()
    box = still.bboxes[1].numpy()
    empty = without(photo, box)
    pictures = [photo] * 4 + [empty] * 8 + [photo] * 6
    found = source([sample(picture, frame=1 + number) for number, picture in enumerate(pictures)])
    there = [bool((box_iou(people.bboxes.numpy(), box[None]) > .3).any()) for people in found]
    assert all(there[:4]) and not any(there[7:12])
    assert all(there[-1:]) and [len(people) for people in found[6:12]] == [2] * 6


def test_somebody_whom_movenet_misses_stays(source, photo, still, monkeypatch):
    source.forget()
    none = np.zeros((0, 17, 2)), np.zeros((0, 17))
    monkeypatch.setattr(source, '_quick', lambda *args: none)
    for number, found in enumerate(source(video(photo, range(11)))):
        assert len(found) == 3
        assert error(found, still, [STEP * number, 0.]) < 2.5


def test_nobody_is_found_twice(source, photo, looks):
    """Two squares that end on one body are one person."""
    source(video(photo, range(1)))
    source._people = source._people[[0, 1, 2, 0]]
    found, = source(video(photo, range(1, 2)))
    assert len(found) == 3


def test_masks_are_those_of_the_people(photo):
    source = SOURCES.build(dict(type='VideoJoints', masks=True, device='cpu'))
    for found in source(video(photo, range(2))):
        assert found.masks.shape == (3, *photo.shape[:2])
        for mask, box in zip(found.masks, found.bboxes):
            rows, columns = mask.nonzero().unbind(1)
            inside = (columns > box[0] - 20) & (columns < box[2] + 20) & (rows > box[1] - 40) & (rows < box[3] + 30)
            assert len(rows) > 1000 and inside.float().mean() > .95


def test_pictures_without_people_give_nobody(source):
    source.forget()
    blank = np.full((120, 160, 3), 127, np.uint8)
    for found in source([sample(blank, frame=number) for number in range(1, 5)]):
        assert len(found) == 0 and found.keypoints_2d.shape == (0, 17, 2)
