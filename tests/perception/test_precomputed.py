"""Sources that read files: known values back, sizes fitted, absent and malformed files named."""
import json

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.perception import PrecomputedAges, PrecomputedDepth, PrecomputedMasks, SourceError
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


@pytest.fixture
def ramp():
    return np.arange(48, dtype=np.uint16).reshape(SIZE) * 1000


@pytest.mark.parametrize('suffix', ['.png', '.npy', '.npz'])
def test_disparity_of_every_kind_of_file(tmp_path, ramp, suffix):
    write(tmp_path / 'disparity' / 'a' / f'b{suffix}', ramp)
    result, = PrecomputedDepth('disparity', suffix, scale=.5, data_root=tmp_path)([make_sample()])
    assert result.dtype == torch.float32
    np.testing.assert_array_equal(result, ramp * np.float32(.5))


def test_depth_is_inverted_and_unknown_stays_zero(tmp_path):
    depth = np.full(SIZE, 4.)
    depth[0, 0], depth[0, 1], depth[0, 2] = 0, np.inf, -1
    write(tmp_path / 'd' / 'a' / 'b.npz', depth, 'depth')
    result, = PrecomputedDepth('d', '.npz', kind='depth', data_root=tmp_path)([make_sample()])
    assert result[0, :3].tolist() == [0, 0, 0] and (result.flatten()[3:] == .25).all()


def test_a_scale_an_image_from_json(tmp_path, ramp):
    for name in ('b', 'c', 'd'):
        write(tmp_path / 'disparity' / 'a' / f'{name}.png', ramp)
    (tmp_path / 'scale.json').write_text(json.dumps({'a/b.jpg': .25, 'a/c.jpg': 2}))
    source = PrecomputedDepth('disparity', scale='scale.json', data_root=tmp_path)
    b, c = source([make_sample('a/b.jpg'), make_sample('a/c.jpg')])
    np.testing.assert_array_equal(c, 8 * b)
    with pytest.raises(SourceError, match=r'scale\.json: has no scale for a/d\.jpg'):
        source([make_sample('a/d.jpg')])


def test_small_maps_are_enlarged(tmp_path):
    columns = np.tile(np.arange(4, dtype=np.float32) + 1, (3, 1))
    write(tmp_path / 'd' / 'a' / 'b.npy', columns)
    depth, = PrecomputedDepth('d', '.npy', data_root=tmp_path)([make_sample()])
    assert depth.shape == SIZE
    # Bilinear between pixel centres: 1, 1.25, 1.75, 2.25, ...
    np.testing.assert_allclose(depth[2], [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4], atol=1e-6)
    write(tmp_path / 'm' / 'a' / 'b.npy', np.tile(np.array([0, 1, 2, 0]), (3, 1)))
    ids, = PrecomputedMasks('m', '.npy', data_root=tmp_path)([make_sample()])
    assert ids.dtype == torch.int32 and ids[5].tolist() == [0, 0, 1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize('source, suffix, content, message', [
    (PrecomputedDepth, '.npy', None, 'not found'),
    (PrecomputedDepth, '.npy', b'', 'damaged, cut short or not in npy format'),
    (PrecomputedDepth, '.npy', np.array([{}]), 'holds object, expected numbers'),
    (PrecomputedDepth, '.npy', np.zeros((6, 8, 3)), r'has shape \(6, 8, 3\), expected \(H, W\)'),
    (PrecomputedDepth, '.npy', np.ones((8, 6)), r'shape \(8, 6\) does not fit the image of \(6, 8\)'),
    (PrecomputedDepth, '.npy', np.full(SIZE, np.nan), 'holds nan'),
    (PrecomputedDepth, '.npy', np.zeros(SIZE), 'no positive, finite disparity'),
    (PrecomputedDepth, '.npy', np.full(SIZE, np.inf), 'no positive, finite disparity'),
    (PrecomputedDepth, '.npz', np.ones(SIZE), r"has no key 'disparity', has \['other'\]"),
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
    with pytest.raises(ValueError, match="kind must be 'disparity' or 'depth', got 'inverse'"):
        PrecomputedDepth('d', kind='inverse')
    with pytest.raises(ValueError, match="suffix must be .*got '.exr'"):
        PrecomputedMasks('d', suffix='.exr')
    with pytest.raises(FileNotFoundError, match=r'gone\.json'):
        PrecomputedAges('gone.json')


@pytest.mark.parametrize('text, message', [('{', 'damaged, cut short or not JSON'), ('[1]', 'holds a list')])
def test_broken_json_is_named(tmp_path, text, message):
    (tmp_path / 'ages.json').write_text(text)
    with pytest.raises(ValueError, match=r'ages\.json: ' + message):
        PrecomputedAges('ages.json', data_root=tmp_path)
