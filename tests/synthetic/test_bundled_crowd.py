"""The crowds in demo/resources still are what their files say; else write it again with make_synthetic_crowd.py."""
import json
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config

from mmhuman_dto.geometry import rasterize
from mmhuman_dto.tables.people_table import PeopleTable

ROOT = Path(__file__).parents[2]
CROWD = ROOT / 'demo/resources/crowd'
CONFIG = ROOT / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py'
SIZE = (512, 768)


@pytest.fixture(scope='module')
def truth():
    table = PeopleTable(CROWD / 'truth')
    return [table[i] for i in range(len(table))]


def test_it_is_small_and_complete(truth):
    assert len(truth) == 24
    assert sum(path.stat().st_size for path in CROWD.rglob('*')) < 6e6
    for sample in truth:
        for folder, suffix in (('images', '.jpg'), ('disparity', '.png'), ('masks', '.png')):
            assert (CROWD / folder / sample.img_id).with_suffix(suffix).is_file()


def test_heights_are_those_of_the_body(truth, body_model):
    for sample in truth:
        assert torch.allclose(body_model.height(sample.pred_instances.betas), sample.pred_instances.heights, atol=1e-4)


def test_masks_are_the_truth_drawn_by_the_body(truth, body_model):
    for sample in truth[::4]:
        people = sample.pred_instances
        vertices = body_model(people.pose, people.betas, people.transl).vertices
        raster = rasterize(vertices, body_model.faces, sample.pred_camera.intrinsics, SIZE)
        path = (CROWD / 'masks' / sample.img_id).with_suffix('.png')
        ids = torch.as_tensor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        shown = ids > 0  # seats hide some of what is drawn here
        assert (raster.id_map[shown] == ids[shown]).float().mean() > .995


def test_it_holds_children_and_crowds(truth):
    ages = torch.cat([sample.pred_instances.ages for sample in truth])
    assert (ages < 3).sum() >= 5 and .2 < (ages < 15).float().mean() < .5
    assert max(len(sample.pred_instances) for sample in truth) >= 10


def test_it_says_how_it_was_made():
    about = json.loads((CROWD / 'crowd.json').read_text())
    assert about['body_model'] == 'OpenBody' and len(about['indices']) == 24
    assert about['errors']['initial']['focal_noise'] > 0


def test_the_group_is_one_picture_of_what_the_network_was_trained_on():
    group = CROWD.parent / 'group'
    truth, about = PeopleTable(group / 'truth'), json.loads((group / 'crowd.json').read_text())
    assert len(truth) == len(about['indices']) == 1 and len(truth[0].pred_instances) >= 3
    assert sum(path.stat().st_size for path in group.rglob('*')) < 5e5
    scenes = Config.fromfile(CONFIG).test_dataloader.dataset.scenes
    asked = {name: about['config'][name] for name in scenes if name not in ('size', 'people')}
    assert asked == {name: list(scenes[name]) if isinstance(scenes[name], tuple) else scenes[name] for name in asked}
    picture = cv2.imread(str(group / 'images/0000.jpg'))
    assert list(picture.shape[:2]) == about['config']['size'] == [3 * side for side in scenes['size']]
