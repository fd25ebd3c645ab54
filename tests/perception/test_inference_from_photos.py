"""Photos with the recipe that makes everything by networks: depth, boxes, joints, meshes and ages."""
import json

import known_crowd  # noqa: F401
import numpy as np
import pytest
import torch
from scripts import ROOT

from mmhuman_dto import HumanInferencer

CROWD = ROOT / 'demo/resources/crowd'
PICTURES = [CROWD / f'images/{name}.jpg' for name in ('0003', '0005')]


@pytest.fixture
def recipe(save_depth, save_classifier, tmp_path):
    """File of the photos' recipe with people, joints and meshes that are known, small networks for depth and ages."""
    known = {stage: dict(source=dict(_delete_=True, type='KnownCrowd', root=str(CROWD), part=part))
             for stage, part in (('detect', 'people'), ('pose', 'keypoints'), ('meshes', 'meshes'))}
    stages = dict(known, depth=dict(source=dict(model=save_depth(depth_estimation_type='metric', max_depth=20))),
                  ages=dict(source=dict(model=save_classifier(['0-2', '3-9', '20-29']),
                                        gender_model=save_classifier(['female', 'male']))))
    (tmp_path / 'photos.py').write_text(
        f'_base_ = ["{ROOT}/configs/dto/paper_from-photos.py"]\nstages = {stages}\n'
        'body_model = dict(_delete_=True, type="OpenBody")\n')
    return tmp_path / 'photos.py'


def test_those_who_are_detected_are_placed_and_keep_their_rows(recipe):
    everybody = json.loads((CROWD / 'visible.json').read_text())
    for scene in HumanInferencer(recipe, device='cpu')(PICTURES):
        before, after = scene.before.pred_instances, scene.sample.pred_instances
        assert 3 <= len(after) <= len(before) < len(everybody[scene.img_id])
        assert torch.equal(after.body_pose, before.body_pose[after.person_index])
        assert len(after.person_index.unique()) == len(after)
        assert 'ages' in after and 'masks' not in scene.sample.detected_instances
        assert scene.scene.after.ids.tolist() == after.person_index.tolist()
        assert len(scene.scene.before.ids) == len(before)


def test_networks_of_the_hub_from_folders(save_rtdetr, vitpose, save_depth, photo):
    """Options name what was downloaded before; another depth network is an argument."""
    options = {'stages.detect.source.model': save_rtdetr(), 'stages.detect.source.min_score': .01,
               'stages.pose.source.model': vitpose, 'stages.pose.min_score': -10.}
    images = [photo(90, 120, 0).image, photo(120, 80, 1).image]
    for depth, maps in (({'stages.depth.source.model': save_depth()}, None), ({}, 'none'),
                        ({}, save_depth(depth_estimation_type='metric', max_depth=20))):
        for scene in HumanInferencer('photo-hub', depth=maps, device='cpu', options={**options, **depth})(images):
            assert scene.error == scene.note == '' and len(scene.people) > 0 and scene.people[0].joints == 17
            assert len(scene.before.pred_instances) == len(scene.sample.pred_instances)


def test_depth_by_a_network_of_ones_own(save_depth):
    """A folder with a config.json is a network; where its config says metric, the solver takes its maps for metres."""
    options = dict(model='vit-tiny_synthetic-crowd', dto=True, device='cpu')
    scenes = [HumanInferencer('network', depth=save_depth(depth_estimation_type=kind), **options)(PICTURES[0])
              for kind in ('relative', 'metric')]
    stages = [HumanInferencer('network', depth=save_depth(depth_estimation_type=kind), **options).stages.stages
              for kind in ('relative', 'metric')]
    scales = [{stage.name: stage for stage in some}['dto'].dto.solver.terms[0].scale_std for some in stages]
    assert scales == [np.inf, .1]
    assert all(scene.before is not None for scene in scenes)
    relative, metric = (scene.note for scene in scenes)  # of random weights, which know no metres
    assert relative == '' and 'x as far away as their meshes are' in metric
