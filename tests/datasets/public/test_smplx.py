"""A data set with SMPL-X annotations, by the files that docs/tutorials/your_dataset.md says and no others."""
import sys
from pathlib import Path

import numpy as np
import pytest
import smplx
import torch
from mmengine.config import Config
from scripts import ROOT, load_script
from smplx.joint_names import JOINT_NAMES
from smplx_files import write_smplx

from mmhuman_dto.apis.training import build_runner
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.public.smplx import smplx_people
from mmhuman_dto.datasets.public.world import RestPelvis, WorldReader
from mmhuman_dto.datasets.public_sets import command_for
from mmhuman_dto.datasets.transforms.warp import MIRROR, Warp, warp_sample
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.registry import BODY_MODELS, METRICS, READERS
from mmhuman_dto.structures import HumanDataSample, People

PAGE = (ROOT / 'docs/tutorials/your_dataset.md').read_text()
SIZES = dict(global_orient=3, body_pose=63, betas=10, transl=3, jaw_pose=3, leye_pose=3, reye_pose=3,
             left_hand_pose=45, right_hand_pose=45, expression=10)
HANDS_FACE = [name for name in SIZES if name.endswith(('hand_pose', 'eye_pose', 'jaw_pose', 'expression'))]


def block(name):
    return PAGE.split(f'```python\n# {name}.py\n')[1].split('```')[0]


def annotated(rng, count):
    people = {name: rng.normal(0, .2, (count, size)).astype(np.float32) for name, size in SIZES.items()}
    people['global_orient'][:, 0] += np.pi
    people['transl'][:, 2] += 3
    return dict(people, cam_int=np.array([[150., 0, 80], [0, 150, 60], [0, 0, 1]]))


@pytest.fixture(params=[True, False], ids=['whole body', 'body'])
def place(request, tmp_path, monkeypatch):
    """A folder with the set, the page's two files (with or without hands and face), and the tables they lead to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shipped = {name: reader for name, reader in READERS.module_dict.items() if name != 'MySMPLXSet'}
    monkeypatch.setattr(READERS, '_module_dict', shipped)
    Path('configs').symlink_to(ROOT / 'configs')
    write_smplx('data/smplx', scale=.3)
    rng, annots = np.random.default_rng(4), {}
    for split in ('train', 'test'):
        annots[split] = {f'{split}{i}.png': annotated(rng, 2) for i in range(2)}
        np.savez(f'data/{split}.npz', annots=np.array(annots[split], dtype=object))
        for name in annots[split]:
            write_image(Path('data/my-set/images') / name, rng.integers(0, 255, (120, 160, 3), np.uint8))
        Path(f'data/{split}.npz').rename(f'data/my-set/{split}.npz')
    reader, training = block('my_smplx_set'), block('my_smplx_training')
    if not request.param:
        reader = reader.replace('whole_body = True', 'whole_body = False')
        training = training.replace(', whole_body=True', '').replace('num_joints=55, num_betas=20', 'num_betas=10')
        training = training.replace('[1.] * 20', '[1.] * 10')
    Path('my_smplx_set.py').write_text(reader)
    Path('my_smplx_training.py').write_text(training)
    tool = load_script('tools/dataset_converters/public2table.py')
    for split in annots:
        assert tool.main(['my-set', split, '--import', 'my_smplx_set']) == 0
    yield request.param, annots
    del sys.modules['my_smplx_set']


def truth(people, whole_body):
    """Vertices (N, V, 3) m by the smplx package."""
    model = smplx.create('data/smplx', 'smplx', use_pca=False, batch_size=2)
    rest = () if whole_body else HANDS_FACE
    return model(**{name: torch.as_tensor(people[name]) * (name not in rest) for name in SIZES}).vertices.detach()


def test_from_its_file_to_training_and_figures(place):
    whole_body, annots = place
    config = Config.fromfile('my_smplx_training.py')
    body = BODY_MODELS.build(config.body_model)
    metric = METRICS.build(config.test_evaluator)
    for split, images in annots.items():
        dataset = HumanTable('data/my-set/images', f'data/my-set/tables/{split}')
        for sample in dataset:
            people = sample.gt_instances
            vertices = body(people.pose, people.betas, people.transl).vertices
            torch.testing.assert_close(vertices, truth(images[sample.img_id], whole_body), atol=1e-5, rtol=0)
            sample.pred_instances, sample.pred_camera = people.new(), sample.gt_camera
            sample.pred_instances.scores = torch.ones(2)
            metric.process(None, [sample.to_dict()])
    figures = metric.evaluate(4)
    assert [value for name, value in figures.items() if name.endswith('/mve')] == [pytest.approx(0, abs=1e-3)]

    assert command_for('data/my-set/tables/test').endswith('public2table.py my-set test --import my_smplx_set')
    config.work_dir, config.train_cfg.max_iters = 'work_dirs', 1
    config.custom_hooks = []
    runner = build_runner(config)
    runner.train()
    assert runner.iter == 1
    for loss in ('poses', 'betas', 'j3ds'):
        assert 0 < runner.message_hub.get_scalar(f'train/loss_{loss}').current() < np.inf
    assert any(name.endswith('/recall') for name in runner.test())


def test_whole_bodies_of_a_world_frame(tmp_path):
    body = dict(type='SMPLX', model_path=str(write_smplx(tmp_path, scale=.3)), whole_body=True)
    given = {name: torch.from_numpy(value).float() for name, value in annotated(np.random.default_rng(1), 3).items()}
    in_world = smplx_people(given)
    reader = WorldReader.__new__(WorldReader)
    reader.pelvis = RestPelvis(body)
    turn, shift = axis_angle_to_matrix(torch.tensor([.3, 2, -.5])), torch.tensor([1., -2, 5])
    in_camera = reader._people(in_world.global_orient, in_world.body_pose, in_world.betas, in_world.transl,
                               turn.expand(3, 3, 3), shift.expand(3, 3))
    model = BODY_MODELS.build(body)
    before, after = (model(people.pose, people.betas, people.transl).vertices for people in (in_world, in_camera))
    torch.testing.assert_close(after, before @ turn.T + shift, atol=1e-5, rtol=0)


def test_sides_of_a_mirrored_body():
    names = JOINT_NAMES[1:55]
    people = People(body_pose=torch.arange(54.).view(1, 54, 1) * torch.tensor([1., 0, 0]))
    sample = HumanDataSample(metainfo=dict(img_shape=(10, 10)), gt_instances=people)
    warp_sample(sample, Warp(MIRROR, np.eye(3), (10, 10)))
    other = [names.index({'left': 'right', 'right': 'left'}.get(name.split('_')[0], name.split('_')[0]) +
                         name[len(name.split('_')[0]):]) for name in names]
    assert sample.gt_instances.body_pose[0, :, 0].tolist() == other
