"""Trainings with an absurd label, or with pictures that cannot be read, on one and on two ranks."""
import json
import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from unbroken import cut

import mmhuman_dto.models  # noqa: F401
from mmhuman_dto.engine.resume import find_damage
from mmhuman_dto.registry import MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

RECIPE = """
_base_ = ['{config}']
val_cfg, val_evaluator, val_dataloader = None, None, None
own = dict(type='HumanTable', data_root='{folder}', table='{folder}/table')
joints = dict(type='JointsFromMeshes', body_model=dict(type='OpenBody'))
train_dataloader = dict(batch_size=1, dataset=dict(datasets=[dict(own, pipeline=[dict(type='LoadImage'), joints])]))
test_dataloader = dict(batch_size=1, dataset=dict(own, _delete_=True, pipeline=[
    dict(type='LoadImage', blank=True), joints, dict(type='Resize', input_size=112), dict(type='PackHumanInputs')]))
test_evaluator = dict(type='CrowdMetric', body_model=dict(type='OpenBody'))
train_cfg = dict(max_iters=12)
default_hooks = dict(checkpoint=dict(interval=1))
"""
NUMBER = 4


@pytest.fixture
def recipe(config, tmp_path):
    """recipe(field=value of all people of image 2): four pictures with two people each, and a recipe for them."""
    def make(**absurd):
        builder = PeopleTableBuilder('OpenBody')
        for i in range(NUMBER):
            Image.fromarray(np.full((112, 112, 3), 40 * i, np.uint8)).save(tmp_path / f'{i}.png')
            sample = HumanDataSample(metainfo=dict(img_id=f'{i}.png', ori_shape=(112, 112), has_3d=True))
            people = dict(global_orient=torch.tensor([[3.1, 0, 0]] * 2), body_pose=torch.zeros(2, 23, 3),
                          betas=torch.zeros(2, 11), transl=torch.tensor([[-.5, 0, 5.], [.5, 0, 6.]]))
            if i == 2:
                people.update({name: torch.full_like(people[name], value) for name, value in absurd.items()})
            sample.gt_instances = People(**people)
            sample.gt_camera = Camera(intrinsics=torch.tensor([[112., 0, 56], [0, 112, 56], [0, 0, 1]]))
            builder.add(sample)
        builder.write(tmp_path / 'table')
        (tmp_path / 'recipe.py').write_text(RECIPE.format(config=config, folder=tmp_path))
        return tmp_path / 'recipe.py', '--work-dir', tmp_path / 'work'
    return make


@pytest.mark.parametrize('ranks, absurd', [
    (1, dict(betas=1e37)), (2, dict(betas=1e37)), (1, dict(transl=-1e38)), (1, dict(body_pose=3e38))])
def test_an_absurd_label_ends_it_before_a_checkpoint_is_spoilt(recipe, finish, ranks, absurd, tmp_path):
    status, text = finish('train.py', *recipe(**absurd), ranks=ranks)
    said = re.findall(r'train.py: step (\d+), images ([^:]*): ((?:nan|inf) in .*?)\.', text)
    assert status != 0 and len(said) == 1 and said[0][1] == '2.png' and 'loss' in said[0][2], text
    kept = list((tmp_path / 'work').glob('iter_*.pth'))
    assert len(kept) == int(said[0][0]) - 1 and all(find_damage(path) is None for path in kept)


def test_a_broken_picture_costs_itself_in_training_and_is_named_in_the_figures(recipe, finish, tmp_path):
    arguments = recipe()
    cut(tmp_path / '1.png')
    status, text = finish('train.py', *arguments)
    assert status == 0 and text.count('another sample is taken') == 1, text
    status, text = finish('test.py', arguments[0], tmp_path / 'work/iter_12.pth', *arguments[1:],
                          '--out', tmp_path / 'figures.json')
    assert status == 0 and '1.png could not be read, its people count as missed' in text, text
    assert json.loads((tmp_path / 'figures.json').read_text())['unreadable_images'] == 1


def test_a_test_set_of_which_no_picture_can_be_read_has_no_figures(recipe, finish, tmp_path):
    arguments = recipe()
    model = MODELS.build(Config.fromfile(arguments[0]).model)
    torch.save(model.state_dict(), tmp_path / 'weights.pth')
    for i in range(NUMBER):
        cut(tmp_path / f'{i}.png')
    status, text = finish('test.py', arguments[0], tmp_path / 'weights.pth', *arguments[1:])
    assert status == 1 and 'no picture of the test set could be read' in text.splitlines()[-1], text


def test_too_many_broken_pictures_end_it_in_one_line(recipe, finish, tmp_path):
    arguments = recipe()
    for i in range(NUMBER):
        cut(tmp_path / f'{i}.png')
    status, text = finish('train.py', *arguments, '--cfg-options', 'train_dataloader.num_workers=1')
    last = text.strip().splitlines()[-1]
    assert status == 1 and 'train.py: 10 samples in a row are broken' in last and 'Traceback' not in text, text
