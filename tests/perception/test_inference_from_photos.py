"""A network's people placed by DTO with the recipe of photos: depth, boxes, joints and ages by other networks."""

import pytest
import torch
from known_network import CROWD, Known
from scripts import ROOT, load_script

from mmhuman_dto.apis.inference import DTOInferencer

RECIPE = """
_base_ = ['{root}/configs/dto/paper_from-photos.py']
stages = dict(
    detect=dict(source=dict(_delete_=True, **{detect})),
    pose=dict(source=dict(_delete_=True, **{pose})),
    depth=dict(source=dict(model='{depth}')),
    ages=dict(source=dict(model='{ages}', gender_model='{sexes}')))
"""


@pytest.fixture
def recipe(save_depth, save_classifier, tmp_path):
    """recipe(detect, pose) -> file of the photos' recipe with small networks for depth and ages."""

    def write(detect, pose):
        path = tmp_path / 'photos.py'
        path.write_text(RECIPE.format(
            root=ROOT, detect=detect, pose=pose, depth=save_depth(depth_estimation_type='metric', max_depth=20),
            ages=save_classifier(['0-2', '3-9', '20-29']), sexes=save_classifier(['female', 'male'])))
        return path

    return write


def test_those_who_are_detected_are_placed_and_keep_their_rows(recipe):
    import known_crowd  # noqa: F401
    known = [dict(type='KnownCrowd', root=str(CROWD), part=part) for part in ('people', 'keypoints')]
    results = list(DTOInferencer(Known(), recipe(*known))([3, 5]))
    for result in results:
        before, after = result.sample.pred_instances, result.placed.pred_instances
        assert 3 <= len(after) < len(before) and 'person_index' not in before
        assert torch.equal(after.body_pose, before.body_pose[after.person_index])
        assert len(after.person_index.unique()) == len(after)
        assert 'ages' in after and set(dict(result.placed.items())) == {'pred_instances', 'pred_camera'}
        scene = result.scene(Known().body_model)
        assert scene.after.ids.tolist() == after.person_index.tolist() and len(scene.before.ids) == len(before)
    assert any((r.placed.pred_instances.person_index.diff() != 1).any() for r in results)


def test_the_demo_with_networks_for_everything(recipe, mask2former, vitpose, tmp_path, capsys):
    """Networks that know nothing fit nobody, which costs no picture its files."""
    path = recipe(dict(type='TransformersPeople', model=str(mask2former)),
                  dict(type='TransformersKeypoints', model=str(vitpose)))
    demo = load_script('demo/image_demo.py')
    assert demo.main([str(CROWD / 'images/0005.jpg'), '--dto', str(path), '--out-dir', str(tmp_path / 'out'),
                      '--save', 'params', '--device', 'cpu']) == 0
    assert 'DTO: ' in capsys.readouterr().out and (tmp_path / 'out/params/0005.json').is_file()
