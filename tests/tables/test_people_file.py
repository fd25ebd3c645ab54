import json

import numpy as np
import pytest
import torch

from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_file import PeopleFileError, read_people, write_people


def sample_of(count, focal_std=.3):
    gen = torch.Generator().manual_seed(count)
    people = People(
        global_orient=torch.randn(count, 3, generator=gen), body_pose=torch.randn(count, 23, 3, generator=gen),
        betas=torch.randn(count, 11, generator=gen), transl=torch.randn(count, 3, generator=gen),
        ages=torch.full((count, ), torch.nan), scores=torch.rand(count, generator=gen),
        drop_reasons=torch.arange(count), keypoint_scores=torch.rand(count, 17, generator=gen),
        person_index=torch.arange(count) * 2, keypoints_2d_valid=torch.rand(count, 5, generator=gen) > .5)
    sample = HumanDataSample(metainfo=dict(img_id='a/b.jpg', ori_shape=(480, 640), body_model='OpenBody',
                                           focal_source='guess', keypoint_set='coco17', caveat='knows nobody',
                                           img_path='/secret/a/b.jpg'))
    sample.pred_instances = people
    sample.pred_camera = Camera(intrinsics=torch.tensor([[500.25, 0, 320], [0, 500.25, 240], [0, 0, 1]]),
                                focal_std=torch.tensor(focal_std))
    return sample


@pytest.mark.parametrize('suffix', ['json', 'npz'])
@pytest.mark.parametrize('count', [0, 3])
def test_what_is_written_reads_back_bit_by_bit(tmp_path, suffix, count):
    sample = sample_of(count)
    write_people(tmp_path / f'deep/people.{suffix}', sample)
    back = read_people(tmp_path / f'deep/people.{suffix}')
    assert len(back.pred_instances) == count
    assert set(back.pred_instances.keys()) == set(sample.pred_instances.keys())
    for name, value in sample.pred_instances.items():
        again = back.pred_instances[name]
        assert again.dtype == value.dtype, name
        if count:
            torch.testing.assert_close(again, value, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(back.pred_camera.intrinsics, sample.pred_camera.intrinsics, rtol=0, atol=0)
    torch.testing.assert_close(back.pred_camera.focal_std, torch.tensor(.3))
    assert (back.img_id, back.ori_shape, back.focal_source) == ('a/b.jpg', (480, 640), 'guess')
    assert (back.keypoint_set, back.caveat) == ('coco17', 'knows nobody')


def test_json_says_units_and_coordinates_and_nothing_unknown(tmp_path):
    write_people(tmp_path / 'p.json', sample_of(2))
    text = (tmp_path / 'p.json').read_text()
    content = json.loads(text)
    assert 'y down' in content['coordinates'] and content['units']['transl'] == 'm, camera'
    assert len(content['people']) == 2 and content['people'][0]['ages'] is None
    assert 'NaN' not in text and 'secret' not in text
    write_people(tmp_path / 'unknown.json', sample_of(2, focal_std=torch.nan))
    assert 'focal_std' not in read_people(tmp_path / 'unknown.json').pred_camera


def test_other_files_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r'p\.txt: expected \.json or \.npz'):
        write_people(tmp_path / 'p.txt', sample_of(1))
    (tmp_path / 'a.json').write_text('{"format": "other", "version": 1}')
    (tmp_path / 'b.json').write_text('not json')
    np.savez(tmp_path / 'c.npz', x=np.zeros(3))
    np.savez(tmp_path / 'd.npz', about=np.array([{}], dtype=object))
    for name in ('a.json', 'b.json', 'c.npz', 'd.npz', 'missing.npz'):
        with pytest.raises(PeopleFileError, match=name):
            read_people(tmp_path / name)
