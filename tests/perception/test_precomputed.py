"""Sources that read files: known values back, sizes fitted, absent and malformed files named."""
import json

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.perception import PrecomputedAges, PrecomputedMasks, SourceError
from mmhuman_dto.structures import HumanDataSample, People

SIZE = (6, 8)


def make_sample(img_id='a/b.jpg', people=2):
    return HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=SIZE), pred_instances=People(num_people=people))


def write(path, values, key='disparity'):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.png':
        assert cv2.imwrite(str(path), values)
    elif path.suffix == '.npy':
        np.save(path, values)
    else:
        np.savez(path, **{key: values})


def test_small_masks_are_enlarged(tmp_path):
    write(tmp_path / 'm' / 'a' / 'b.npy', np.tile(np.array([0, 1, 2, 0]), (3, 1)))
    ids, = PrecomputedMasks('m', '.npy', data_root=tmp_path)([make_sample()])
    assert ids.dtype == torch.int32 and ids[5].tolist() == [0, 0, 1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize('source, suffix, content, message', [
    (PrecomputedMasks, '.npy', None, 'not found'),
    (PrecomputedMasks, '.npz', np.ones(SIZE, int), r"has no key 'id_map', has \['other'\]"),
    (PrecomputedMasks, '.npy', np.ones((8, 6), int), r'shape \(8, 6\) does not fit the image of \(6, 8\)'),
    (PrecomputedMasks, '.png', b'', 'cannot be read'),
    (PrecomputedMasks, '.png', b'no picture', 'cannot be read'),
    (PrecomputedMasks, '.npy', np.full(SIZE, 3), 'holds id 3, the image has 2 people'),
    (PrecomputedMasks, '.npy', np.full(SIZE, -1), 'ids must be integers from 0'),
    (PrecomputedMasks, '.npy', np.full(SIZE, 1.), 'ids must be integers from 0, got float64'),
])
def test_bad_maps_are_named(tmp_path, source, suffix, content, message):
    path = tmp_path / f'a/b{suffix}'
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write(path, content, 'other')
    with pytest.raises(SourceError, match=rf'b\{suffix}: {message}'):
        source('', suffix, data_root=tmp_path)([make_sample()])


def test_ages_from_json_with_null_as_unknown(tmp_path):
    (tmp_path / 'ages.json').write_text(json.dumps({'a/b.jpg': dict(ages=[4, None], male_probs=[.25, .5])}))
    (ages, male), = PrecomputedAges('ages.json', data_root=tmp_path)([make_sample()])
    assert ages[0] == 4 and torch.isnan(ages[1]) and male.tolist() == [.25, .5]


def test_ages_from_a_file_an_image(tmp_path):
    (tmp_path / 'ages' / 'a').mkdir(parents=True)
    np.savez(tmp_path / 'ages' / 'a' / 'b.npz', ages=np.array([4., 30]), male_probs=np.array([0., 1]))
    np.save(tmp_path / 'ages' / 'a' / 'b.npy', np.array([[4., 0], [30, 1]]))
    for suffix in ('.npz', '.npy'):
        (ages, male), = PrecomputedAges('ages', suffix, data_root=tmp_path)([make_sample()])
        assert ages.tolist() == [4, 30] and male.tolist() == [0, 1]
    with pytest.raises(SourceError, match=r'b\.npy: has shape \(2, 2\), expected \(3, 2\)'):
        PrecomputedAges('ages', '.npy', data_root=tmp_path)([make_sample(people=3)])


@pytest.mark.parametrize('entry, message', [
    (dict(ages=[1, 2]), 'a/b.jpg lacks male_probs'),
    (dict(ages=[1], male_probs=[0, 0]), r'ages has shape \(1,\), the image has 2 people'),
])
def test_ages_that_do_not_fit_are_named(tmp_path, entry, message):
    (tmp_path / 'ages.json').write_text(json.dumps({'a/b.jpg': entry}))
    with pytest.raises(SourceError, match=message):
        PrecomputedAges('ages.json', data_root=tmp_path)([make_sample()])


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="suffix must be .*got '.exr'"):
        PrecomputedMasks('d', suffix='.exr')
    with pytest.raises(FileNotFoundError, match=r'gone\.json'):
        PrecomputedAges('gone.json')


@pytest.mark.parametrize('text, message', [('{', 'damaged, cut short or not JSON'), ('[1]', 'holds a list')])
def test_broken_json_is_named(tmp_path, text, message):
    (tmp_path / 'ages.json').write_text(text)
    with pytest.raises(ValueError, match=r'ages\.json: ' + message):
        PrecomputedAges('ages.json', data_root=tmp_path)
