"""From a public file to its metric without anything between: who is right and who is wrong is seen.

That the truth is perfect in every benchmark, by way of its recipe: tests/evaluation/test_benchmarks.py.
"""
import numpy as np
import pytest
import torch

from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.registry import METRICS
from mmhuman_dto.structures import Camera, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

from .conftest import BODY


def tensor(values):
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


def from_scene(scene, body_model):
    """The people of a scene as a network with CrowdPose's joints would predict them, each sure."""
    joints = body_model.regress(torch.as_tensor(scene.vertices), 'crowdpose14')
    people = People(global_orient=tensor(scene.pose[:, 0]), body_pose=tensor(scene.pose[:, 1:]),
                    betas=tensor(scene.betas), transl=tensor(scene.transl), keypoints_2d=tensor(scene.project(joints)),
                    scores=torch.ones(len(scene)))
    return people, Camera(intrinsics=tensor(scene.intrinsics))


def figures(written, folder, network_body, metric, change=lambda people: None, **kwargs):
    """A metric's figures, of what :class:`HumanTable` yields against the scenes' own people after ``change``."""
    builder = PeopleTableBuilder('OpenBody')
    for sample in written.reader:
        builder.add(sample)
    builder.write(folder)
    dataset = HumanTable(written.config['data_root'], folder, pipeline=[dict(type='LoadImage')])
    metric = METRICS.build(dict(type=metric, **kwargs))
    for i, scene in enumerate(written.scenes):
        sample = dataset[i]
        sample.pred_instances, sample.pred_camera = from_scene(scene, network_body)
        change(sample.pred_instances)
        metric.process({}, [sample.to_dict()])
    return metric.compute_metrics(metric.results)


@pytest.mark.parametrize('parity', [False, True])
def test_children(public_sets, body_model, tmp_path, parity):
    values = figures(public_sets['AGORA'], tmp_path / 't', body_model, 'AGORAMetric', body_model=BODY, parity=parity)
    assert [values[key] for key in ('precision', 'recall', 'f1', 'kid_f1')] == [pytest.approx(100)] * 4
    assert [values[key] for key in ('mpjpe', 'mve', 'kid_mpjpe', 'kid_mve')] == [pytest.approx(0, abs=.02)] * 4


@pytest.mark.parametrize('name, metric, key', [('AGORA', 'AGORAMetric', 'mpjpe'), ('Hi4D', 'DPWMetric', 'mpjpe')])
def test_a_wrong_pose_is_seen(public_sets, body_model, tmp_path, name, metric, key):
    def bend(people):
        people.body_pose[:, 15] += .5

    values = figures(public_sets[name], tmp_path / 't', body_model, metric, bend, body_model=BODY)
    assert 5 < values[key] < 200


def test_panoptic_has_figures_of_the_games_that_are_there(public_sets, body_model, tmp_path):
    values = figures(public_sets['Panoptic'], tmp_path / 't', body_model, 'PanopticMetric', body_model=BODY)
    assert [values[name] for name in ('haggling', 'mafia', 'ultimatum', 'mean')] == [pytest.approx(0, abs=.02)] * 4
    assert np.isnan(values['pizza']) and values['missed'] == 0  # three images, three sequences


def test_mupots_scores_the_joints_the_file_calls_visible(public_sets, body_model, tmp_path):
    def swing(people):
        people.body_pose[0, 17] += torch.tensor([0, 2., 0])  # the left elbow, so that the hand is far off

    values = figures(public_sets['MuPoTS'], tmp_path / 't', body_model, 'MuPoTSMetric', swing, body_model=BODY)
    assert values['pck_all'] == pytest.approx(100)  # person 0's left wrist is hidden
    values = figures(public_sets['MuPoTS'], tmp_path / 'p', body_model, 'MuPoTSMetric', swing, body_model=BODY,
                     parity=True)
    assert values['pck_all'] < 100  # the public evaluator takes the flag for another joint's
