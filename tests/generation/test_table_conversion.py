"""Public files -> table -> samples, for every layout; and whatever can be wrong with the files."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from unbroken import Killed, killed, read_bytes
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.generation import GenerationError, conversion, shards
from mmhuman_dto.generation.conversion import Conversion
from mmhuman_dto.registry import READERS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, side_of

BODY = dict(type='OpenBody')
CONFIG = CrowdConfig(size=(84, 112), people=(2, 3), child_share=0)


@pytest.fixture(scope='module')
def scenes():
    body = OpenBody()
    upright = CrowdConfig(size=(112, 84), people=(2, 3), child_share=0)
    return [sample_scene(index, body, upright if index == 2 else CONFIG, seed=3) for index in range(3)]


def convert(source, out, **kwargs):
    sources = source if isinstance(source, list) else [source]
    return Conversion(sources, out, 'OpenBody', 11, **kwargs).run()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize('layout', LAYOUTS)
def test_public_file_to_table_and_back(layout, scenes, tmp_path):
    source = write_public_set(layout, tmp_path / 'data', scenes, BODY)
    reader = READERS.build(source)
    left_out = LAYOUTS[layout].reader.info.left_out
    counts = convert(source, tmp_path / 'table', left_out=left_out)
    people = sum(len(sample.get(f'{side_of(sample)}_instances')) for sample in reader)
    assert counts == dict(kept=3, people=people, failed=0, skipped=0) and people >= 6
    assert (tmp_path / 'table/failures.jsonl').read_text() == ''

    dataset = HumanTable(reader.img_root, tmp_path / 'table', pipeline=[dict(type='LoadImage')])
    for sample, read, scene in zip(dataset, reader, scenes):
        side = side_of(read)
        want = {name: value for name, value in read.get(f'{side}_instances').items() if name not in left_out}
        assert sample.img_id == read.img_id and sample.ori_shape == sample.image.shape[:2] == scene.size
        assert set(sample.gt_instances.keys()) == set(want)
        for name, value in want.items():
            have = sample.gt_instances[name]
            if name == 'betas':
                value = torch.nn.functional.pad(value, (0, 11 - value.shape[1]))
            assert torch.equal(have.nan_to_num(-9), value.nan_to_num(-9)), name
        assert ('gt_camera' in sample) == (f'{side}_camera' in read)
        assert {name: sample.get(name) for name in reader.supervision} == reader.supervision


def record(count, seed=0, betas=10):
    rng = np.random.default_rng(seed)
    arrays = {key: rng.normal(size=(count, size)).astype(np.float32)
              for key, size in (('trans_cam', 3), ('pose_cam', 72), ('shape', betas))}
    arrays['trans_cam'][:, 2] = 1 + abs(arrays['trans_cam'][:, 2])
    camera = np.array([[900., 0, 32], [0, 910, 24], [0, 0, 1]], np.float32)
    return dict(arrays, cam_int=np.repeat(camera[None], count, 0))


def write_meshes(folder, records, name='m.npz', images=True):
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    np.savez(folder / name, annots=np.array(records, dtype=object))
    for img_id in records if images else ():
        write_image(folder / 'images' / img_id, np.zeros((48, 64, 3), np.uint8))
    return dict(type='InitialMeshes', ann_file=name, img_prefix='images', data_root=str(folder))


def table_ids(folder):
    table = PeopleTable(folder)
    return [table.image_id(i) for i in range(len(table))]


@pytest.fixture
def broken(tmp_path):
    """Good images between bad ones: source, ids of the good ones, and what has to be said about the others."""
    good = {f'good/{i}.png': record(i + 1, i) for i in range(5)}
    bad = {
        'nan.png': (dict(record(2), trans_cam=np.full((2, 3), np.nan)), 'trans_cam holds values that are not finite'),
        'shape.png': (dict(record(2), pose_cam=np.zeros((2, 71))), 'pose_cam has shape (2, 71), expected (2, 72)'),
        'keys.png': ({'shape': np.zeros((2, 10))}, 'lacks trans_cam'),
        'none.png': (None, 'lacks trans_cam'),
        'betas.png': (record(2, betas=12), '12 shape coefficients, OpenBody has 11'),
        'focal.png': (dict(record(2), cam_int=-record(2)['cam_int']), 'intrinsics must be finite with a positive'),
        '../m.npz': (record(1), "'../m.npz' is no path below"),
        '/etc/hostname': (record(1), "'/etc/hostname' is no path below"),
        'gone.png': (record(1), 'gone.png: no such image'),
        'text.png': (record(1), 'text.png: cannot be read'),
        'good//1.png': (record(1), "annotated twice, in m.npz as 'good/1.png' before"),
    }
    images, marks = iter(good.items()), iter(bad)
    records = {}
    for _ in range(5):
        img_id, entry = next(images)
        records[img_id] = entry
        for name in (next(marks, None), next(marks, None), next(marks, None)):
            if name:
                records[name] = bad[name][0]
    records['empty.png'] = record(0)
    source = write_meshes(tmp_path, records, images=False)
    for img_id in (*good, *bad):
        if img_id not in ('gone.png', 'text.png', '../m.npz', '/etc/hostname'):
            write_image(tmp_path / 'images' / img_id, np.zeros((48, 64, 3), np.uint8))
    (tmp_path / 'images/text.png').write_text('no picture')
    return source, good, {img_id: reason for img_id, (_, reason) in bad.items()}


def test_a_bad_image_costs_one_line(broken, tmp_path):
    source, good, bad = broken
    counts = convert(source, tmp_path / 'table', shard_size=4)
    assert counts == dict(kept=5, people=15, failed=len(bad), skipped=1)
    assert table_ids(tmp_path / 'table') == list(good)
    failures = {line['image']: line['reason'] for line in lines(tmp_path / 'table/failures.jsonl')}
    assert failures.keys() == bad.keys()
    for img_id, reason in bad.items():
        assert reason in failures[img_id], img_id
    assert lines(tmp_path / 'table/skipped.jsonl') == [
        dict(image='empty.png', stage='convert', reason='no people')]
    assert json.loads((tmp_path / 'table/manifest.json').read_text())['counts'] == counts
    sample = PeopleTable(tmp_path / 'table')[2]
    np.testing.assert_array_equal(sample.pred_instances.transl, good['good/2.png']['trans_cam'])
    assert sample.ori_shape == (48, 64) and sample.pred_instances.betas.shape == (3, 11)


def test_strict_stops_at_the_first(broken, tmp_path):
    with pytest.raises(GenerationError, match=r'^nan\.png: .*m\.npz: nan\.png: trans_cam holds values'):
        convert(broken[0], tmp_path / 'table', strict=True)
    with pytest.raises(ValueError, match='schema.json: not found'):
        PeopleTable(tmp_path / 'table')


def test_without_images(tmp_path):
    source = write_meshes(tmp_path, {f'{i}.png': record(2, i) for i in range(3)}, images=False)
    with pytest.raises(GenerationError, match=r"none of 3 images looked for is below .*images, '0\.png' for one"):
        convert(source, tmp_path / 'table')
    assert not (tmp_path / 'table').exists()
    assert convert(source, tmp_path / 'table', read_images=False)['kept'] == 3
    assert 'image.ori_shape' not in PeopleTable(tmp_path / 'table').columns


def test_limit_and_several_files(tmp_path):
    first = write_meshes(tmp_path, {f'a{i}.png': record(1, i) for i in range(4)}, 'a.npz')
    second = write_meshes(tmp_path, {f'b{i}.png': record(2, i) for i in range(3)} | {'a1.png': record(3)}, 'b.npz')
    assert convert([first, second], tmp_path / 'both', shard_size=3) == dict(kept=7, people=10, failed=1, skipped=0)
    assert table_ids(tmp_path / 'both') == ['a0.png', 'a1.png', 'a2.png', 'a3.png', 'b0.png', 'b1.png', 'b2.png']
    failure, = lines(tmp_path / 'both/failures.jsonl')
    assert failure['image'] == 'a1.png' and "in a.npz as 'a1.png' before" in failure['reason']
    convert([first, second], tmp_path / 'five', limit=5)
    assert table_ids(tmp_path / 'five') == ['a0.png', 'a1.png', 'a2.png', 'a3.png', 'b0.png']


def test_images_with_nobody_as_negatives(tmp_path):
    size = dict(width=64, height=48)
    person = dict(keypoints=[3] * 51, bbox=[1, 2, 3, 4], area=5, iscrowd=0, category_id=1, image_id=2)
    (tmp_path / 'c.json').write_text(json.dumps(dict(
        images=[dict(size, id=i, file_name=f'{i}.png') for i in (1, 2, 3)], annotations=[person])))
    source = dict(type='COCOKeypoints', ann_file='c.json', img_prefix='', data_root=str(tmp_path))
    convert(source, tmp_path / 'people', read_images=False)
    assert table_ids(tmp_path / 'people') == ['2.png']
    counts = convert(source, tmp_path / 'all', read_images=False, keep_empty=True, shard_size=1)
    assert counts == dict(kept=3, people=1, failed=0, skipped=0)
    assert [len(PeopleTable(tmp_path / 'all')[i].pred_instances) for i in range(3)] == [0, 1, 0]
    with pytest.raises(GenerationError, match='keep_empty was False, is True'):
        convert(source, tmp_path / 'people', read_images=False, keep_empty=True)


def test_another_run_s_folder_is_refused(tmp_path):
    source = write_meshes(tmp_path, {'a.png': record(1)})
    convert(source, tmp_path / 'table')
    before = read_bytes(tmp_path / 'table')
    assert convert(source, tmp_path / 'table') == dict(kept=1, people=1, failed=0, skipped=0)
    with pytest.raises(GenerationError, match='read_images was True, is False'):
        convert(source, tmp_path / 'table', read_images=False)
    write_meshes(tmp_path, {'a.png': record(2)})
    with pytest.raises(GenerationError, match='sources.0.bytes was'):
        convert(source, tmp_path / 'table')
    assert read_bytes(tmp_path / 'table') == before
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/thesis.tex').write_text('dear reader')
    with pytest.raises(GenerationError, match='not the manifest of a generation folder'):
        convert(source, tmp_path / 'mine')


@pytest.mark.parametrize('records, error, message', [
    ({'a.png': Path('x')}, UnsafeFileError, r'm\.npz.*pathlib'), ({}, GenerationError, r'm\.npz: no images in it'),
    *[({'a.png': record(1), img_id: record(1)}, GenerationError, 'm.npz: image id .* is no text')
      for img_id in (5, None, b'a.png', '\udcff.png')],
    ({'a' * 5000: record(1)}, GenerationError, 'none of 1 images looked for is below')])
def test_files_that_make_no_table(records, error, message, tmp_path):
    source = write_meshes(tmp_path, records, images=False)
    with pytest.raises(error, match=message):
        convert(source, tmp_path / 'table')
    assert not (tmp_path / 'table').exists()


def test_a_table_that_names_files_outside_is_refused_when_read(tmp_path):
    builder = PeopleTableBuilder('OpenBody')
    sample = READERS.build(write_meshes(tmp_path, {'a.png': record(1)}))[0]
    sample.set_metainfo(dict(img_id='../a.png'))
    builder.add(sample)
    builder.write(tmp_path / 'table')
    with pytest.raises(ValueError, match=r"'\.\./a\.png' is no path below"):
        HumanTable(tmp_path / 'images', tmp_path / 'table')[0]


def test_rows_that_get_lost_on_the_way_are_noticed(tmp_path, monkeypatch):
    source = write_meshes(tmp_path, {f'{i}.png': record(3, i) for i in range(4)})
    write, merge = conversion.write_shard, shards.merge_tables

    def write_all_but_one(folder, table, outcomes, left_out):
        for rows in (table.ids, table.counts, *table.rows.values()):
            rows.pop()
        write(folder, table, outcomes, left_out)

    with monkeypatch.context() as patch:
        patch.setattr(conversion, 'write_shard', write_all_but_one)
        with pytest.raises(GenerationError, match='4 images and 12 people read, 3 and 9 written'):
            convert(source, tmp_path / 'shard')
    with monkeypatch.context() as patch:
        patch.setattr(shards, 'merge_tables', lambda sources, out: merge(sources[:-1], out))
        with pytest.raises(GenerationError, match=r'\(2, 6\) in the table, \(4, 12\) in its shards'):
            convert(source, tmp_path / 'merged', shard_size=2)
    with monkeypatch.context() as patch:
        patch.setattr(shards, 'merge_tables', lambda sources, out: merge(sources[::-1], out))
        with pytest.raises(GenerationError, match=r"row 2, '0\.png', is not where the annotations have it"):
            convert(source, tmp_path / 'order', shard_size=2)
    assert json.loads((tmp_path / 'merged/manifest.json').read_text())['status'] == 'running'
    assert convert(source, tmp_path / 'merged', shard_size=2)['kept'] == 4


@pytest.fixture
def no_fsync(monkeypatch):
    """Only a power cut, which cannot be tried, would lose what is not forced to disk; it takes most of the time."""
    monkeypatch.setattr(os, 'fsync', lambda descriptor: None)


def test_killed_again_and_again_is_the_unbroken_run(broken, tmp_path, no_fsync):
    source, whole, out = broken[0], tmp_path / 'whole', tmp_path / 'killed'
    convert(source, whole, shard_size=3)
    places = set()
    for attempt in range(100):
        if not killed(Conversion([source], out, 'OpenBody', 11, shard_size=3).run, 1 + 20 * attempt, out):
            break
        # A table is whole or not there at all.
        if (out / 'schema.json').exists():
            assert table_ids(out) == table_ids(whole)
        places.add(tuple(sorted(str(path.relative_to(out)) for path in out.rglob('*'))))
    assert len(places) > 10, f'killed at {len(places)} places only'
    assert read_bytes(out) == read_bytes(whole)


def test_killed_while_finishing(broken, tmp_path, monkeypatch, no_fsync):
    """The same for moments too short to hit: every third rename or removal of a run, most of them at its end."""
    def run_until(moment, out):
        """Renames and removals of a run that dies at one of them."""
        calls = []

        def dying(original):
            def act(*args, **kwargs):
                calls.append(args)
                if len(calls) == moment:
                    raise Killed
                return original(*args, **kwargs)
            return act

        with monkeypatch.context() as patch:
            for name in ('replace', 'rmdir'):
                patch.setattr(os, name, dying(getattr(os, name)))
            convert(broken[0], out, shard_size=9)
        return len(calls)

    total = run_until(None, tmp_path / 'whole')
    assert total > 20
    for moment in range(1, total + 1, 3):
        out = tmp_path / f'killed_{moment}'
        with pytest.raises(Killed):
            run_until(moment, out)
        convert(broken[0], out, shard_size=9)
        assert read_bytes(out) == read_bytes(tmp_path / 'whole'), moment
