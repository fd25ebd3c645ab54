"""The second look at people: what is shown, read and combined, from known truth; better joints on known crowds."""
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.perception.blazepose import COCO17, NUM_LANDMARKS, SIDE, BlazePoseOutput
from mmhuman_dto.perception.blazepose_joints import combine, distinct, in_domain
from mmhuman_dto.perception.blazepose_look import Square, decode, put_back, show, square_around
from mmhuman_dto.perception.crops import Halves
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tables.people_table import PeopleTable

CROWD = Path(__file__).parents[2] / 'demo/resources/crowd'


@pytest.fixture(scope='module')
def source():
    return SOURCES.build(dict(type='BlazePoseJoints', masks=True, device='cpu'))


def picture(image):
    sample = HumanDataSample(metainfo=dict(img_id='photo', ori_shape=image.shape[:2]))
    sample.image = np.ascontiguousarray(image)
    return sample


def standing(angle):
    """Joints (17, 2) of somebody 200 px tall, hips at (300, 200), turned clockwise by an angle, and their scores."""
    joints = np.zeros((17, 2))
    joints[:5], joints[5:11] = (0, -90), [(x, y) for y in (-70, -40, -10) for x in (20, -20)]
    joints[11:] = [(x, y) for y in (0, 55, 110) for x in (12, -12)]
    cos, sin = math.cos(angle), math.sin(angle)
    return joints @ np.array([[cos, sin], [-sin, cos]]) + (300, 200), np.full(17, .8)


@pytest.mark.parametrize('angle', [0., .5, -math.pi / 2, 3.])
def test_people_are_shown_upright_around_their_hips(angle):
    square = square_around(*standing(angle))
    matrix = square.matrix
    shown = standing(angle)[0] @ matrix[:, :2].T + matrix[:, 2]
    # The farthest joint, an ankle, lies 1 / 1.25 of the way from the middle to the border.
    scale = SIDE / 2 / (1.25 * math.hypot(110, 12))
    np.testing.assert_allclose(shown, (standing(0)[0] - (300, 200)) * scale + SIDE / 2, atol=1e-6)
    np.testing.assert_allclose(square.to_image(shown), standing(angle)[0], atol=1e-6)


@pytest.mark.parametrize('unseen', [[5, 6], [11, 12]])
def test_without_shoulders_or_hips_the_square_is_upright_around_the_rest(unseen):
    joints, scores = standing(1.)
    scores[unseen] = .1
    square, rest = square_around(joints, scores), np.delete(joints, unseen, 0)
    assert square.angle == 0
    np.testing.assert_allclose(square.center, (rest.min(0) + rest.max(0)) / 2)


@pytest.mark.parametrize('size', [100, 256, 900])
def test_pixels_are_taken_from_where_the_square_says(size):
    """The picture's values are its coordinates, which tells where what is shown was taken, and stripes of one pixel."""
    y, x = np.mgrid[:400, :600] + .5
    image = np.stack([x / 3, y / 2, 200 * (x // 1 % 2)], -1).round().astype(np.uint8)
    square = Square(np.array([310.3, 190.8]), size, .7)
    # OpenCV rounds halves up, of the negative too.
    shown, negative = (show(Halves(picture), square).astype(float) for picture in (image, 255 - image))
    shown[negative > 0] = (shown + 255 - negative)[negative > 0] / 2
    v, u = np.mgrid[:SIDE, :SIDE] + .5
    true = square.to_image(np.stack([u, v], -1).reshape(-1, 2)).reshape(SIDE, SIDE, 2)
    inside = ((true > 6) & (true < (594, 394))).all(-1)
    assert inside.sum() > 10000
    np.testing.assert_allclose(shown[inside][:, :2] * (3, 2), true[inside], atol=3.2)
    assert abs((shown[inside][:, :2] * (3, 2) - true[inside]).mean(0)).max() < .1
    assert shown[inside][:, 2].mean() == pytest.approx(100, abs=2)
    if size > 512:
        assert shown[inside][:, 2].std() < 25  # no pixel is skipped
    outside = ((true < -6) | (true > (606, 406))).any(-1)
    assert (shown[outside] == 0).all()


def test_masks_return_to_their_place():
    square = Square(np.array([310.3, 190.8]), 200., .7)
    v, u = np.mgrid[:SIDE, :SIDE] + .5
    mask = np.hypot(u - 150, v - 100) < 40
    back = put_back(mask.astype(np.float32), square, (400, 600)) > .5
    rows, columns = back.nonzero()
    center, = square.to_image(np.array([[150, 100]]))
    np.testing.assert_allclose([columns.mean() + .5, rows.mean() + .5], center, atol=.1)
    assert back.sum() == pytest.approx(math.pi * (40 * 200 / SIDE)**2, rel=.01)


def test_joints_are_read_from_the_heat_around_their_landmarks():
    landmarks, heat = torch.zeros(1, NUM_LANDMARKS, 5), torch.zeros(1, NUM_LANDMARKS, 64, 64)
    landmarks[..., :2] = torch.tensor([101., 61.])  # cell 25, 15
    heat[0, :, 16, 27], heat[0, :, 17, 27], heat[0, :, 16, 29] = .6, .2, .9  # the last is somebody else's
    landmarks[0, COCO17[9], 0], heat[0, COCO17[10]] = -3., 0.
    joints, scores = decode(BlazePoseOutput(landmarks, torch.ones(1), heat, None))
    torch.testing.assert_close(joints[0, 0], torch.tensor([4 * 27., 4 * 16.25]))
    torch.testing.assert_close(scores[0, [0, 9, 10]], torch.tensor([.6, 0, 0]))
    torch.testing.assert_close(joints[0, [9, 10]], torch.tensor([[-3., 61.], [101., 61.]]))


def test_looks_are_weighted_by_how_exact_they_are():
    first, scores = standing(0)
    second, second_scores = first.copy(), np.full(17, .8)
    second[9:11] += (10, 0)
    second[[13, 14]] += (150, 0)
    second_scores[[10, 14]] = .1
    joints, mixed = combine(first[None], scores[None], second[None], second_scores[None])
    # Variances: first look (.15 e^(-2.6 .8))^2 = 3.51e-4, second (.30 e^(-3.7 .8))^2 = 2.42e-4, or 4.29e-2 for .1.
    np.testing.assert_allclose((joints - first)[0, [9, 10], 0], [5.92, .081], rtol=.01)
    np.testing.assert_allclose(mixed[0, [9, 10]], [.8, .8 - .7 * .0081], rtol=1e-3)
    np.testing.assert_allclose((joints - first)[0, [13, 14], 0], [150, 0])
    np.testing.assert_allclose(mixed[0, [13, 14]], [.8 * .592, .8 * .9919], rtol=1e-2)


def test_a_head_and_shoulders_get_no_hips_from_a_second_look():
    scores = np.array([[.8] * 7 + [.1] * 10, [.8] * 7 + [.1] * 4 + [.3] + [.1] * 5])
    assert in_domain(scores).tolist() == [[True] * 7 + [False] * 10, [True] * 17]


def test_nobody_and_the_same_person_again_go():
    (joints, scores), other = standing(0), standing(2)[0]
    people = np.stack([joints + 3, joints, other, joints + 900])
    assert distinct(people, np.stack([scores - .1, scores, scores - .2, scores - .5]), .4).tolist() == [1, 2]


def test_a_source_of_people_without_joints_is_refused():
    with pytest.raises(ValueError, match='ExifFocal finds no coco17 joints'):
        SOURCES.build(dict(type='BlazePoseJoints', people=dict(type='ExifFocal')))


def test_pictures_without_people_give_nobody(source):
    people, = source([picture(np.full((60, 90, 3), 127, np.uint8))])
    assert len(people) == 0 and people.masks.shape == (0, 60, 90)


def test_people_of_a_bundled_crowd_have_better_joints_and_masks(source, monkeypatch):
    """Their mean error falls, and half of the masks cover what is seen of them to .9; the same in smaller batches."""
    body_model, row = BODY_MODELS.build(dict(type='OpenBody')), PeopleTable(CROWD / 'truth')[5]
    people, name = row.pred_instances, Path(row.img_id).stem
    true = project(body_model.regress(body_model(people.pose, people.betas, people.transl).vertices, 'coco17'),
                   row.pred_camera.intrinsics).numpy()
    sample = picture(cv2.imread(str(CROWD / 'images' / f'{name}.jpg'))[..., ::-1])
    first, = source.people([sample])
    monkeypatch.setattr(source, 'people', lambda samples: [first])
    second, = source([sample])
    error = []
    for found in (first, second):
        overlap = box_iou(np.concatenate([true.min(1), true.max(1)], -1), found.bboxes.numpy())
        seen = overlap.max(1) >= .5
        joints = found.keypoints_2d.numpy()[overlap.argmax(1)[seen]]
        error.append(np.linalg.norm(joints - true[seen], axis=-1).mean())
    assert error[1] < .95 * error[0]
    ids = cv2.imread(str(CROWD / 'masks' / f'{name}.png'), cv2.IMREAD_UNCHANGED)
    shown = np.stack([ids == number for number in np.unique(ids[ids > 0])])
    masks = second.masks.numpy()[:, None]
    iou = ((masks & shown).sum((2, 3)) / (masks | shown).sum((2, 3))).max(1)
    assert np.median(iou) >= .9
    monkeypatch.setattr(source.look, 'batch_size', 3)
    again, = source([sample])
    torch.testing.assert_close(again.keypoints_2d, second.keypoints_2d, rtol=0, atol=1e-2)
    assert (again.masks != second.masks).float().mean() < 1e-4
