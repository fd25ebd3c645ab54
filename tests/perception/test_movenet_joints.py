"""Everybody's joints by the bundled network: finding people of known crowds."""
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tables.people_table import PeopleTable

CROWD = Path(__file__).parents[2] / 'demo/resources/crowd'


@pytest.fixture(scope='module')
def source():
    return SOURCES.build(dict(type='MoveNetJoints', device='cpu'))


@pytest.mark.parametrize('shape', [(40, 30), (1, 700), (300, 900)])
def test_pictures_without_people_give_nobody(source, shape):
    people = source.find(np.full((*shape, 3), 127, np.uint8))
    assert len(people) == 0 and people.keypoints_2d.shape == (0, 17, 2)


def test_people_of_bundled_crowds_are_found(source):
    """Of the first two crowds at least 90 %, each within 4 % of its height on the median joint; nobody twice."""
    body_model, table = BODY_MODELS.build(dict(type='OpenBody')), PeopleTable(CROWD / 'truth')
    found = wanted = extra = 0
    for row in (table[19], table[16]):
        people = row.pred_instances
        vertices = body_model(people.pose, people.betas, people.transl).vertices
        true = project(body_model.regress(vertices, 'coco17'), row.pred_camera.intrinsics).numpy()
        image = cv2.imread(str(CROWD / 'images' / f'{Path(row.img_id).stem}.jpg'))[..., ::-1]
        sample = HumanDataSample(metainfo=dict(img_id=row.img_id))
        sample.image = np.ascontiguousarray(image)
        result = source([sample])[0]
        pairs = box_iou(result.bboxes.numpy(), np.concatenate([true.min(1), true.max(1)], -1)) >= .5
        extra += (~pairs.any(1)).sum()
        for number in pairs.any(0).nonzero()[0]:
            joints = result.keypoints_2d[pairs[:, number].argmax()].numpy()
            error = np.median(np.linalg.norm(joints - true[number], axis=-1)[5:])
            found += error < .04 * np.ptp(true[number, :, 1])
        wanted += len(true)
    assert found >= .9 * wanted and extra <= 1

