"""The loop on real pictures: who is in them, what of labels is measured, and what a training is given."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import ROOT, load_script

from mmhuman_dto.registry import BODY_MODELS, DATASETS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder

bench = load_script('tools/benchmark/bench_open_loop.py')
truth = load_script('tools/benchmark/_photo_truth.py')
K = np.array([[500., 0, 240], [0, 500, 320], [0, 0, 1]])


def test_who_is_whole_in_a_picture_is_who_was_annotated():
    with np.load(truth.CLIP_TRUTH) as real:
        arrays = dict(real)
    image = np.zeros((1920, 1088, 3), np.uint8)
    unknown = dict(arrays, det_camera=np.full_like(arrays['det_camera'], 9))
    for camera in (0, 3):
        for frame in arrays['frames'][::6]:
            said, found = (truth._clip_case(one, camera, frame, image) for one in (arrays, unknown))
            assert sorted(said.groups) == sorted(found.groups) and len(said.groups) == (3, 0, 0, 2)[camera]
            order = [said.groups.index(name) for name in found.groups]
            np.testing.assert_array_equal(said.joints[order], found.joints)
    # One of the others sees the man and the avatar alone.
    assert [len(truth._clip_case(arrays, camera, 0, image).groups) for camera in bench.LABELLED] == [3, 2]


@pytest.fixture(scope='module')
def labels(tmp_path_factory):
    """A table of exact labels of three people, of which one has no mesh and one no height, and its :class:`Case`."""
    folder, body_model = tmp_path_factory.mktemp('labels'), BODY_MODELS.build(dict(type='OpenBody'))
    pose = torch.zeros(3, 24, 3)
    pose[:, 0, 0] = torch.pi
    people = People(
        global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.zeros(3, 11),
        transl=torch.tensor([[-1.2, .2, 4], [0, .3, 5], [1.2, .1, 6]]), has_mesh=torch.tensor([True, True, False]),
        heights_std=torch.tensor([.1, .5, .1]), depths_std=torch.tensor([.3, .3, .3]),
        keypoints_2d=torch.zeros(3, 17, 2), keypoints_2d_valid=torch.ones(3, 17))
    people.heights = body_model.height(people.betas)
    sample = HumanDataSample(metainfo=dict(img_id='cam02/000000.jpg', ori_shape=(640, 480), focal_std=0.,
                                           joint_set='coco17', fully_annotated=False))
    sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=torch.from_numpy(K).float())
    table = PeopleTableBuilder('OpenBody', img_root=str(folder))
    table.add(sample)
    table.write(folder / 'table')
    case = truth.Case('cam02/000000', np.zeros((640, 480, 3), np.uint8), K, truth.joints_of(people, body_model),
                      np.ones((3, 17), bool), people.heights.double().numpy(), ('man', 'avatar', 'bystander'))
    return folder / 'table', case, body_model


def test_labels_are_measured_by_what_is_learnt_from_them(labels, monkeypatch):
    table, case, body_model = labels
    monkeypatch.setattr(bench, 'clip_cases', lambda *args: [case, case._replace(img_id='cam02/000004')])
    rows = bench.label_rows(table, bench.parse_args(['--clip', 'x']), body_model)
    assert [(row['who'], row['people']) for row in rows] == [
        ('all', 3), ('has_mesh', 2), ('and has_shape', 1), ('and has_depth', 2)]
    for row in rows:
        assert row['mpjpe'] < .1 and row['relative_depth_error'] < .01 and row['height_error'] < 1e-5
    assert rows[0]['f1_iou50'] == 100 and rows[1]['f1_iou50'] == pytest.approx(80)
    assert len(bench.cells(rows[0])) == 2 + len(bench.SHOWN)


def test_both_trainings_see_the_same_crowds_and_one_the_labels(labels, tmp_path):
    table, *_ = labels
    made = {}
    for name, share in bench.ARMS.items():
        loader = Config.fromfile(ROOT / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py').train_dataloader
        bench.set_data(loader, share, table, tmp_path)
        mixture = DATASETS.build(loader.dataset)
        made[name] = [len(dataset) for dataset in mixture.datasets], mixture.slots.tolist()
        assert [step.type for step in loader.dataset.pipeline] == [
            'RandomView', 'KeepVisiblePeople', 'ColorJitter', 'PackHumanInputs']
        assert loader.dataset.pipeline[0].input_size == 224
    assert made == {'rendered crowds': ([3000], [1000]), 'rendered crowds and labels': ([3000, 1], [500, 500])}


def test_the_page_has_both_tables(tmp_path):
    (tmp_path / 'benchmarks.md').write_text('a\n<!-- open loop: generated -->\nold\n<!-- end -->\nb\n')
    row = dict.fromkeys(bench.SHOWN, 12.345)
    args = bench.parse_args(['--clip', 'x', '--docs', str(tmp_path), '--steps', '7'])
    bench.write_page(args, [dict(row, who='all', people=3)], [dict(row, who='crowds', people=4, mpjpe=float('nan'))])
    text = (tmp_path / 'benchmarks.md').read_text()
    assert '| all | 3 | 12.3 |' in text and '| crowds | 4 | 12.3 | 12.3 | 12.3 | - |' in text and '7 steps' in text
    assert text.startswith('a\n') and text.endswith('b\n') and 'old' not in text
