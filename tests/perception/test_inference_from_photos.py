"""A network's people placed by DTO with the recipe of photos: depth, boxes, joints and ages by other networks."""
import known_crowd  # noqa: F401
import pytest
import torch
from known_network import CROWD, Known
from scripts import ROOT

from mmhuman_dto.apis.inference import DTOInferencer


@pytest.fixture
def recipe(save_depth, save_classifier, tmp_path):
    """File of the photos' recipe with people and joints that are known, and small networks for depth and ages."""
    known = {stage: dict(source=dict(_delete_=True, type='KnownCrowd', root=str(CROWD), part=part))
             for stage, part in (('detect', 'people'), ('pose', 'keypoints'))}
    stages = dict(known, depth=dict(source=dict(model=save_depth(depth_estimation_type='metric', max_depth=20))),
                  ages=dict(source=dict(model=save_classifier(['0-2', '3-9', '20-29']),
                                        gender_model=save_classifier(['female', 'male']))))
    (tmp_path / 'photos.py').write_text(f'_base_ = ["{ROOT}/configs/dto/paper_from-photos.py"]\nstages = {stages}\n')
    return tmp_path / 'photos.py'


def test_those_who_are_detected_are_placed_and_keep_their_rows(recipe):
    results = list(DTOInferencer(Known(), recipe)([3, 5]))
    for result in results:
        before, after = result.sample.pred_instances, result.placed.pred_instances
        assert 3 <= len(after) < len(before) and 'person_index' not in before
        assert torch.equal(after.body_pose, before.body_pose[after.person_index])
        assert len(after.person_index.unique()) == len(after)
        assert 'ages' in after and set(dict(result.placed.items())) == {'pred_instances', 'pred_camera'}
        scene = result.scene(Known().body_model)
        assert scene.after.ids.tolist() == after.person_index.tolist() and len(scene.before.ids) == len(before)
    assert any((r.placed.pred_instances.person_index.diff() != 1).any() for r in results)
