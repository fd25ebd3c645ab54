"""The shipped recipe of DTO-Humans runs as it is on data laid out as it says."""
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmhuman_dto.datasets.public.camerahmr import CameraHMRRelease
from mmhuman_dto.generation import Generator
from mmhuman_dto.geometry import rasterize
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.stages import ConfigError
from mmhuman_dto.structures import People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_table import PeopleTable

ROOT = Path(__file__).parents[2]
SIZE = (240, 320)


def depth_spread(people, truth):
    """Standard deviation of log(z / true z): 0 when the people stand right up to one common scale."""
    return np.std(np.log(people.transl[:, 2].numpy() / truth.transl[:, 2].numpy()))


@pytest.fixture(scope='module')
def release(tmp_path_factory):
    """Two images of four people in the layout of configs/dto/paper_4dhumans.py, with the synthetic SMPL body."""
    data = tmp_path_factory.mktemp('4dhumans')
    write_synthetic_smpl(data)
    model = BODY_MODELS.build(dict(type='SMPL+A', model_path=str(data / 'smpl'), gender='neutral'))
    intrinsics = torch.tensor([[260., 0, SIZE[1] / 2], [0, 260, SIZE[0] / 2], [0, 0, 1]])
    rows, truth = [], []
    for folder in ('images', 'disparity', 'masks', 'ages'):
        (data / folder / 'train').mkdir(parents=True)
    for number in range(2):
        rng = np.random.default_rng(number)
        z = torch.from_numpy(rng.permutation([3.5, 4, 4.6, 5.2])).float()
        transl = torch.stack([torch.linspace(-1.6, 1.6, 4), torch.full((4, ), .3), z], 1)
        pose = torch.zeros(4, 24, 3)
        pose[:, 0, 0] = torch.pi  # SMPL's y is up, the camera's down
        raster = rasterize(model(pose, torch.zeros(4, 11), transl).vertices, model.faces, intrinsics, SIZE)
        name = f'train/{number}'
        depth = torch.where(raster.z_map > 0, raster.z_map, 20).numpy()
        cv2.imwrite(str(data / 'images' / f'{name}.jpg'), np.full((*SIZE, 3), 90, np.uint8))
        cv2.imwrite(str(data / 'disparity' / f'{name}.png'), np.round(4000 / depth).astype(np.uint16))
        cv2.imwrite(str(data / 'masks' / f'{name}.png'), raster.id_map.numpy().astype(np.uint8))
        np.savez(data / 'ages' / f'{name}.npz', ages=np.full(4, 30.), male_probs=np.full(4, .5))
        wrong = transl.numpy() * rng.uniform(.9, 1.1, (4, 1))
        rows += [(f'{name}.jpg', wrong[i], pose[i].flatten().numpy()) for i in range(4)]
        truth.append(transl)
    names, transl, poses = map(np.array, zip(*rows))
    np.savez(data / 'coco-release.npz', imgname=names, center=np.zeros((8, 2)), scale=np.ones(8),
             shape=np.zeros((8, 10)),
             cam_int=np.repeat(intrinsics[None].numpy(), 8, 0), pose_cam=poses, trans_cam=transl)
    return data, truth


def test_4dhumans_release_with_smpl_a(release, tmp_path):
    data, truth = release
    config = Config.fromfile(ROOT / 'configs/dto/paper_4dhumans.py')
    config.merge_from_dict({'data_root': str(data), 'body_model.model_path': str(data / 'smpl'),
                            'contact_sheets.every': 1})
    counts = Generator(config.to_dict(), tmp_path / 'out').run()
    assert counts == dict(kept=2, people=8, failed=0, skipped=0, skipped_by_reason={}, left_out={})
    table = PeopleTable(tmp_path / 'out' / 'people_table')
    assert table.schema['body_model'] == 'SMPL+A' and table.schema['columns']['people.betas']['row'] == [11]
    before = CameraHMRRelease('coco-release.npz', data_root=data)
    for i in range(2):
        people, exact = table[i].pred_instances, People(transl=truth[i])
        assert people.is_released.all() and people.bboxes.shape == (4, 4)
        assert depth_spread(people, exact) < .6 * depth_spread(before[i].pred_instances, exact)
    assert len(list((tmp_path / 'out' / 'contact_sheets').iterdir())) == 2


def test_meshes_of_smpl_become_another_body_only_when_asked(release, tmp_path):
    data, truth = release
    smpl = dict(type='SMPL', model_path=str(data / 'smpl'))
    config = Config.fromfile(ROOT / 'configs/dto/paper_4dhumans.py')
    config.merge_from_dict({'data_root': str(data), 'body_model': dict(_delete_=True, type='OpenBody'),
                            'stages.keep': None})
    with pytest.raises(ConfigError, match='CameraHMRRelease: its meshes are of SMPL, .* OpenBody.*ConvertMeshes'):
        Generator(config.to_dict(), tmp_path / 'refused')
    config.stages.convert = dict(type='ConvertMeshes', meshes_of=dict(type='OpenBody'), before='people')
    with pytest.raises(ConfigError, match='its meshes are of SMPL, this body model is OpenBody'):
        Generator(config.to_dict(), tmp_path / 'refused')
    config.stages.convert.meshes_of = smpl
    assert Generator(config.to_dict(), tmp_path / 'out').run()['kept'] == 2
    table = PeopleTable(tmp_path / 'out' / 'people_table')
    assert table.schema['body_model'] == 'OpenBody' and table.schema['columns']['people.betas']['row'] == [11]
    exact = People(transl=truth[0])
    assert depth_spread(table[0].pred_instances, exact) < .08


@pytest.mark.parametrize('recipe, invariant', [('posterior', True), ('paper', False)])
def test_the_unit_of_a_depth_map_matters_to_the_papers_solver_alone(tmp_path, recipe, invariant):
    """Relative networks have units of their own; the paper's people whose disparity is below 50 are far."""
    placed = []
    for scale in (1., 1e-3):
        config = Config.fromfile(ROOT / f'configs/dto/{recipe}_synthetic-crowd.py')
        config.merge_from_dict({'data_root': str(ROOT / 'demo/resources/crowd'), 'contact_sheets.every': 0,
                                'stages.keep': None, 'stages.depth.source.scale': scale})
        assert Generator(config.to_dict(), tmp_path / str(scale), limit=3).run()['kept'] == 3
        placed.append(PeopleTable(tmp_path / str(scale) / 'people_table').columns['people.transl'])
    assert np.allclose(*placed, atol=1e-5, rtol=0) == invariant
