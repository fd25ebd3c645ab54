"""What docs/tutorials/your_parts.md says that metrics, hooks, losses and costs can count on is there."""
import re
from dataclasses import fields

import numpy as np
import pytest
import tiny_network
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from scripts import ROOT

from mmhuman_dto import HumanInferencer
from mmhuman_dto.apis import init_model
from mmhuman_dto.models.task_modules import Targets
from mmhuman_dto.structures import HumanDataSample

PAGE = (ROOT / 'docs/tutorials/your_parts.md').read_text()
SECTION = PAGE.split('can count on\n')[1].split('\nOptimiser wrappers')[0]
TABLE = [cell for row in re.findall('^[|] (`.+?) [|]', SECTION, re.M) for cell in re.findall('`(.+?)`', row)]
PEOPLE = [name.split('.')[1] for name in TABLE if name.startswith(('pred_instances.', '.'))]
PICTURE = np.random.default_rng(0).integers(0, 256, (84, 112, 3), dtype=np.uint8)


def check(sample, num_people):
    """A sample, as an object or as the dictionary that metrics have."""
    people = sample['pred_instances'] if isinstance(sample, dict) else sample.pred_instances
    assert {'scores', 'heights', 'transl', 'keypoints_2d'} <= set(PEOPLE) <= set(people.keys())
    assert {len(people[name]) for name in PEOPLE} == {num_people}
    for name in set(TABLE) - {f'.{name}' for name in PEOPLE} - {f'pred_instances.{name}' for name in PEOPLE}:
        part, _, key = name.partition('.')
        value = sample[part] if isinstance(sample, dict) else sample.get(part)
        assert value is not None and (not key or key in value)


class KeepSamples(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return {}


@pytest.mark.parametrize('threshold, num_people', [(0., 6), (.9999, 0)])
def test_people_in_evaluation_and_at_inference(tiny, threshold, num_people):
    network = init_model(*tiny, 'cpu')
    network.threshold = threshold
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(84, 112), img_shape=(84, 112)))
    found = network.test_step(dict(inputs=[torch.from_numpy(PICTURE).permute(2, 0, 1)], data_samples=[sample]))
    check(found[0], num_people)
    metric = KeepSamples()
    Evaluator([metric]).process(found)
    check(metric.results[0], num_people)
    people = found[0].pred_instances
    torch.testing.assert_close(people.heights, network.body_model.height(people.betas))
    scene = HumanInferencer('network', model=tiny[0], checkpoint=tiny[1], device='cpu', threshold=threshold)(PICTURE)
    check(scene.sample, num_people)


@pytest.mark.parametrize('picture, num_people', [(ROOT / 'demo/resources/photo/treadmill.jpg', 3), (PICTURE, 0)])
def test_people_of_the_recipe_for_photos(picture, num_people):
    check(HumanInferencer(device='cpu')(picture).sample, num_people)


def test_predictions_and_targets_of_losses_and_costs():
    model = tiny_network.build()
    data = tiny_network.prepared(model, tiny_network.images((112, 112)), [tiny_network.sample((112, 112), 2)])
    names = set(re.findall(r'`(\w+)`', SECTION.split('A loss has')[1]))
    predictions = {name for name in names if name.startswith('pred_')}
    assert len(predictions) >= 8 and predictions <= set(model.outputs(data['inputs'], [(112, 112)])['layers'])
    targets = names & {field.name for field in fields(Targets)}
    assert targets == {'boxes', 'poses', 'betas', 'j3ds', 'j3ds_mask', 'j2ds', 'j2ds_mask', 'depths'}
