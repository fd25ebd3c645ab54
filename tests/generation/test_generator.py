"""Whole runs of the generator on a small folder: what comes out, and what a bad image costs."""
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from unbroken import read_bytes

from mmhuman_dto.datasets.public.dto_humans import DTOHumans, DTORaw
from mmhuman_dto.datasets.public.initial_meshes import InitialMeshes
from mmhuman_dto.generation import GenerationError, Generator
from mmhuman_dto.tables.people_table import PeopleTable


def run(crowd, out=None, limit=None, resume=False, public_layout=None, **options):
    config = Config.fromfile(crowd.config)
    config.merge_from_dict(options)
    generator = Generator(config.to_dict(), out or crowd.out, limit, resume)
    return generator.run(public_layout)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_people_end_nearer_to_the_truth_than_they_started(crowd):
    counts = run(crowd)
    assert counts['failed'] == counts['skipped'] == 0 and counts['kept'] == 23
    table = PeopleTable(crowd.out / 'people_table')
    before = InitialMeshes('initial_meshes.npz', data_root=crowd.data)
    assert [table.image_id(i) for i in range(23)] == before.ids
    assert counts['people'] == table.schema['num_people']
    spread = {'before': [], 'after': []}
    for i in range(23):
        after, start = table[i].pred_instances, before[i].pred_instances[table[i].pred_instances.person_index]
        truth = true_depths(crowd.data, i)[after.person_index.numpy()]
        for name, people in (('before', start), ('after', after)):
            ratio = np.log(people.transl[:, 2].numpy() / truth)
            spread[name].append(np.std(ratio))
    assert np.mean(spread['after']) < .6 * np.mean(spread['before'])
    manifest = json.loads((crowd.out / 'manifest.json').read_text())
    assert manifest['status'] == 'complete' and manifest['counts'] == counts
    assert table.schema['config_hash'] == manifest['fingerprint'] and table.schema['body_model'] == 'ToyBody'
    assert not (crowd.out / 'shards').exists()


def true_depths(data, number):
    rng = np.random.default_rng([7, number])
    return rng.uniform(3, 6, int(rng.integers(3, 5)))


def break_folder(crowd):
    """Damage what each stage reads; {image: (stage, part of the reason)}."""
    def edit(annots):
        annots['0001.jpg'] = dict(trans_cam=np.zeros((0, 3)), pose_cam=np.zeros((0, 72)), shape=np.zeros((0, 10)),
                                  cam_int=np.zeros((0, 3, 3)))
        annots['0002.jpg']['pose_cam'][0, 5] = np.nan
        annots['0003.jpg']['cam_int'] = np.zeros_like(annots['0003.jpg']['cam_int'])
        annots['0007.jpg']['shape'] = np.zeros((len(annots['0007.jpg']['shape']), 12), np.float32)
        annots['0008.jpg']['trans_cam'] = annots['0008.jpg']['trans_cam'][:1]

    crowd.edit_meshes(edit)
    data = crowd.data
    (data / 'images' / '0009.jpg').unlink()
    content = (data / 'images' / '0011.jpg').read_bytes()
    (data / 'images' / '0011.jpg').write_bytes(content[:len(content) // 2])
    (data / 'disparity' / '0013.png').write_bytes(b'no picture')
    shutil.copy(data / 'images' / '0014.jpg', data / 'disparity' / '0014.png')
    (data / 'masks' / '0015.png').unlink()
    ages = json.loads((data / 'ages.json').read_text())
    del ages['0017.jpg']
    (data / 'ages.json').write_text(json.dumps(ages))
    return {
        '0001.jpg': ('people', 'no people'),
        '0002.jpg': ('read', 'pose_cam holds values that are not finite'),
        '0003.jpg': ('people', 'intrinsics must be finite with a positive focal length'),
        '0007.jpg': ('people', '12 shape coefficients, the body model has 11'),
        '0008.jpg': ('read', 'pose_cam has shape'),
        '0009.jpg': ('image', '0009.jpg: no such image'),
        '0011.jpg': ('image', '0011.jpg: cannot be read'),
        '0013.jpg': ('depth', '0013.png: cannot be read'),
        '0014.jpg': ('depth', 'it is a picture in colours'),
        '0015.jpg': ('masks', '0015.png: not found'),
        '0017.jpg': ('ages', 'has no entry for 0017.jpg'),
    }


def test_each_bad_image_is_one_line_and_its_neighbours_stay_as_they_were(crowd):
    run(crowd, crowd.out / 'whole')
    expected = break_folder(crowd)
    counts = run(crowd, crowd.out / 'broken')
    failures = {line['image']: line for line in lines(crowd.out / 'broken' / 'failures.jsonl')}
    assert list(failures) == sorted(expected)
    for image, (stage, reason) in expected.items():
        assert failures[image]['stage'] == stage, failures[image]
        assert reason in failures[image]['reason'], failures[image]
        assert '\n' not in failures[image]['reason']
    assert counts['failed'] == len(expected) and counts['kept'] == 23 - len(expected)
    whole, broken = (PeopleTable(crowd.out / name / 'people_table') for name in ('whole', 'broken'))
    survivors = [i for i in range(23) if whole.image_id(i) not in expected]
    assert [broken.image_id(i) for i in range(len(broken))] == [whole.image_id(i) for i in survivors]
    for i, j in enumerate(survivors):
        np.testing.assert_allclose(broken[i].pred_instances.transl, whole[j].pred_instances.transl, atol=1e-6)


def test_images_left_out_by_a_rule_are_skipped_not_failed(crowd):
    def lonely(annots):
        for key in annots['0003.jpg']:
            annots['0003.jpg'][key] = annots['0003.jpg'][key][:1]

    crowd.edit_meshes(lonely)
    mask = crowd.data / 'masks' / '0003.png'
    import cv2
    cv2.imwrite(str(mask), (cv2.imread(str(mask), cv2.IMREAD_UNCHANGED) == 1).astype(np.uint8))
    ages = json.loads((crowd.data / 'ages.json').read_text())
    ages['0003.jpg'] = dict(ages=[30.], male_probs=[.5])
    (crowd.data / 'ages.json').write_text(json.dumps(ages))
    counts = run(crowd)
    assert (counts['failed'], counts['skipped'], counts['kept']) == (0, 1, 22)
    assert counts['skipped_by_reason'] == {'not optimised': 1}
    assert lines(crowd.out / 'skipped.jsonl') == [dict(image='0003.jpg', stage='keep', reason='not optimised')]
    strict = run(crowd, crowd.out.parent / 'strict', **{'stages.keep.max_deviation': 0.})
    assert strict['kept'] == 0 and strict['skipped_by_reason']['height deviation >= 0.0'] == 22
    assert len(PeopleTable(crowd.out.parent / 'strict' / 'people_table')) == 0


def test_segmentation_decides_whose_pixels_count(crowd):
    """Evidence of a person whose mask is empty is gone, the others stay."""
    import cv2
    path = str(crowd.data / 'masks' / '0000.png')
    ids = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    cv2.imwrite(path, np.where(ids == 1, 0, ids))
    run(crowd, limit=1, **{'stages.keep.max_deviation': 1e9})
    people = len(InitialMeshes('initial_meshes.npz', data_root=crowd.data)[0].pred_instances)
    assert PeopleTable(crowd.out / 'people_table')[0].pred_instances.person_index.tolist() == [*range(1, people)]


def test_stages_left_out_by_none(crowd):
    """What nobody else needs: without masks and ages people are placed all the same, without DTO they stay."""
    counts = run(crowd, limit=2, **{'stages.masks': None, 'stages.ages': None, 'stages.keep': None})
    assert (counts['kept'], counts['failed']) == (2, 0)
    plain = crowd.out.parent / 'plain'
    assert run(crowd, plain, limit=2, **{'stages.dto': None, 'stages.keep': None, 'stages.depth': None})['kept'] == 2
    before = InitialMeshes('initial_meshes.npz', data_root=crowd.data)
    placed, kept = (PeopleTable(folder / 'people_table') for folder in (crowd.out, plain))
    for i in range(2):
        start = before[i].pred_instances.transl
        assert torch.equal(kept[i].pred_instances.transl, start)
        moved = placed[i].pred_instances
        assert not torch.isclose(moved.transl[:, 2], start[moved.person_index, 2]).any()


def test_existing_output_needs_resume_and_the_same_config(crowd):
    run(crowd, limit=6)
    done = read_bytes(crowd.out)
    with pytest.raises(GenerationError, match='--resume'):
        run(crowd, limit=6)
    with pytest.raises(GenerationError, match='stages.keep.max_deviation was 20.0, is 3.0'):
        run(crowd, limit=6, resume=True, **{'stages.keep.max_deviation': 3.})
    with pytest.raises(GenerationError, match='6 images then, 23 now'):
        run(crowd, resume=True)
    assert run(crowd, limit=6, resume=True)['kept'] == 6
    assert read_bytes(crowd.out) == done


def test_folder_of_somebody_else_is_left_alone(crowd):
    crowd.out.mkdir()
    (crowd.out / 'thesis.tex').write_text('precious')
    for resume in (False, True):
        with pytest.raises(GenerationError, match='not empty|not the manifest'):
            run(crowd, resume=resume)
    assert [path.name for path in crowd.out.iterdir()] == ['thesis.tex']


def test_public_layouts_read_back_as_the_table(crowd):
    run(crowd, limit=5, public_layout='TOY')
    table = PeopleTable(crowd.out / 'people_table')
    for reader, name in ((DTORaw, 'TOY_opt.npz'), (DTOHumans, 'TOY_CHMR_SMPL_OPT.npz')):
        public = reader(name, data_root=crowd.out)
        assert public.ids == [table.image_id(i) for i in range(5)]
        for i in range(5):
            for field in ('global_orient', 'body_pose', 'betas', 'transl'):
                np.testing.assert_array_equal(public[i].pred_instances[field], table[i].pred_instances[field])
            np.testing.assert_array_equal(public[i].pred_camera.intrinsics, table[i].pred_camera.intrinsics)


def test_contact_sheets_every_so_many_images(crowd):
    import cv2
    assert run(crowd, limit=12, **{'contact_sheets.every': 5, 'contact_sheets.rows': 2})['kept'] == 12
    sheets = sorted((crowd.out / 'contact_sheets').iterdir())
    assert [path.name for path in sheets] == ['00000000.jpg', '00000005.jpg', '00000010.jpg']
    picture = cv2.imread(str(sheets[0]))
    assert picture.shape[0] > 2 * 360 and picture.std() > 20


def test_images_in_flight_do_not_pile_up(crowd, monkeypatch):
    """No more samples are alive at once than two batches hold."""
    import weakref

    from mmhuman_dto.generation import pipeline
    alive, most = weakref.WeakSet(), []
    original = pipeline.apply_stage

    def watch(stage, samples):
        for sample in samples:
            alive.add(sample.pred_instances)
        most.append(len(alive))
        return original(stage, samples)

    monkeypatch.setattr(pipeline, 'apply_stage', watch)
    run(crowd)
    assert max(most) <= 3 * 4


def test_users_own_parts_from_outside_the_package(crowd):
    """Body model, prior, solver, stage and source of tests/toy_plugin.py, named in the config."""
    assert 'toy_plugin' in sys.modules
    counts = run(crowd, limit=6, **{
        'stages.dto.prior': dict(type='ToyPrior', _delete_=True),
        'stages.dto.solver': dict(type='ToySolver', factor=2., _delete_=True),
        'stages.mine': dict(type='ToyStage', bad='0002.jpg'),
        'stages.ages.source': dict(type='ToyAges', _delete_=True)})
    assert (counts['kept'], counts['failed']) == (5, 1)
    failure, = lines(crowd.out / 'failures.jsonl')
    assert failure['image'] == '0002.jpg' and failure['stage'] == 'mine' and 'KeyError' in failure['reason']
    table, before = PeopleTable(crowd.out / 'people_table'), InitialMeshes('initial_meshes.npz', data_root=crowd.data)
    placed = table[0].pred_instances
    start = before[0].pred_instances[placed.person_index]
    np.testing.assert_allclose(placed.transl[:, 2], 2 * start.transl[:, 2], rtol=1e-5)
