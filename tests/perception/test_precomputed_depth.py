"""Depth maps from plain files: known values back whatever the format, kinds said or refused, unknown pixels apart."""
import json
import math

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.perception import PrecomputedDepth, SourceError
from mmhuman_dto.structures import HumanDataSample, People

SIZE = (6, 8)


def make_sample(img_id='a/b.jpg', size=SIZE):
    return HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=size), pred_instances=People(num_people=2))


def write(path, values, key='disparity', **others):
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix
    if suffix == '.png':
        assert cv2.imwrite(str(path), values)
    elif suffix == '.npy':
        np.save(path, values)
    elif suffix == '.npz':
        np.savez(path, **{key: values}, **others)
    elif suffix == '.pt':
        torch.save({key: torch.from_numpy(np.asarray(values, np.float32)), **others}, path)
    elif suffix == '.pfm':
        path.write_bytes(b'Pf\n%d %d\n-1.0\n' % values.shape[::-1] + values[::-1].astype('<f4').tobytes())
    else:
        openexr = pytest.importorskip('OpenEXR', reason='extra [exr] is not installed')
        openexr.File({}, {'Y': values.astype(np.float32)}).write(str(path))


@pytest.fixture
def ramp():
    return np.arange(48, dtype=np.uint16).reshape(SIZE) * 1000


@pytest.mark.parametrize('suffix', ['.png', '.npy', '.npz', '.pt', '.pfm', '.exr'])
@pytest.mark.parametrize('said', [True, False])
def test_disparity_of_every_kind_of_file(tmp_path, ramp, suffix, said):
    """The suffix is found where it is not said, and a folder called disparity says the kind."""
    write(tmp_path / 'disparity' / 'a' / f'b{suffix}', ramp)
    options = dict(suffix=suffix, kind='disparity') if said else {}
    result, = PrecomputedDepth('disparity', scale=.5, data_root=tmp_path, **options)([make_sample()])
    assert result.dtype == torch.float32
    np.testing.assert_array_equal(result, ramp * np.float32(.5))


def test_formats_are_read_as_their_programs_mean_them(tmp_path):
    values = np.arange(1, 49, dtype=np.float32).reshape(SIZE)
    (tmp_path / 'big.pfm').write_bytes(b'Pf\n8 6\n1.0\n' + values[::-1].astype('>f4').tobytes())
    np.save(tmp_path / 'batch.npy', values[None, None].astype(np.float64))
    np.savez(tmp_path / 'unnamed.npz', values)
    torch.save(torch.from_numpy(values)[None], tmp_path / 'tensor.pt')
    for name in ('big.pfm', 'batch.npy', 'unnamed.npz', 'tensor.pt'):
        source = PrecomputedDepth(tmp_path, f'.{name.split(".")[1]}', 'disparity')
        np.testing.assert_array_equal(source([make_sample(name)])[0], values)
    openexr = pytest.importorskip('OpenEXR', reason='extra [exr] is not installed')
    for name, channels in dict(half={'Y': values.astype(np.float16)}, blender={'Z': values, 'A': values * 0},
                               grey={'R': values, 'G': values, 'B': values}).items():
        openexr.File({}, channels).write(str(tmp_path / f'{name}.exr'))
        np.testing.assert_array_equal(PrecomputedDepth(tmp_path, '.exr', 'disparity')([make_sample(name)])[0], values)
    openexr.File({}, {'R': values, 'G': values + 1, 'B': values}).write(str(tmp_path / 'points.exr'))
    with pytest.raises(SourceError, match=r'points\.exr: its channels are B, G, R; depth is in one called Z'):
        PrecomputedDepth(tmp_path, '.exr', 'disparity')([make_sample('points')])


@pytest.mark.parametrize('kind', ['depth', 'metres'])
def test_depth_is_inverted_and_unknown_stays_zero(tmp_path, kind):
    depth = np.full(SIZE, 4.)
    depth[0, :4] = 0, np.inf, -1, np.nan
    write(tmp_path / 'd' / 'a' / 'b.npz', depth, 'depth')
    result, = PrecomputedDepth('d', '.npz', kind=kind, data_root=tmp_path)([make_sample()])
    assert result[0, :4].tolist() == [0, 0, 0, 0] and (result.flatten()[4:] == 250).all()  # 1/km


def test_millimetres_become_metres_by_their_scale(tmp_path):
    write(tmp_path / 'a' / 'b.png', np.full(SIZE, 2500, np.uint16))
    result, = PrecomputedDepth(tmp_path, kind='metres', scale=.001)([make_sample()])
    np.testing.assert_allclose(result, 400, rtol=1e-6)


def test_a_scale_an_image_from_json(tmp_path, ramp):
    for name in ('b', 'c', 'd'):
        write(tmp_path / 'disparity' / 'a' / f'{name}.png', ramp)
    (tmp_path / 'scale.json').write_text(json.dumps({'a/b.jpg': .25, 'a/c.jpg': 2}))
    source = PrecomputedDepth('disparity', scale='scale.json', data_root=tmp_path)
    b, c = source([make_sample('a/b.jpg'), make_sample('a/c.jpg')])
    np.testing.assert_array_equal(c, 8 * b)
    with pytest.raises(SourceError, match=r'scale\.json: has no scale for a/d\.jpg'):
        source([make_sample('a/d.jpg')])


def test_small_maps_are_enlarged_in_disparity(tmp_path):
    columns = np.tile(np.arange(4, dtype=np.float32) + 1, (3, 1))
    for kind, values in (('disparity', columns), ('metres', 1000 / columns)):
        write(tmp_path / kind / 'a' / 'b.npy', values)
        found, = PrecomputedDepth(kind, '.npy', kind, data_root=tmp_path)([make_sample()])
        # Bilinear between pixel centres: 1, 1.25, 1.75, 2.25, ...
        np.testing.assert_allclose(found[2], [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4], atol=1e-6)


def test_what_is_unknown_takes_no_part_in_its_neighbours(tmp_path):
    columns = np.tile(np.float32([2, 2, np.inf, np.inf]), (3, 1))
    write(tmp_path / 'a' / 'b.npy', columns)
    found, = PrecomputedDepth(tmp_path, '.npy', 'metres')([make_sample()])
    assert found[2].tolist() == [500, 500, 500, 500, 0, 0, 0, 0]


def test_the_camera_beside_a_map_is_that_of_the_image(tmp_path):
    intrinsics = np.array([[30., 0, 2], [0, 40, 1.5], [0, 0, 1]])
    shares = np.diag([1 / 4, 1 / 3, 1]) @ intrinsics
    for name, key, value in (('px', 'intrinsics', intrinsics), ('shares', 'intrinsics', shares),
                             ('one', 'intrinsics', intrinsics[None]), ('focal', 'focallength_px', 35.)):
        write(tmp_path / f'{name}.npz', np.ones((3, 4)), 'depth', **{key: value})
        (_, focal), = PrecomputedDepth(tmp_path, '.npz', 'metres').with_focals([make_sample(name)])
        assert focal == pytest.approx(70), name
    write(tmp_path / 'none.npz', np.ones((3, 4)), 'depth')
    (_, focal), = PrecomputedDepth(tmp_path, '.npz', 'metres').with_focals([make_sample('none')])
    assert math.isnan(focal)
    write(tmp_path / 'bad.npz', np.ones((3, 4)), 'depth', intrinsics=-intrinsics)
    with pytest.raises(SourceError, match=r'bad\.npz: intrinsics .* expected \(3, 3\) with positive focal lengths'):
        PrecomputedDepth(tmp_path, '.npz', 'metres')([make_sample('bad')])


@pytest.mark.parametrize('suffix, content, message', [
    ('.npy', None, 'not found'),
    ('.npy', b'', 'damaged, cut short or not in npy format'),
    ('.npy', np.array([{}]), 'holds object, expected numbers'),
    ('.npy', np.zeros((6, 8, 3)), r'has shape \(6, 8, 3\), expected \(H, W\)'),
    ('.npy', np.ones((8, 6)), r'shape \(8, 6\) does not fit the image of \(6, 8\)'),
    ('.npy', np.full(SIZE, np.nan), 'no positive, finite disparity'),
    ('.npy', np.zeros(SIZE), 'no positive, finite disparity'),
    ('.npy', np.full(SIZE, np.inf), 'no positive, finite disparity'),
    ('.npz', np.ones(SIZE), r"has no key 'disparity', has \['other'\]"),
    ('.pfm', b'P6\n8 6\n-1\n', 'damaged, cut short or not a portable float map'),
    ('.pfm', b'Pf\n8 6\n-1\n' + bytes(100), 'damaged, cut short or not a portable float map'),
    ('.exr', b'no exr', 'damaged, cut short or not an OpenEXR file'),
    ('.pt', b'no tensors', 'damaged, cut short or not a checkpoint'),
])
def test_bad_maps_are_named(tmp_path, suffix, content, message):
    if suffix == '.exr':
        pytest.importorskip('OpenEXR', reason='extra [exr] is not installed')
    path = tmp_path / f'a/b{suffix}'
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write(path, content, 'other')
    with pytest.raises(SourceError, match=rf'b\{suffix}: {message}'):
        PrecomputedDepth('', suffix, 'disparity', data_root=tmp_path)([make_sample()])


def test_a_kind_is_never_guessed(tmp_path):
    for name in ('maps', 'depth'):
        write(tmp_path / name / 'b.npz', np.ones(SIZE), 'depth')
        with pytest.raises(ValueError, match=f"{name}: nothing says what its depth maps hold; give kind, one of 'dispa"
                                             "rity' .*larger is nearer.*'depth' .*'metres' "):
            PrecomputedDepth(name, data_root=tmp_path)
    write(tmp_path / 'keys' / 'b.npz', np.ones(SIZE), 'disparity')
    assert PrecomputedDepth('keys', data_root=tmp_path).kind == 'disparity'
    with pytest.raises(ValueError, match="kind of a depth map must be one of .*; got 'inverse'"):
        PrecomputedDepth('d', '.npy', kind='inverse')


def test_what_was_metres_before_is_refused():
    """'depth' with a scale was depth in a known unit."""
    for scale in (.001, 'scale.json'):
        with pytest.raises(ValueError, match="kind='depth' is depth up to a factor, .* give kind='metres'"):
            PrecomputedDepth('d', '.npy', kind='depth', scale=scale)


def test_options_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"suffix must be one of .*, got '\.jpg'"):
        PrecomputedDepth('d', '.jpg', 'disparity')
    with pytest.raises(ValueError, match='scale must be positive, got -1'):
        PrecomputedDepth('d', '.npy', 'disparity', scale=-1)
    with pytest.raises(FileNotFoundError, match='gone: no such folder of depth maps'):
        PrecomputedDepth('gone', kind='metres')
    write(tmp_path / 'a.npy', np.ones(SIZE))
    write(tmp_path / 'b.png', np.ones(SIZE, np.uint8))
    with pytest.raises(SourceError, match=r'all of one of .*, found \.npy, \.png; say suffix='):
        PrecomputedDepth(tmp_path, kind='disparity')([make_sample('a')])
