"""What comes along works: meshes of the bundled network lie on the people of a photograph and of rendered crowds."""
from pathlib import Path

import numpy as np
import pytest
import torch
from scripts import ROOT

from mmhuman_dto import HumanInferencer
from mmhuman_dto.evaluation.functional.pose import mpjpe, pa_mpjpe
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import box_iou, joint_boxes, match_people
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.tables.people_table import PeopleTable

CROWD, PHOTO = ROOT / 'demo/resources/crowd', ROOT / 'demo/resources/photo/treadmill.jpg'


@pytest.fixture(scope='module')
def inferencer():
    return HumanInferencer('network', device='cpu')


def coco(people, body_model):
    return body_model.select_joints(body_model(people.pose, people.betas, people.transl), 'coco17')


def test_meshes_are_on_the_people_of_a_photograph(inferencer):
    found = SOURCES.build(dict(type='MoveNetJoints', device='cpu')).find(read_image(PHOTO))
    sample = inferencer(PHOTO).sample
    pixels = project(coco(sample.pred_instances, inferencer.body_model), sample.pred_camera.intrinsics).numpy()
    seen = found.keypoints_2d_valid.numpy() > .1
    pairs = match_people(pixels, found.keypoints_2d.numpy(), seen, .5)
    assert len(pixels) == len(found) == len(pairs.true) == 3
    assert ((sample.pred_instances.heights > 1.3) & (sample.pred_instances.heights < 1.95)).all()


def test_poses_and_places_in_rendered_crowds(inferencer):
    """Two crowds, the camera known: all but one in ten are found, half of them within 15 % of their distance."""
    table, body_model, errors, missed = PeopleTable(CROWD / 'truth'), BODY_MODELS.build(dict(type='OpenBody')), [], 0
    for row in (table[19], table[16]):
        path = CROWD / 'images' / f'{Path(row.img_id).stem}.jpg'
        known = HumanInferencer('network', device='cpu', focal=float(row.pred_camera.intrinsics[1, 1]))
        people = known(path).sample.pred_instances
        mine, true = (coco(some, body_model).double() for some in (people, row.pred_instances))
        pixels = [project(joints.float(), row.pred_camera.intrinsics).numpy() for joints in (mine, true)]
        iou = box_iou(*(joint_boxes(joints, np.ones(joints.shape[:2], bool)) for joints in pixels))
        missed += (iou.max(0) < .4).sum()
        pairs = [(iou[:, number].argmax(), number) for number in np.flatnonzero(iou.max(0) >= .4)]
        pred, of = (torch.stack([joints[i] for i in rows]).numpy() for joints, rows in zip((mine, true), zip(*pairs)))
        hips = [joints[:, 11:13].mean(1, keepdims=True) for joints in (pred, of)]
        errors += zip(mpjpe(pred - hips[0], of - hips[1]), pa_mpjpe(pred, of), abs(hips[0] / hips[1] - 1)[:, 0, 2])
    assert missed <= .1 * sum(len(table[i].pred_instances) for i in (19, 16))
    error, aligned, depth = np.median(errors, 0)
    assert error < 130 and aligned < 80 and depth < .15
