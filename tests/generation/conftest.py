"""A small folder in the layouts the generator reads, with a body made of a board: seconds for a whole run."""
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scripts import load_script

HERE = Path(__file__).parent
TOOL = 'tools/generate_dto.py'

SIZE = (96, 128)
CONFIG = """
_base_ = ['{configs}/_base_/dto/paper.py']
custom_imports = dict(imports=['toy_plugin'])
data_root = '{data}'
body_model = dict(_delete_=True, type='ToyBody')
source = dict(type='InitialMeshes', ann_file='initial_meshes.npz', img_prefix='images')
stages = dict(
    depth=dict(source=dict(
        type='PrecomputedDepth', folder='disparity', kind='disparity', scale='disparity/scale.json')),
    masks=dict(source=dict(type='PrecomputedMasks', folder='masks')),
    ages=dict(source=dict(type='PrecomputedAges', path='ages.json')),
    dto=dict(evidence=dict(min_visible_vertices=20, min_area=1e-3)),
    keep=dict(max_deviation=20.))
batch_size = 4
shard_size = 5
"""


def write_folder(folder, count):
    """``count`` images of 3 or 4 boards whose initial distance is wrong by a factor each."""
    from toy_plugin import ToyBody

    from mmhuman_dto.geometry import rasterize
    model, meshes, scales, ages = ToyBody(), {}, {}, {}
    for name in ('images', 'disparity', 'masks'):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng([7, number])
        people = int(rng.integers(3, 5))
        intrinsics = torch.tensor([[110., 0, SIZE[1] / 2], [0, 110, SIZE[0] / 2], [0, 0, 1]])
        z = rng.uniform(3, 6, people)
        x, y = np.arange(people) - (people - 1) / 2, rng.uniform(-.2, .2, people)
        transl = torch.tensor(np.stack([x, y, z], 1), dtype=torch.float32)
        betas = torch.zeros(people, 11)
        betas[:, 0] = torch.from_numpy(rng.normal(0, .5, people))
        raster = rasterize(model(None, betas, transl).vertices, model.faces, intrinsics, SIZE)
        depth = torch.where(raster.z_map > 0, raster.z_map, 20).numpy() * (1 + .01 * rng.normal(size=SIZE))
        name = f'{number:04d}'
        cv2.imwrite(str(folder / 'images' / f'{name}.jpg'), rng.integers(0, 255, (*SIZE, 3), np.uint8))
        cv2.imwrite(str(folder / 'disparity' / f'{name}.png'), np.round(1 / depth * 60000).astype(np.uint16))
        cv2.imwrite(str(folder / 'masks' / f'{name}.png'), raster.id_map.numpy().astype(np.uint8))
        wrong = transl.numpy() * rng.uniform(.9, 1.1, (people, 1)).astype(np.float32)
        meshes[f'{name}.jpg'] = dict(trans_cam=wrong, pose_cam=np.zeros((people, 72), np.float32),
                                     shape=betas[:, :10].numpy(), cam_int=intrinsics.expand(people, 3, 3).numpy())
        scales[f'{name}.jpg'] = 1000 / 60000
        ages[f'{name}.jpg'] = dict(ages=[30.] * people, male_probs=[.5] * people)
    np.savez(folder / 'initial_meshes.npz', annots=np.array(meshes, dtype=object))
    (folder / 'disparity' / 'scale.json').write_text(json.dumps(scales))
    (folder / 'ages.json').write_text(json.dumps(ages))


def edit_meshes(folder, edit):
    """Rewrite the initial meshes after ``edit(annots)`` changed them."""
    path = folder / 'initial_meshes.npz'
    annots = np.load(path, allow_pickle=True)['annots'].item()
    edit(annots)
    np.savez(path, annots=np.array(annots, dtype=object))


def break_two(one, other):
    """Annotations of two images that fail, while they are read and in a stage."""
    one['trans_cam'] = one['trans_cam'][:1]
    other['cam_int'] = -other['cam_int']


@pytest.fixture(scope='session')
def crowd_template(tmp_path_factory):
    folder = tmp_path_factory.mktemp('crowd') / 'data'
    write_folder(folder, 23)
    return folder


@pytest.fixture
def crowd(crowd_template, tmp_path):
    """A folder of 23 images and a config for it: ``crowd.data``, ``crowd.config``, ``crowd.edit_meshes(function)``."""
    class Crowd:
        data, config, out = tmp_path / 'data', tmp_path / 'config.py', tmp_path / 'out'

        def edit_meshes(self, edit):
            edit_meshes(self.data, edit)

    shutil.copytree(crowd_template, Crowd.data)
    Crowd.config.write_text(CONFIG.format(configs=HERE.parents[1] / 'configs', data=Crowd.data))
    return Crowd()


@pytest.fixture
def broken_crowd(crowd):
    """A few failures in it, so that the logs are part of a comparison; sheets too."""
    crowd.edit_meshes(lambda annots: break_two(annots['0003.jpg'], annots['0017.jpg']))
    crowd.config.write_text(crowd.config.read_text() + 'contact_sheets = dict(every=4, rows=1)\nshard_size = 2\n')
    return crowd


@pytest.fixture
def tool(monkeypatch, capsys):
    """Call the tool's main() as the command line would; returns exit status, stdout, stderr."""
    module = load_script(TOOL)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [TOOL, *map(str, arguments)])
        try:
            status = module.main()
        except SystemExit as error:
            status = error.code
        return (status, *capsys.readouterr())

    return call
