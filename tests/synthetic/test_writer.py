import hashlib
import json

import cv2
import numpy as np
import pytest

from mmhuman_dto.synthetic import (
    CrowdConfig,
    DisparityErrors,
    InitialErrors,
    NetworkErrors,
    Renderer,
    disparity,
    sample_scene,
)
from mmhuman_dto.synthetic.writers.crowd import write_crowd
from mmhuman_dto.tables.people_table import PeopleTable

CONFIG = CrowdConfig(size=(120, 180), people=(2, 4))
EXACT = NetworkErrors(InitialErrors.none(), DisparityErrors.none())


@pytest.fixture(scope='module')
def folder(body_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp('crowd')
    write_crowd(folder, [3, 5], body_model, CONFIG, seed=1, errors=EXACT, map_divisor=2)
    return folder


@pytest.fixture(scope='module')
def scenes(body_model):
    return [sample_scene(index, body_model, CONFIG, seed=1) for index in (3, 5)]


def test_initial_meshes_have_the_public_layout(folder, scenes):
    annots = np.load(folder / 'initial_meshes.npz', allow_pickle=True)['annots'].item()
    assert list(annots) == ['0000.jpg', '0001.jpg']
    for scene, record in zip(scenes, annots.values()):
        count = len(scene)
        assert record.pop('body_model') == 'OpenBody'
        assert {key: value.shape for key, value in record.items()} == dict(
            trans_cam=(count, 3), pose_cam=(count, 72), shape=(count, 11), cam_int=(count, 3, 3))
        assert np.allclose(record['trans_cam'], scene.transl, atol=1e-4)


def test_networks_without_a_child_coefficient_write_ten(body_model, tmp_path):
    write_crowd(tmp_path, [0], body_model, CONFIG)
    record = np.load(tmp_path / 'initial_meshes.npz', allow_pickle=True)['annots'].item()['0000.jpg']
    assert record['shape'].shape[1] == 10


def test_maps_and_pictures_come_back(folder, scenes, body_model):
    scale = json.loads((folder / 'disparity/scale.json').read_text())
    renderer = Renderer(body_model)
    for i, scene in enumerate(scenes):
        picture = renderer(scene)
        ids = cv2.imread(str(folder / f'masks/{i:04d}.png'), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(ids, picture.id_map)
        stored = cv2.imread(str(folder / f'disparity/{i:04d}.png'), cv2.IMREAD_UNCHANGED)
        assert stored.dtype == np.uint16 and stored.shape == (60, 90)
        exact = cv2.resize(disparity(scene, picture, DisparityErrors.none()), (90, 60), interpolation=cv2.INTER_AREA)
        assert np.abs(stored * scale[f'{i:04d}.jpg'] - exact).max() < 2e-5 * exact.max()
        image = cv2.imread(str(folder / f'images/{i:04d}.jpg'))[..., ::-1]
        assert np.abs(image.astype(int) - picture.image).mean() < 4


def test_truth_and_labels_match_the_scenes(folder, scenes):
    table = PeopleTable(folder / 'truth')
    ages, visible = (json.loads((folder / f'{name}.json').read_text()) for name in ('ages', 'visible'))
    assert len(table) == 2
    for i, scene in enumerate(scenes):
        sample, name = table[i], f'{i:04d}.jpg'
        assert sample.img_id == name and tuple(sample.ori_shape) == scene.size
        people = sample.pred_instances
        for field in ('transl', 'betas', 'heights', 'ages', 'pose'):
            assert np.allclose(getattr(people, field), getattr(scene, field), atol=1e-5)
        assert np.array_equal(people.male_probs, scene.male)
        assert np.allclose(sample.pred_camera.intrinsics, scene.intrinsics, rtol=1e-6)
        assert len(ages[name]['ages']) == len(ages[name]['male_probs']) == len(visible[name]) == len(scene)


def test_same_arguments_same_bytes(folder, body_model, tmp_path):
    write_crowd(tmp_path, [3, 5], body_model, CONFIG, seed=1, errors=EXACT, map_divisor=2)
    files = sorted(path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
    assert len(files) >= 20
    for file in files:
        digests = {hashlib.sha256((root / file).read_bytes()).hexdigest() for root in (folder, tmp_path)}
        assert len(digests) == 1, file
