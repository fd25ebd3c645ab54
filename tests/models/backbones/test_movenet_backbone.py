"""The frozen encoder: who it finds, its tokens, each picture for itself; MoveNet neither learns nor is kept."""
from pathlib import Path

import cv2
import pytest
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.boxes import corners
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.models.backbones import MoveNetBackbone
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.tables.people_table import PeopleTable

CROWD = Path(__file__).parents[3] / 'demo/resources/crowd'
SIZE = 384


def picture(row, size=SIZE):
    """A bundled crowd with a long side of ``size``, and the boxes of its people's joints, px."""
    image = cv2.imread(str(CROWD / 'images' / f'{Path(row.img_id).stem}.jpg'))[..., ::-1]
    factor = size / max(image.shape[:2])
    image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    people, body_model = row.pred_instances, BODY_MODELS.build(dict(type='OpenBody'))
    vertices = body_model(people.pose, people.betas, people.transl).vertices
    pixels = project(body_model.regress(vertices, 'coco17'), row.pred_camera.intrinsics) * factor
    padded = cv2.copyMakeBorder(image, 0, -image.shape[0] % 32, 0, -image.shape[1] % 32, cv2.BORDER_CONSTANT)
    return torch.from_numpy(padded.copy()).permute(2, 0, 1).float(), torch.cat([pixels.amin(1), pixels.amax(1)], -1)


@pytest.fixture(scope='module')
def backbone():
    torch.manual_seed(0)
    return MoveNetBackbone(input_size=SIZE, dims=32, depth=1, num_heads=2, num_people=16).eval()


@pytest.fixture(scope='module')
def pictures():
    table = PeopleTable(CROWD / 'truth')
    first, second = picture(table[19]), picture(table[16])
    upright = torch.zeros(3, SIZE, 288)  # a part of a crowd, in another format
    upright[:, :first[0].shape[1]] = first[0][:, :, 48:336]
    return [first, second, (upright, None)]


@torch.no_grad()
def test_people_are_found(backbone, pictures):
    people = backbone([image for image, _ in pictures]).people
    found = wanted = 0
    for i, (_, true) in enumerate(pictures[:2]):
        count = int(people.known[i].sum())
        assert people.known[i].tolist() == [True] * count + [False] * (16 - count)
        iou = box_iou(corners(people.boxes[i, :count] * SIZE).numpy(), true.numpy())
        found, wanted = found + (iou.max(0) > .5).sum(), wanted + len(true)
    assert found >= .7 * wanted
    assert (people.mean_scores[people.known] >= backbone.min_mean).all() and (people.boxes[~people.known] == .5).all()


@torch.no_grad()
def test_a_picture_gives_what_it_gives_alone(backbone, pictures):
    images = [image for image, _ in pictures]
    together, start = backbone(images), 0
    for i, image in enumerate(images):
        alone, count = backbone([image]), together.packing.lens[i]
        assert count == image.shape[1] * image.shape[2] / 32**2
        torch.testing.assert_close(together.features[start:start + count], alone.features, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(together.camera[i], alone.camera[0], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(together.people.contents[i], alone.people.contents[0], rtol=1e-3, atol=1e-3)
        assert torch.equal(together.centers[start:start + count], alone.centers)
        start += count
    assert together.centers[0].tolist() == pytest.approx([16 / SIZE, 16 / SIZE])


@torch.no_grad()
def test_nobody_in_a_batch(backbone):
    people = backbone([torch.full((3, 64, 64), 127.)] * 2).people
    assert people.contents.shape == (2, 16, 32) and not people.known.any() and people.contents.isfinite().all()


def test_movenet_does_not_learn_and_is_in_no_checkpoint(backbone, pictures):
    tokens = backbone([pictures[0][0]])
    (tokens.features.sum() + tokens.people.contents.sum() + tokens.camera.sum()).backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters())
    assert not any(name.startswith(('movenet', 'features')) for name in backbone.state_dict())


def test_pictures_that_come_again_in_training_are_not_looked_at_again(pictures):
    backbone = MoveNetBackbone(input_size=SIZE, dims=32, depth=1, num_heads=2, person=dict(blind=0.), keep=1).train()
    looked, look = [], backbone.movenet.look
    backbone.movenet.look = lambda images: looked.append(len(images)) or look(images)
    first, again = (backbone([image for image, _ in pictures]) for _ in range(2))
    assert sum(looked) == 3 + 2
    torch.testing.assert_close(first.features, again.features, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(first.people.contents, again.people.contents, rtol=1e-2, atol=1e-2)
    backbone.eval()([pictures[0][0]])
    assert sum(looked) == 6


def test_other_sides_are_refused(backbone):
    with pytest.raises(ValueError, match=r'100 x 64 px, .* multiples of 32: data_preprocessor=dict\(pad_multiple=32\)'):
        backbone([torch.zeros(3, 100, 64)])
