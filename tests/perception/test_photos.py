"""Photos: all pictures of a folder, and the shipped recipe from them on, with tiny networks."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmhuman_dto.datasets import Photos
from mmhuman_dto.generation import Generator
from mmhuman_dto.perception import MetricHMRMeshes, TransformersDepth
from mmhuman_dto.registry import MODELS
from mmhuman_dto.tables.people_table import PeopleTable

CONFIGS = Path(__file__).parents[2] / 'configs'
TINY = CONFIGS / 'metric_hmr/vit-tiny_synthetic-crowd.py'


def test_all_pictures_below_a_folder_by_name(tmp_path):
    for name in ('b/2.JPG', 'a.png', 'b/1.webp', 'notes.txt', 'c.json'):
        (tmp_path / 'photos' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'photos' / name).touch()
    photos = Photos('photos', data_root=tmp_path)
    assert photos.ids == ['a.png', 'b/1.webp', 'b/2.JPG'] and len(photos) == 3
    assert photos[2].img_path == str(tmp_path / 'photos/b/2.JPG') and photos[2].img_id == 'b/2.JPG'
    (tmp_path / 'empty').mkdir()
    for folder, words in (('gone', 'no such folder'), ('empty', 'no pictures in it')):
        with pytest.raises(FileNotFoundError, match=f'{folder}: {words}'):
            Photos(folder, data_root=tmp_path)


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """A checkpoint of the tiny network, with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    torch.save(MODELS.build(Config.fromfile(TINY).model.to_dict()).state_dict(), path)
    return str(path)


def test_meshes_by_our_network_in_px_of_the_image(weights, photo):
    source = MetricHMRMeshes(str(TINY), weights, threshold=0., batch_size=2, device='cpu')
    samples = [photo(300, 400, 0), photo(448, 224, 1), photo(300, 400, 2)]
    together = source(samples)
    assert source.body_model.num_betas == 11
    for sample, (people, camera) in zip(samples, together):
        height, width = sample.ori_shape
        assert len(people) == 12 and people.body_pose.shape == (12, 23, 3)
        np.testing.assert_allclose(camera.intrinsics[:2, 2], [width / 2, height / 2], rtol=1e-2)
        assert people.transl[:, 2].min() > 0
    (alone, _), = source(samples[1:2])
    torch.testing.assert_close(alone.transl, together[1][0].transl, rtol=1e-3, atol=1e-3)
    strict = MetricHMRMeshes(str(TINY), weights, threshold=.9999, device='cpu')
    assert len(strict(samples[:1])[0][0]) == 0


def test_the_recipe_runs_from_photos_on(tmp_path, weights, mask2former, vitpose, save_depth, save_classifier, photo):
    """Random networks find nothing that fits: every photo goes all the way to where that shows, and none fails."""
    for number in range(3):
        (tmp_path / 'photos').mkdir(exist_ok=True)
        Image.fromarray(photo(90, 120, number).image).save(tmp_path / f'photos/{number}.jpg')
    config = Config.fromfile(CONFIGS / 'dto/paper_from-photos.py')
    config.merge_from_dict({
        'data_root': str(tmp_path / 'photos'), 'body_model': dict(_delete_=True, type='OpenBody'), 'device': 'cpu',
        'stages.detect.source.model': mask2former, 'stages.detect.source.min_score': .01,
        'stages.pose.source.model': vitpose, 'stages.pose.min_score': -10.,
        'stages.meshes.source.config': str(TINY), 'stages.meshes.source.checkpoint': weights,
        'stages.meshes.source.threshold': 0.,
        'stages.depth.source.model': save_depth(),
        'stages.ages.source.model': save_classifier(['0-2', '3-9']),
        'stages.ages.source.gender_model': save_classifier(['female', 'male'])})
    counts = Generator(config.to_dict(), tmp_path / 'out').run()
    assert counts['failed'] == 0 and counts['skipped_by_reason'] == {'no mesh fits a detected person': 3}


def test_the_recipe_of_the_hub_runs_from_photos_on(tmp_path, save_rtdetr, vitpose, save_depth, photo):
    """Networks of the classes that it names, from folders, with random weights: bodies are fitted to what they say."""
    (tmp_path / 'photos').mkdir()
    for number, size in enumerate([(90, 120), (120, 80)]):
        Image.fromarray(photo(*size, number).image).save(tmp_path / f'photos/{number}.jpg')
    config = Config.fromfile(CONFIGS / 'photo/photo-hub.py')
    config.merge_from_dict({
        'data_root': str(tmp_path / 'photos'), 'device': 'cpu',
        'stages.detect.source.model': save_rtdetr(), 'stages.detect.source.min_score': .01,
        'stages.pose.source.model': vitpose, 'stages.pose.min_score': -10.,
        'stages.depth.source.model': save_depth()})
    counts = Generator(config.to_dict(), tmp_path / 'out').run()
    assert counts['failed'] == 0 and counts['kept'] == 2 and counts['people'] >= 2
    for sample in PeopleTable(tmp_path / 'out/people_table'):
        people = sample.pred_instances
        assert people.keypoint_scores.shape == (len(people), 17) and people.heights.isfinite().all()
        # Without EXIF the focal length was a guess, which DTO may have changed; the axis goes through the centre.
        assert sample.pred_camera.intrinsics[:2, 2].tolist() == [size / 2 for size in sample.ori_shape[::-1]]


@pytest.mark.gpu
def test_on_a_gpu(save_depth, photo):
    folder = save_depth()
    sample = photo(60, 90)
    on_gpu, = TransformersDepth(folder, device='cuda')([sample])
    assert on_gpu.device.type == 'cuda'
    torch.testing.assert_close(on_gpu.cpu(), TransformersDepth(folder, device='cpu')([sample])[0], rtol=1e-2, atol=1e-2)
