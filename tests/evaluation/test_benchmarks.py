"""Every benchmark from its public file to its figures: who finds the truth in what the network sees is right.

Files in the true layouts are converted, read by the test pipeline of the shipped config, resized, and answered by the
bodies of the scene in the pixels of the network's input, as a network would.
"""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from writer_public import write_public_set

import mmhuman_dto.datasets  # noqa: F401
from mmhuman_dto.apis.training import metrics_of
from mmhuman_dto.generation.conversion import Conversion
from mmhuman_dto.models.data_preprocessor import HMRDataPreprocessor
from mmhuman_dto.registry import BODY_MODELS, DATASETS, METRICS
from mmhuman_dto.structures import Camera, People, to_original
from mmhuman_dto.synthetic import CrowdConfig, sample_scene

CONFIGS = Path(__file__).parents[2] / 'configs/metric_hmr'
BODY = dict(type='OpenBody')
SIZE = 112
#: Reader -> config, and its figures: most one may be off, or the percentage it has to reach.
ERRORS = dict(mpjpe=.5, mve=.5)
FOUND = dict(precision=100, recall=100, f1=100)
PLACED = {'camera_space/translation_error': .002, 'camera_space/fov_error': .01, 'camera_space/height_error': .001}
BENCHMARKS = {
    'AGORA': ('vit-b_dto-humans', 'agora', ERRORS, FOUND, PLACED),
    'BEDLAM': ('benchmarks/vit-b_bedlam', 'bedlam', ERRORS, FOUND, PLACED),
    'ThreeDPW': ('vit-b_3dpw', '3dpw', dict(ERRORS, pa_mpjpe=.5, pa_mve=.5, height_error=.001), FOUND, {}),
    'Hi4D': ('vit-b_hi4d', 'hi4d', dict(ERRORS, pa_mpjpe=.5, pa_mve=.5, height_error=.001), FOUND, {}),
    'Panoptic': ('benchmarks/vit-b_panoptic', 'panoptic', dict(mean=.5, mafia=.5, missed=0), {}, {}),
    'MuPoTS': ('benchmarks/vit-b_mupots', 'mupots', dict(mismatch=0), dict(pck_all=100, pck_matched=100), {}),
    'RelativeHuman': ('vit-b_relative-human', 'relative_human', {}, dict(FOUND, pcdr=100, pcdr_adult=100, mpckh=100),
                      {}),
}


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(BODY)


@pytest.fixture(scope='module')
def scenes(body_model):
    """Grown-ups in pictures of 168 x 126 px."""
    config = CrowdConfig(size=(126, 168), people=(2, 3), child_share=0)
    return [sample_scene(index, body_model, config, seed=5) for index in range(3)]


def on_open_body(config):
    """A config of metrics or a pipeline with the open body wherever it names one, and small images."""
    if isinstance(config, list):
        return [on_open_body(value) for value in config]
    if not isinstance(config, dict):
        return config
    small = {key: on_open_body(value) for key, value in config.items() if key != 'body_vertices'}
    small.update({key: BODY for key in ('body_model', 'male', 'female') if key in config})
    if 'input_size' in config:
        small['input_size'] = SIZE
    return small


def answer(sample, scene, body_model, joint_set):
    """The scene's people as a network gives them that saw the sample."""
    warp = torch.as_tensor(sample.warp, dtype=torch.float32)
    pose, betas, transl, intrinsics = (torch.as_tensor(x, dtype=torch.float32)
                                       for x in (scene.pose, scene.betas, scene.transl, scene.intrinsics))
    pixels = body_model.select_joints(body_model(pose, betas, transl), joint_set) @ (warp @ intrinsics).T
    sample.pred_instances = People(
        global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl, scores=torch.ones(len(pose)),
        keypoints_2d=pixels[..., :2] / pixels[..., 2:])
    sample.pred_camera = Camera(intrinsics=warp @ intrinsics)
    return to_original(sample)


@pytest.mark.parametrize('reader', BENCHMARKS)
def test_the_truth_is_perfect(reader, scenes, body_model, tmp_path):
    path, prefix, errors, shares, more = BENCHMARKS[reader]
    source = write_public_set(reader, tmp_path / 'data', scenes, BODY)
    Conversion([source], tmp_path / 'table', 'OpenBody', 11).run()
    config = Config.fromfile(CONFIGS / f'{path}.py')
    dataset = DATASETS.build(dict(
        on_open_body(config.test_dataloader.dataset.to_dict()), table=str(tmp_path / 'table'),
        data_root=str(tmp_path / 'data')))
    preprocess = HMRDataPreprocessor(SIZE)
    metrics = [METRICS.build(metric) for metric in on_open_body([dict(m) for m in metrics_of(config)])]
    for item, scene in zip(dataset, scenes):
        seen, = preprocess(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]))['data_samples']
        assert max(seen.img_shape) == SIZE
        sample = answer(seen, scene, body_model, config.model.get('joint_set', 'smpl45'))
        assert sample.img_shape == (126, 168)
        for metric in metrics:
            metric.process(None, [sample.to_dict()])
    figures = {name: value for metric in metrics for name, value in metric.evaluate(len(scenes)).items()}
    for public in ('', '_public'):
        for name, most in errors.items():
            assert abs(figures[f'{prefix}{public}/{name}']) <= most, name
        for name, share in shares.items():
            assert figures[f'{prefix}{public}/{name}'] == pytest.approx(share, abs=.01), name
    for name, most in more.items():
        assert figures[name] <= most, name
    if prefix in ('3dpw', 'hi4d'):
        # In pixels of the original image, and of that which the network sees (here of 1288 px, as published).
        focal = sum(float(scene.intrinsics[0, 0]) for scene in scenes) / len(scenes)
        assert figures[f'{prefix}/gt_focal_mean'] == pytest.approx(focal, rel=1e-4)
        assert figures[f'{prefix}_public/gt_focal_mean'] == pytest.approx(focal * 1288 / 168, rel=1e-4)
        assert figures[f'{prefix}/focal_error'] < .01
