"""A folder of photos becomes labels to train on: with a broken file, a wall, subfolders; stopped and gone on with."""
import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import ROOT
from unbroken import read_bytes

from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.public.dto_humans import DTOHumans, DTORaw
from mmhuman_dto.generation import Generator
from mmhuman_dto.generation.shard_maker import ShardMaker
from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import match_people
from mmhuman_dto.models.task_modules import TargetEncoder
from mmhuman_dto.registry import BODY_MODELS, DATASETS
from mmhuman_dto.structures.fields import SEEN_SCORE
from mmhuman_dto.tables.people_table import PeopleTable

CROWDS = ROOT / 'demo/resources'
#: Photo of the folder -> rendered crowd that it is, and its row in the crowds' truth.
PHOTOS = {'a/crowd.jpg': ('crowd', 23), 'b/c/group.jpg': ('group', 0)}


@pytest.fixture(scope='module')
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('photos')
    for name, (crowd, row) in PHOTOS.items():
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(CROWDS / crowd / f'images/{row:04d}.jpg', folder / name)
    (folder / 'b/broken.jpg').write_bytes((folder / 'a/crowd.jpg').read_bytes()[:2000])
    cv2.imwrite(str(folder / 'wall.png'), np.full((240, 320, 3), 90, np.uint8))
    return folder


def generator(photos, out, **options):
    config = Config.fromfile(ROOT / 'configs/dto/open_from-photos.py')
    config.merge_from_dict(dict(data_root=str(photos), device='cpu', batch_size=2, shard_size=2, **options))
    config.merge_from_dict({'contact_sheets.every': 3})
    return Generator(config.to_dict(), out, resume=out.exists(), check=out.name == 'out')


@pytest.fixture(scope='module')
def run(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp('run') / 'out'
    return out, generator(photos, out).run('OPEN')


def test_everything_ends_in_the_table_or_in_a_line(run):
    out, counts = run
    table = PeopleTable(out / 'people_table')
    assert [table.image_id(i) for i in range(len(table))] == list(PHOTOS)
    assert (counts['kept'], counts['failed'], counts['skipped']) == (2, 1, 1)
    lines = {name: [json.loads(line) for line in (out / f'{name}.jsonl').read_text().splitlines()]
             for name in ('failures', 'skipped')}
    assert [line['image'] for line in lines['failures']] == ['b/broken.jpg']
    assert [(line['image'], line['reason']) for line in lines['skipped']] == [('wall.png', 'nobody detected')]
    assert table.schema['supervision'] == dict(fully_annotated=False, joint_set='coco17')
    assert table.columns['image.focal_std'].tolist() == pytest.approx([.27, .27], abs=.06)    # EXIF says nothing
    assert len(list((out / 'contact_sheets').iterdir())) == 2     # one a shard


def test_labels_are_what_was_seen_and_how_sure_it_is(run):
    body_model, table = BODY_MODELS.build(dict(type='OpenBody')), PeopleTable(run[0] / 'people_table')
    for number, (crowd, row) in enumerate(PHOTOS.values()):
        people, true = table[number].pred_instances, PeopleTable(CROWDS / crowd / 'truth')[row]
        joints = body_model.select_joints(
            body_model(*(getattr(true.pred_instances, name) for name in ('pose', 'betas', 'transl'))), 'coco17')
        pixels = project(joints, true.pred_camera.intrinsics).numpy()
        pairs = match_people(people.keypoints_2d.numpy(), pixels, np.ones(pixels.shape[:2], bool), .5)
        assert len(pairs.true) == len(people) == len(pixels)
        seen = people.keypoints_2d_valid[pairs.pred].numpy()
        assert set((seen > 0).flatten() == (seen >= SEEN_SCORE).flatten()) == {True} and (seen <= 1).all()
        error = np.linalg.norm(people.keypoints_2d.numpy()[pairs.pred] - pixels[pairs.true], axis=-1)
        assert np.median(error[seen > 0]) < 4 and (seen > 0).mean() > .8
        assert people.has_mesh.float().mean() > .8
        # Without a known focal length depths are less sure than heights are.
        assert (people.depths_std / people.transl[:, 2] > people.heights_std / people.heights).all()


def test_training_trusts_heights_and_no_distance_of_a_guessed_focal_length(run, photos):
    dataset = HumanTable(photos, run[0] / 'people_table', pipeline=[
        dict(type='LoadImage'), dict(type='TrustLabels'),
        dict(type='JointsFromMeshes', body_model=dict(type='OpenBody'))])
    for sample in dataset:
        people = sample.gt_instances
        assert not sample.has_focal and not people.has_depth.any() and people.has_mesh.any()
        assert people.keypoints_2d.shape[1:] == (45, 2) and not sample.fully_annotated
        assert torch.equal(people.keypoints_3d_valid[:, 0], people.has_mesh)


def test_the_training_recipe_mixes_them_with_crowds_of_whom_all_is_known(run):
    config = Config.fromfile(ROOT / 'configs/metric_hmr/vit-s_open.py').train_dataloader.dataset
    config.datasets[0].table = str(run[0] / 'people_table')
    config.datasets[1].update(num_scenes=3, cache_dir=None)
    mixture, body_model = DATASETS.build(config), BODY_MODELS.build(dict(type='OpenBody'))
    samples = [item['data_samples'] for item in mixture.__getitems__(range(12))]
    photos = ['dataset' in sample for sample in samples]
    assert 3 <= sum(photos) <= 10
    for sample, is_photo in zip(samples, photos):
        targets = TargetEncoder()([sample], body_model, 448)
        has_mesh = sample.gt_instances.has_mesh if is_photo else torch.ones(targets.num_people, dtype=torch.bool)
        assert torch.equal(targets.known['poses'], has_mesh) and targets.known['boxes'].all()
        assert targets.known['depths'].tolist() == [not is_photo] * targets.num_people
        assert targets.focals.isnan().tolist() == [is_photo] and targets.fully_annotated == [True]
        assert not targets.j2ds_mask[~has_mesh].all(-1).all(-1).any() and targets.j2ds_mask[has_mesh].all()


def test_public_layouts_hold_those_with_meshes(run):
    out, _ = run
    table = PeopleTable(out / 'people_table')
    for reader, suffix in ((DTORaw, 'opt'), (DTOHumans, 'CHMR_SMPL_OPT')):
        public = reader(f'OPEN_{suffix}.npz', data_root=out)
        assert public.ids == list(PHOTOS)
        for number in range(len(table)):
            people, ours = public[number].pred_instances, table[number].pred_instances
            for name in ('transl', 'global_orient', 'body_pose', 'betas'):
                torch.testing.assert_close(people[name], ours[name][ours.has_mesh], atol=0, rtol=0)


def test_stopped_after_a_shard_it_goes_on_to_the_same_bytes(run, photos, tmp_path, monkeypatch):
    def stop(self, shard, *args):
        if shard:
            raise KeyboardInterrupt
        make(self, shard, *args)

    make = ShardMaker.make
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ShardMaker, 'make', stop)
        generator(photos, tmp_path / 'again').run('OPEN')
    assert [path.name for path in (tmp_path / 'again/shards').iterdir()] == ['000000']
    generator(photos, tmp_path / 'again').run('OPEN')
    assert read_bytes(tmp_path / 'again') == read_bytes(run[0])
