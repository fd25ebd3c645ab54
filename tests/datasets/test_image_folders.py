"""Sets laid out as public instructions say: found when converting, and by recipes through the table; moved or not."""
import json
import os
import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import load_script
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.apis.training import MissingFileError, check_files
from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.image_folders import spread
from mmhuman_dto.datasets.public_sets import public_sets
from mmhuman_dto.structures import HumanDataSample, People
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, TableError, root_beside

tool = load_script('tools/dataset_converters/public2table.py')
#: NAME, split, and where public instructions put it below data: annotation file, images.
PUBLIC = [
    ('agora', 'validation', 'agora/smpl_neutral_annots/annots_smpl_validation.npz', 'agora/validation'),
    ('agora', 'train', 'agora/smpl_neutral_annots/annots_smpl_train_fit.npz', 'agora/train'),
    ('bedlam', 'train_6fps', 'bedlam/bedlam_smpl_train_6fps.npz', 'bedlam/train'),
    ('bedlam', 'validation', 'bedlam/bedlam_smpl_validation_6fps.npz', 'bedlam/validation'),
    ('relative-human', 'test', 'RelativeHuman/test_annots.npz', 'RelativeHuman/images'),
    ('mupots', 'test', 'mupots/mupots_annots.npz', 'mupots/MultiPersonTestSet'),
    ('panoptic', 'test', 'cmu_panoptic/annots_test.npz', 'cmu_panoptic/images'),
    ('3dpw', 'test', '3dpw/annots_smpl_test_genders.npz', '3dpw/imageFiles'),
    ('coco', 'val', 'coco/annotations/person_keypoints_val2017.json', 'coco/val2017'),
    ('hi4d', 'train', 'hi4d/hi4d_smpl_train.npz', 'hi4d'),
]


@pytest.fixture(scope='module')
def smpl(tmp_path_factory):
    return write_synthetic_smpl(tmp_path_factory.mktemp('smpl'))


@pytest.fixture(scope='module')
def scenes():
    body = OpenBody()
    return [sample_scene(i, body, CrowdConfig(size=(56, 72), people=(2, 2), child_share=0), seed=3) for i in range(2)]


def put(name, split, scenes, root, file, images):
    """A set's files at ``file`` and ``images`` below ``root``; ids are relative to ``images``."""
    reader = next(layout.reader for layout in LAYOUTS.values() if layout.reader.info.name == name).__name__
    config = write_public_set(reader, root / 'made', scenes, dict(type='OpenBody'), split)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / 'made' / config['ann_file']).rename(root / file)
    shutil.copytree(root / 'made' / config['img_prefix'], root / images, dirs_exist_ok=True)
    shutil.rmtree(root / 'made')



@pytest.mark.parametrize('name, split, file, images', PUBLIC)
def test_a_set_as_public_instructions_lay_it_out(name, split, file, images, smpl, scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(name, split, scenes, tmp_path / 'data', file, images)
    assert tool.main([name, split, '--smpl', str(smpl)]) == 0
    table = PeopleTable(f'data/{name}/tables/{split}')
    assert len(table) == 2 and os.path.samefile(table.img_root, f'data/{images}')
    pictures = HumanTable(table=str(table.folder), pipeline=[dict(type='LoadImage')])
    assert [sample.image.shape[:2] for sample in pictures] == [(56, 72)] * 2 and pictures.name == name


@pytest.mark.parametrize('name, file', [('dto-humans', 'CHMR_SMPL_OPT.npz'), ('4dhumans', 'release.npz')])
def test_the_four_folders_of_dto_humans_make_one_table(name, file, scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = dict(aic='AIC', coco2014='COCO', insta='INSTA', mpii='MPII')
    for folder, part in parts.items():
        part = f'{folder}-{file}' if name == '4dhumans' else f'{part}_{file}'
        put(name, 'train', scenes, tmp_path / 'data', f'{folder}/{part}', f'{folder}/images')
    assert tool.main([name, 'train']) == 0
    table = PeopleTable(f'data/{name}/tables/train')
    ids = [table.image_id(index) for index in range(len(table))]
    assert ids == [f'{folder}/images/train2014/{number:012d}.png' for folder in parts for number in range(2)]
    assert len(list(HumanTable(table=str(table.folder), pipeline=[dict(type='LoadImage')]))) == 8
    shutil.rmtree(tmp_path / 'data' / name)
    for folder in ('aic', 'insta', 'mpii'):  # only one of them was fetched
        shutil.rmtree(tmp_path / 'data' / folder)
    assert tool.main([name, 'train']) == 0
    assert PeopleTable(f'data/{name}/tables/train').image_id(0) == 'train2014/000000000000.png'


def test_a_folder_that_nobody_knows_is_found_nearby_and_named(scenes, tmp_path, capsys):
    put('mupots', 'test', scenes, tmp_path, 'mupots_annots.npz', 'pictures')
    arguments = ['mupots', 'test', '--data-root', str(tmp_path)]
    assert tool.main(arguments) == 2
    error = capsys.readouterr().err
    assert f'is below {tmp_path} or {tmp_path}/MultiPersonTestSet, ' in error and error.count('\n') == 1
    assert f'It is below {tmp_path}/pictures: give that as --images' in error
    assert tool.main([*arguments, '--images', 'pictures']) == 0
    assert PeopleTable(tmp_path / 'tables/test').img_root == tmp_path / 'pictures'


def test_every_public_place_is_tried():
    tried = {name for name, *_ in PUBLIC} | {'dto-humans', '4dhumans', 'dto-raw'}  # dto-raw: as dto-humans
    assert {name for name, reader in public_sets().items() if reader.info.public} <= tried


def write_table(folder, ids, img_root=None):
    builder = PeopleTableBuilder(None, img_root=img_root)
    for img_id in ids:
        sample = HumanDataSample(metainfo=dict(img_id=img_id, joint_set='coco17'))
        sample.gt_instances = People(bboxes=torch.tensor([[0., 0, 4, 4]]))
        builder.add(sample)
    builder.write(folder)
    return folder


def pictures(folder, ids):
    for img_id in ids:
        (folder / img_id).parent.mkdir(parents=True, exist_ok=True)
        (folder / img_id).touch()
    return folder


def test_which_folder_counts(tmp_path):
    """The recipe's where it is there, else the table's; a relative one moves with the table, an absolute one stays."""
    ids = ['a.jpg', 'b.jpg']
    first, second = (pictures(tmp_path / 'set' / name, ids) for name in ('first', 'second'))
    table = write_table(tmp_path / 'set/tables/t', ids, '../../first')
    assert HumanTable(second, table).data_root == second
    assert HumanTable(tmp_path / 'gone', table).data_root == HumanTable(None, table).data_root == first
    (tmp_path / 'set').rename(tmp_path / 'moved')
    assert HumanTable(table=tmp_path / 'moved/tables/t').data_root == tmp_path / 'moved/first'
    assert root_beside(first, table) == str(first)
    assert root_beside('data/agora/train', 'data/agora/tables/train') == '../../train'
    with pytest.raises(TableError, match='t: does not say where its images are: give data_root'):
        HumanTable(table=write_table(tmp_path / 't', ids))


def config(table, **kwargs):
    return Config(dict(train_dataloader=dict(dataset=dict(datasets=[
        dict(type='HumanTable', table=str(table), **kwargs)]))))


def test_images_are_looked_for_before_training_starts(tmp_path, caplog):
    ids = [f'{number:03d}.jpg' for number in range(100)]
    images = pictures(tmp_path / 'there', ids)
    table = write_table(tmp_path / 'table', ids, '../there')
    for known in ({}, dict(data_root=str(images)), dict(data_root='nowhere')):
        check_files(config(table, **known))
    (images / ids[0]).unlink()
    check_files(config(table))
    assert "1 of 20 images looked for are not in" in caplog.text and "'000.jpg' for one" in caplog.text
    (tmp_path / 'empty').mkdir()
    with pytest.raises(MissingFileError) as error:
        check_files(config(table, data_root=str(tmp_path / 'empty')))
    text = str(error.value)
    assert f'{table} (train_dataloader.dataset.datasets.0.table): 20 of 20 images looked for are not in' in text
    assert f'data_root is {tmp_path}/empty; the table was made with images in {images}' in text
    images.rename(tmp_path / 'elsewhere')
    with pytest.raises(MissingFileError) as error:
        check_files(config(table, data_root='nowhere'))
    text = str(error.value)
    assert f'data_root is nowhere (not there); the table was made with images in {images} (not there)' in text
    with pytest.raises(MissingFileError, match='give data_root'):
        check_files(config(write_table(tmp_path / 'silent', ids)))


def test_one_folder_up_or_down_is_named(tmp_path):
    pictures(tmp_path / 'set/validation', ['a.jpg'])
    table = write_table(tmp_path / 'table', ['a.jpg'])
    for wrong in ('set', 'set/validation/more'):
        (tmp_path / wrong).mkdir(exist_ok=True)
        with pytest.raises(MissingFileError, match=f'They are below {tmp_path}/set/validation: give data_root'):
            check_files(config(table, data_root=str(tmp_path / wrong)))


@pytest.mark.parametrize('value', [3, None, ['a'], 'a\0b'])
def test_a_folder_that_is_no_path(tmp_path, value):
    table = write_table(tmp_path / 'table', ['a.jpg'], 'x')
    schema = table / 'schema.json'
    schema.write_text(json.dumps(dict(json.loads(schema.read_text()), img_root=value)))
    with pytest.raises(TableError, match='schema.json: img_root is .*, expected the path of a folder'):
        PeopleTable(table)


@pytest.mark.parametrize('count', [1, 19, 20, 21, 1000, 12345])
def test_few_are_looked_for_all_over_the_set(count):
    places = np.array(spread(count))
    assert places[0] == 0 and len(places) <= 20 and places[-1] >= count - max(count / 10, 2)
