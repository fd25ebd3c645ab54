"""The people table: round trips, same bytes, and every damage named."""
import json
import os
import resource

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder, TableError, merge_tables


def make_sample(img_id, count, seed=0):
    rng = np.random.default_rng([seed, count])
    rows = {name: torch.from_numpy(rng.normal(size=(count, *row)).astype(np.float32))
            for name, row in dict(global_orient=(3, ), body_pose=(23, 3), betas=(11, ), transl=(3, ), ages=()).items()}
    people = People(person_index=torch.arange(count), is_released=torch.arange(count) % 2 == 0, **rows)
    sample = HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=(480 + count, 640), optimised=count > 1,
                                           height_deviation=.25 * count, body_model='OpenBody'))
    sample.pred_instances = people
    sample.pred_camera = Camera(intrinsics=torch.tensor([[500. + count, 0, 320], [0, 500, 240], [0, 0, 1]]))
    return sample


def write_table(folder, samples, config_hash='abc'):
    builder = PeopleTableBuilder('OpenBody', dict(source='test'), config_hash)
    for sample in samples:
        builder.add(sample)
    builder.write(folder)
    return folder


def read_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_same_sample(have, want):
    assert have.img_id == want.img_id and have.body_model == want.body_model
    assert have.ori_shape == want.ori_shape and have.optimised == want.optimised
    assert have.height_deviation == want.height_deviation
    assert torch.equal(have.pred_camera.intrinsics, want.pred_camera.intrinsics)
    assert set(have.pred_instances.keys()) == set(want.pred_instances.keys())
    assert len(have.pred_instances) == len(want.pred_instances)
    for name, value in want.pred_instances.items():
        assert have.pred_instances[name].dtype == value.dtype
        assert torch.equal(have.pred_instances[name], value), name


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.text(st.characters(exclude_categories=['Cs']), max_size=12), min_size=1, max_size=5),
       counts=st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_round_trip_of_any_ids_and_counts(tmp_path_factory, names, counts):
    samples = [make_sample(name, count, seed) for seed, (name, count) in enumerate(zip(names, counts))]
    table = PeopleTable(write_table(tmp_path_factory.mktemp('table'), samples))
    assert len(table) == len(samples) and table.schema['num_people'] == sum(counts[:len(samples)])
    for i, sample in enumerate(samples):
        assert_same_sample(table[i], sample)


def test_arrays_are_memory_mapped_and_samples_own_their_rows(tmp_path):
    table = PeopleTable(write_table(tmp_path / 't', [make_sample('a.jpg', 2), make_sample('b.jpg', 3)]))
    assert all(isinstance(column, np.memmap) for column in table.columns.values())
    table[1].pred_instances.transl += 1
    assert_same_sample(table[1], make_sample('b.jpg', 3))
    with pytest.raises(IndexError, match='2 images'):
        table[2]


def test_merged_parts_are_the_whole_byte_by_byte(tmp_path):
    samples = [make_sample(f'{i}.jpg', i % 4, i) for i in range(7)]
    parts = [write_table(tmp_path / str(i), part) for i, part in enumerate((samples[:3], [], samples[3:]))]
    merge_tables(parts, tmp_path / 'merged')
    assert read_bytes(tmp_path / 'merged') == read_bytes(write_table(tmp_path / 'whole', samples))


def test_merging_needs_few_open_files(tmp_path):
    parts = [write_table(tmp_path / str(i), [make_sample(f'{i}.jpg', 2)]) for i in range(40)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    already = len(os.listdir('/proc/self/fd'))  # by other tests of this process
    resource.setrlimit(resource.RLIMIT_NOFILE, (already + 85, limits[1]))
    try:
        merge_tables(parts, tmp_path / 'merged')
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(PeopleTable(tmp_path / 'merged')) == 40


def test_table_without_images_merges_and_reads(tmp_path):
    parts = [write_table(tmp_path / 'a', []), write_table(tmp_path / 'b', [])]
    merge_tables(parts, tmp_path / 'merged')
    assert len(PeopleTable(tmp_path / 'merged')) == 0


def test_merge_refuses_tables_of_different_runs(tmp_path):
    one, other = write_table(tmp_path / 'a', []), write_table(tmp_path / 'b', [], config_hash='other')
    with pytest.raises(TableError, match='different configs'):
        merge_tables([one, other], tmp_path / 'merged')


def test_schema_states_units_provenance_and_body_model(tmp_path):
    write_table(tmp_path / 't', [make_sample('a.jpg', 2)])
    schema = json.loads((tmp_path / 't' / 'schema.json').read_text())
    assert (schema['format'], schema['version']) == ('mmhuman_dto.people_table', 1)
    assert (schema['body_model'], schema['config_hash']) == ('OpenBody', 'abc')
    assert schema['provenance'] == {'source': 'test'}
    assert schema['columns']['people.transl'] == {'dtype': 'float32', 'row': [3], 'unit': 'm, camera'}
    assert schema['columns']['image.intrinsics']['row'] == [3, 3]


@pytest.mark.parametrize('damage, message', [
    (lambda folder: (folder / 'schema.json').unlink(), r'schema\.json: not found'),
    (lambda folder: (folder / 'schema.json').write_text('{'), 'damaged, cut short or not JSON'),
    (lambda folder: edit_schema(folder, version=2), 'version 2, this code reads'),
    (lambda folder: edit_schema(folder, num_people=3), r'people\.offsets\.npy: offsets must rise from 0 to 3'),
    (lambda folder: (folder / 'people.transl.npy').unlink(), r'people\.transl\.npy: cannot be read'),
    (lambda folder: (folder / 'people.transl.npy').write_bytes(b'\x93NUMPY'), r'people\.transl\.npy: cannot be read'),
    (lambda folder: np.save(folder / 'people.transl.npy', np.zeros((2, 4), np.float32)), r'holds float32 \(2, 4\)'),
    (lambda folder: np.save(folder / 'people.betas.npy', np.zeros((2, 11))), 'holds float64'),
    (lambda folder: np.save(folder / 'people.betas.npy', np.array([{}, {}])), r'people\.betas\.npy: cannot be read'),
])
def test_damage_is_named(tmp_path, damage, message):
    write_table(tmp_path / 't', [make_sample('a.jpg', 2)])
    damage(tmp_path / 't')
    with pytest.raises(TableError, match=message):
        PeopleTable(tmp_path / 't')


def edit_schema(folder, **values):
    path = folder / 'schema.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_builder_refuses_nan_and_changing_columns(tmp_path):
    builder = PeopleTableBuilder('OpenBody')
    builder.add(make_sample('a.jpg', 2))
    bad = make_sample('b.jpg', 2)
    bad.pred_instances.transl[0, 1] = torch.nan
    with pytest.raises(TableError, match=r'b\.jpg: people\.transl holds values that are not finite'):
        builder.add(bad)
    fewer = make_sample('c.jpg', 2)
    del fewer.pred_instances.ages
    with pytest.raises(TableError, match=r'c\.jpg: columns differ.*people\.ages absent'):
        builder.add(fewer)
    builder.add(make_sample('d.jpg', 1))
    builder.write(tmp_path / 't')
    assert [PeopleTable(tmp_path / 't').image_id(i) for i in range(2)] == ['a.jpg', 'd.jpg']


def test_standard_deviations_may_be_unknown(tmp_path):
    """Of people whom DTO left out they are."""
    builder, sample = PeopleTableBuilder('OpenBody'), make_sample('a.jpg', 2)
    for name in ('heights_std', 'depths_std', 'sizes_std'):
        sample.pred_instances.set_field(torch.tensor([.1, torch.nan]), name)
    builder.add(sample)
    builder.write(tmp_path / 't')
    people = PeopleTable(tmp_path / 't')[0].pred_instances
    assert all(people[name].isnan().tolist() == [False, True] for name in ('heights_std', 'depths_std', 'sizes_std'))


def annotated(img_id, valid, **meta):
    """A sample as a reader of annotations gives it: ``gt_``, joints only, no camera."""
    sample = HumanDataSample(metainfo=dict(img_id=img_id, **meta))
    sample.gt_instances = People(keypoints_3d=torch.ones(len(valid), 17, 3), keypoints_3d_valid=valid)
    return sample


def test_annotated_people_with_confidences(tmp_path):
    confidence = torch.linspace(-1, 1, 34).reshape(2, 17)
    table = PeopleTable(write_table(tmp_path / 'f', [annotated('a.jpg', confidence, quarter_turns=1)]))
    assert torch.equal(table[0].pred_instances.keypoints_3d_valid, confidence)
    assert table[0].quarter_turns == 1 and 'pred_camera' not in table[0] and 'has_3d' not in table[0]
    table = PeopleTable(write_table(tmp_path / 'b', [annotated('a.jpg', confidence > 0)]))
    assert table[0].pred_instances.keypoints_3d_valid.dtype == torch.bool


def test_meshes_to_be_placed_come_before_annotations(tmp_path):
    sample = make_sample('a.jpg', 2)
    sample.gt_instances = People(betas=torch.zeros(5, 10))
    assert_same_sample(PeopleTable(write_table(tmp_path / 't', [sample]))[0], make_sample('a.jpg', 2))


def test_supervision_is_said_once_and_survives_merging(tmp_path):
    said = dict(has_3d=False, fully_annotated=False, joint_set=('nose', 'neck'))
    flags = torch.ones(1, 17, dtype=torch.bool)
    parts = [write_table(tmp_path / 'none', []), write_table(tmp_path / 'a', [annotated('a.jpg', flags, **said)]),
             write_table(tmp_path / 'b', [annotated('b.jpg', flags, **said)])]
    schema = tmp_path / 'a/schema.json'  # as earlier releases have written it
    schema.write_text(schema.read_text().replace('fully_annotated', 'detect_all'))
    merge_tables(parts, tmp_path / 'merged')
    table = PeopleTable(tmp_path / 'merged')
    wanted = dict(has_3d=False, fully_annotated=False, joint_set=['nose', 'neck'])
    assert table.schema['supervision'] == wanted
    assert all(table[i].metainfo[name] == value for i in range(2) for name, value in wanted.items())
    other = write_table(tmp_path / 'c', [annotated('c.jpg', flags, **dict(said, has_3d=True))])
    with pytest.raises(TableError, match='different supervision'):
        merge_tables([*parts, other], tmp_path / 'no')
    builder = PeopleTableBuilder('OpenBody')
    builder.add(annotated('a.jpg', flags, **said))
    with pytest.raises(TableError, match=r"b\.jpg: supervision .*'has_3d': True.*images before is .*'has_3d': False"):
        builder.add(annotated('b.jpg', flags, **dict(said, has_3d=True)))


def test_meshes_of_another_body_model_get_into_no_table():
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', body_model='SMPL'))
    sample.gt_instances = People(betas=torch.zeros(1, 10), transl=torch.zeros(1, 3))
    with pytest.raises(TableError, match='a.jpg: its meshes are of SMPL, this body model is OpenBody'):
        PeopleTableBuilder('OpenBody').add(sample)
    for name in ('SMPL', 'SMPL+A', 'mine', None):
        PeopleTableBuilder(name).add(sample)
    del sample.gt_instances.betas
    PeopleTableBuilder('OpenBody').add(sample)  # joints are of nobody's model
