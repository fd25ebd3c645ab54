"""What each depth program writes, from exact depth of rendered crowds: depth and camera of the image come back."""
import cv2
import depth_programs as programs
import numpy as np
import pytest
import torch

from mmhuman_dto.perception import PrecomputedDepth, SourceError
from mmhuman_dto.perception.depth_files import DepthAnything3, MiDaS, PlainDepth, layout_of
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene

SIZE = (180, 240)


@pytest.fixture(scope='session')
def shown():
    """Two rendered crowds."""
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    scenes = [sample_scene(index, body_model, CrowdConfig(size=SIZE), seed=7) for index in (0, 2)]
    renderer = Renderer(body_model)
    return [programs.Shown(f'{name}_photo', picture.image, picture.depth, np.asarray(scene.intrinsics, np.float64))
            for name, scene, picture in zip('ab', scenes, map(renderer, scenes))]


def sample_of(shown, folder='', camera=False):
    sample = HumanDataSample(metainfo=dict(img_id=f'{shown.name}.jpg', ori_shape=shown.depth.shape,
                                           img_path=f'{folder}/{shown.name}.jpg'))
    sample.image = shown.image
    if camera:
        sample.pred_camera = Camera(intrinsics=torch.tensor(shown.intrinsics, dtype=torch.float32))
    return sample


def check_metres(source, shown, has_camera=True, exact=True, **options):
    """Depth in m, and the focal length where the program saves one, are the picture's."""
    assert source.kind == 'metres'
    (disparity, focal), = source.with_focals([sample_of(shown, **options)])
    check_depth(disparity, shown, exact)
    assert focal == pytest.approx(shown.focal, rel=1e-4) if has_camera else np.isnan(focal)


def check_depth(disparity, shown, exact=True, factor=1.):
    assert disparity.shape == shown.depth.shape and disparity.dtype == torch.float32
    known, there = disparity.numpy() > 0, shown.depth > 0
    assert (known == there).mean() > (.9999 if exact else .98)
    error = np.abs(1000 / disparity.numpy()[known & there] / (shown.depth[known & there] * factor) - 1)
    assert error.max() < 1e-3 if exact else np.median(error) < 2e-3 and (error < .03).mean() > .87


def test_depth_anything_v2_relative_is_coarse_disparity(tmp_path, shown):
    programs.depth_anything_v2(tmp_path, shown[0])
    with pytest.raises(ValueError, match='nothing says what its depth maps hold'):
        PrecomputedDepth(tmp_path)
    disparity, = PrecomputedDepth(tmp_path, kind='disparity')([sample_of(shown[0])])
    inverse = shown[0].inverse
    assert len(disparity.unique()) <= 256
    np.testing.assert_allclose(disparity / 255, (inverse - inverse.min()) / np.ptp(inverse), atol=1 / 255)
    programs.depth_anything_v2(tmp_path, shown[1], grayscale=False)
    with pytest.raises(SourceError, match=r'b_photo\.png: .*it is a picture in colours.*--pred-only --grayscale'):
        PrecomputedDepth(tmp_path, kind='disparity')([sample_of(shown[1])])


def test_depth_anything_v2_metric_says_metres_by_its_name(tmp_path, shown):
    """Beside the numbers lie pictures in colours, which are no maps."""
    for one in shown:
        programs.depth_anything_v2_metric(tmp_path, one)
    for one in shown:
        check_metres(PrecomputedDepth(tmp_path), one, has_camera=False)
    with pytest.raises(ValueError, match="files of metric Depth Anything V2, which are of kind 'metres', not 'dispa"):
        PrecomputedDepth(tmp_path, kind='disparity')


@pytest.fixture
def photos(tmp_path, shown):
    """The folder that was fed to a program."""
    (tmp_path / 'photos').mkdir()
    for one in shown:
        cv2.imwrite(str(tmp_path / 'photos' / f'{one.name}.jpg'), one.image[..., ::-1])
    return tmp_path / 'photos'


@pytest.mark.parametrize('kind', ['npz', 'mini_npz'])
def test_depth_anything_3_nested_is_in_metres(tmp_path, photos, shown, kind):
    """One file of all pictures, by the order of their names; depth and camera are of the size fed."""
    programs.depth_anything_3(tmp_path, shown, 'nested', (378, 504), kind)
    for folder in (tmp_path, tmp_path / 'exports', tmp_path / 'exports' / kind):
        source = PrecomputedDepth(folder, kind='metres', layout=dict(network='nested'))
        for one in shown[::-1]:
            check_metres(source, one, exact=False, folder=photos)
    check_metres(PrecomputedDepth(tmp_path, kind='metres', layout=dict(network='nested', images=str(photos))), shown[1],
                 exact=False, folder='elsewhere')


def test_depth_anything_3_metric_becomes_metres_by_the_focal_length(tmp_path, photos, shown):
    """Taken for metres as it is, it would be off by 300 / focal: the focal length of the size fed, not the image's."""
    programs.depth_anything_3(tmp_path, shown, 'metric', (378, 504), 'mini_npz')
    metric = dict(type='DepthAnything3', network='metric')
    check_metres(PrecomputedDepth(tmp_path, kind='metres', layout=metric), shown[1], has_camera=False, exact=False,
                 folder=photos, camera=True)
    known = dict(metric, focal=shown[1].focal)
    check_metres(PrecomputedDepth(tmp_path, kind='metres', layout=known), shown[1], has_camera=False, exact=False,
                 folder=photos)
    with pytest.raises(SourceError, match='DA3METRIC becomes metres by the focal length, and none is known here'):
        PrecomputedDepth(tmp_path, kind='metres', layout=metric)([sample_of(shown[1], photos)])


def test_depth_anything_3_without_metric_is_depth_up_to_a_factor(tmp_path, photos, shown):
    programs.depth_anything_3(tmp_path, shown, 'any', (378, 504))
    source = PrecomputedDepth(tmp_path, kind='depth')
    (disparity, focal), = source.with_focals([sample_of(shown[1], photos)])
    check_depth(disparity, shown[1], exact=False, factor=.37)
    assert focal == pytest.approx(shown[1].focal, rel=1e-4)
    with pytest.raises(ValueError, match="which are of kind 'depth' or 'metres', not 'disparity'"):
        PrecomputedDepth(tmp_path, kind='disparity')
    with pytest.raises(ValueError, match='do not say which of its networks wrote them; for metres give layout.network'):
        PrecomputedDepth(tmp_path, kind='metres')
    with pytest.raises(ValueError, match="network must be 'nested' or 'metric', got 'large'"):
        PrecomputedDepth(tmp_path, kind='metres', layout=dict(network='large'))


def test_depth_anything_3_of_other_pictures_is_refused(tmp_path, photos, shown):
    programs.depth_anything_3(tmp_path, shown, 'any', (378, 504))
    source = PrecomputedDepth(tmp_path, kind='depth')
    cv2.imwrite(str(photos / 'added.jpg'), shown[0].image)
    with pytest.raises(SourceError, match='holds 2 maps, in the order of the names of the images fed; .*has 3 pic'):
        source([sample_of(shown[0], photos)])
    (photos / f'{shown[0].name}.jpg').unlink()  # as many again, of which one is another
    black = shown[1]._replace(image=shown[1].image // 3)
    with pytest.raises(SourceError, match=r'picture 1 in it is not b_photo\.jpg: its mean colour'):
        PrecomputedDepth(tmp_path, kind='depth')([sample_of(black, photos)])


def test_sides_rounded_to_patches_fit(tmp_path):
    """Of 94 x 400 px 504 px long are 118.4 high, which becomes 112 or 126: 6 % off the proportions."""
    flat = programs.Shown('flat', np.zeros((94, 400, 3), np.uint8), np.full((94, 400), 3.),
                          np.array([[300., 0, 200], [0, 300, 47], [0, 0, 1]]))
    for height in (112, 126):
        folder = tmp_path / str(height)
        programs.depth_anything_3(folder, [flat], 'nested', (height, 504))
        source = PrecomputedDepth(folder, kind='metres', layout=dict(network='nested'))
        (disparity, focal), = source.with_focals([sample_of(flat)])
        np.testing.assert_allclose(disparity, 1000 / 3, rtol=1e-4)
        assert focal == pytest.approx(300, rel=1e-4)  # each axis by its own factor
    folder = tmp_path / 'other'
    programs.depth_anything_3(folder, [flat], 'nested', (154, 504))
    with pytest.raises(SourceError, match=r'shape \(154, 504\) does not fit'):
        PrecomputedDepth(folder, kind='metres', layout=dict(network='nested'))([sample_of(flat)])


@pytest.mark.parametrize('kind, factor', [('metres', 1.), ('depth', .4)])
def test_moge_folders(tmp_path, shown, kind, factor):
    """A folder an image; what is masked is infinite; only who ran it knows whether it was version 1 or 2."""
    pytest.importorskip('OpenEXR', reason='extra [exr] is not installed')
    for one in shown:
        programs.moge_folder(tmp_path, one, factor)
    with pytest.raises(ValueError, match='nothing says what'):
        PrecomputedDepth(tmp_path)
    for one in shown:
        (disparity, focal), = PrecomputedDepth(tmp_path, kind=kind).with_focals([sample_of(one)])
        check_depth(disparity, one, factor=factor)
        assert focal == pytest.approx(one.focal, rel=1e-4)
    own = PrecomputedDepth(tmp_path / shown[0].name, kind=kind)  # the folder of one image
    check_depth(own([sample_of(shown[0])])[0], shown[0], factor=factor)
    with pytest.raises(SourceError, match=r'depth\.exr: not found'):
        own([sample_of(shown[1])])
    (tmp_path / shown[0].name / 'fov.json').write_text('{"fov_x": 0.9}')
    with pytest.raises(SourceError, match=r'fov\.json: fov_y is None, expected degrees'):
        PrecomputedDepth(tmp_path, kind=kind)([sample_of(shown[0])])
    with pytest.raises(SourceError, match=r'c_photo/depth\.exr: not found'):
        PrecomputedDepth(tmp_path, kind=kind)([sample_of(shown[0]._replace(name='c_photo'))])


@pytest.mark.parametrize('suffix', ['.npz', '.pt'])
def test_moge_arrays_have_shares_for_intrinsics(tmp_path, shown, suffix):
    for one in shown:
        programs.moge_arrays(tmp_path / f'{one.name}{suffix}', one)
        check_metres(PrecomputedDepth(tmp_path, kind='metres'), one)
    with pytest.raises(ValueError, match="files of MoGe, which are of kind 'depth' or 'metres', not 'disparity'"):
        PrecomputedDepth(tmp_path, kind='disparity')


def test_a_mask_counts_where_the_depth_is_finite_too(tmp_path, shown):
    one = shown[0]
    mask = np.zeros(SIZE, bool)
    mask[50:120] = True
    np.savez(tmp_path / f'{one.name}.npz', depth=np.full(SIZE, 2., np.float32), mask=mask, intrinsics=np.eye(3))
    disparity, = PrecomputedDepth(tmp_path, kind='depth')([sample_of(one)])
    assert ((disparity > 0).numpy() == mask).all()


@pytest.mark.parametrize('suffix', ['.npz', '.pt'])
@pytest.mark.parametrize('size', [SIZE, (462, 616)])
def test_unidepth_is_a_batch_of_one(tmp_path, shown, suffix, size):
    for one in shown:
        programs.unidepth(tmp_path / f'{one.name}{suffix}', one, size)
        check_metres(PrecomputedDepth(tmp_path), one, exact=size == SIZE)


def test_depth_pro(tmp_path, shown):
    """What is beyond 10 km is at 10 km: no unknown pixels, and hardly any disparity there."""
    for one in shown:
        programs.depth_pro(tmp_path, one)
        far = one._replace(depth=np.where(one.depth > 0, one.depth, 1e4).astype(np.float32))
        check_metres(PrecomputedDepth(tmp_path), far)
    programs.depth_pro(tmp_path, shown[0], focal=False)  # its command line saves the depth alone, which says nothing
    programs.depth_pro(tmp_path, shown[1], focal=False)
    with pytest.raises(ValueError, match='nothing says what'):
        PrecomputedDepth(tmp_path)
    source = PrecomputedDepth(tmp_path, layout=dict(type='DepthPro'))
    check_metres(source, shown[0]._replace(depth=np.where(shown[0].depth > 0, shown[0].depth, 1e4)), has_camera=False)


@pytest.mark.parametrize('suffix', ['.npz', '.pt'])
@pytest.mark.parametrize('processed', [False, True])
def test_depth_pro_of_transformers_is_inverse_until_post_processed(tmp_path, shown, suffix, processed):
    for one in shown:
        programs.depth_pro_of_transformers(tmp_path / f'{one.name}{suffix}', one, processed)
        source = PrecomputedDepth(tmp_path)
        far = one._replace(depth=np.where(one.depth > 0, one.depth, 1e4).astype(np.float32))
        check_metres(source, far, exact=processed)


def test_metric3d_becomes_metres_by_the_focal_length(tmp_path, shown):
    """The focal length is that of the size fed; nothing in the file says what it is."""
    one = shown[0]
    programs.metric3d(tmp_path, one, (462, 616))
    with pytest.raises(ValueError, match='nothing says what'):
        PrecomputedDepth(tmp_path)
    for focal in (None, one.focal):
        source = PrecomputedDepth(tmp_path, layout=dict(type='Metric3D', focal=focal))
        assert source.kind == 'metres'
        disparity, = source([sample_of(one, camera=focal is None)])
        check_depth(disparity, one, exact=False)
    with pytest.raises(SourceError, match=r'a_photo\.jpg: Metric3D becomes metres by the focal length, and none'):
        PrecomputedDepth(tmp_path, layout=dict(type='Metric3D'))([sample_of(one)])


def test_zoedepth_stores_256ths_of_a_metre(tmp_path, shown):
    one = shown[0]._replace(depth=np.minimum(shown[0].depth, 200))
    programs.zoedepth(tmp_path, one)
    with pytest.raises(ValueError, match='nothing says what'):
        PrecomputedDepth(tmp_path)
    disparity, = PrecomputedDepth(tmp_path, layout=dict(type='ZoeDepth'))([sample_of(one)])
    known = one.depth > 0
    assert np.abs(1000 / disparity.numpy()[known] - one.depth[known]).max() < 1 / 256


def test_midas_is_inverse_depth_from_the_bottom_up(tmp_path, shown):
    for one in shown:
        programs.midas(tmp_path, one)
    programs.midas(tmp_path, shown[0]._replace(name='a_photo-2', depth=shown[1].depth))  # not of a_photo.jpg
    source = PrecomputedDepth(tmp_path)
    assert source.kind == 'disparity' and type(source.layout) is MiDaS
    for one in shown:
        disparity, = source([sample_of(one)])
        np.testing.assert_allclose(disparity, 5000 * one.inverse + 80, rtol=1e-5)
    with pytest.raises(SourceError, match=r'c_photo-NETWORK\.pfm: not found'):
        source([sample_of(shown[0]._replace(name='c_photo'))])


def test_the_picture_of_midas_counts_where_nothing_else_is_left(tmp_path, shown):
    """16 bits from the least to the largest value; in colours it says nothing."""
    one = shown[0]
    inverse = one.inverse
    values = np.round((inverse - inverse.min()) / np.ptp(inverse) * 65535).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f'{one.name}-midas_v21_384.png'), values)
    source = PrecomputedDepth(tmp_path)
    assert type(source.layout) is MiDaS
    np.testing.assert_array_equal(source([sample_of(one)])[0], values)
    programs.midas(tmp_path, shown[1])
    (tmp_path / f'{shown[1].name}-dpt_beit_large_512.pfm').unlink()
    with pytest.raises(SourceError, match='it is a picture in colours'):
        source([sample_of(shown[1])])


def test_names_with_glob_signs_are_names(tmp_path, shown):
    one = shown[0]._replace(name='a[1]')
    programs.midas(tmp_path, one)
    np.testing.assert_allclose(PrecomputedDepth(tmp_path)([sample_of(one)])[0], 5000 * one.inverse + 80, rtol=1e-5)


def test_sniffing_looks_at_names_and_contents(tmp_path, shown):
    (tmp_path / 'empty').mkdir()
    assert type(layout_of(tmp_path / 'empty')) is PlainDepth
    np.savez(tmp_path / 'results.npz', other=np.ones(3))  # called so, but of something else
    np.savez(tmp_path / 'b.npz', depth=np.ones(SIZE))
    assert type(layout_of(tmp_path)) is PlainDepth
    programs.depth_anything_3(tmp_path / 'x' / 'y', shown, 'any', (84, 112))
    assert type(layout_of(tmp_path / 'x')) is DepthAnything3
    with pytest.raises(FileNotFoundError, match='gone: no such folder of depth maps'):
        layout_of(tmp_path / 'gone')


def test_damaged_files_are_named(tmp_path, shown):
    (tmp_path / 'exports').mkdir()
    (tmp_path / 'exports/results.npz').write_bytes(b'PK\3\4')
    with pytest.raises(SourceError, match=r'results\.npz: damaged'):
        PrecomputedDepth(tmp_path, kind='depth', layout=dict(type='DepthAnything3'))([sample_of(shown[0])])
    np.savez(tmp_path / f'{shown[0].name}.npz', depth=np.ones(SIZE))
    for layout, key in (('MoGe', 'intrinsics'), ('UniDepth', 'intrinsics')):
        with pytest.raises(SourceError, match=rf"a_photo\.npz: has no key '{key}', has \['depth'\]"):
            PrecomputedDepth(tmp_path, kind='metres', layout=dict(type=layout))([sample_of(shown[0])])
    np.savez(tmp_path / f'{shown[0].name}.npz', points=np.ones(SIZE))
    for layout in ('MoGe', 'UniDepth', 'DepthPro'):
        with pytest.raises(SourceError, match=r"a_photo\.npz: has no key 'depth', has \['points'\]"):
            PrecomputedDepth(tmp_path, kind='metres', layout=dict(type=layout))([sample_of(shown[0])])


@pytest.mark.parametrize('arrays, message', [
    (dict(depth=np.ones(SIZE)), r'depth has shape \(180, 240\), expected \(N, H, W\)'),
    (dict(depth=np.ones((2, *SIZE)), intrinsics=np.ones((3, 3, 3))), 'holds 2 maps and 3 intrinsics'),
    (dict(other=np.ones((2, *SIZE))), r"has no key 'depth', has \['other'\]"),
])
def test_results_of_another_shape_are_named(tmp_path, shown, arrays, message):
    np.savez(tmp_path / 'results.npz', **arrays)
    with pytest.raises(SourceError, match=rf'results\.npz: {message}'):
        PrecomputedDepth(tmp_path, kind='depth', layout=dict(type='DepthAnything3'))([sample_of(shown[0])])


def test_masks_and_focal_lengths_that_cannot_be_are_named(tmp_path, shown):
    path = tmp_path / f'{shown[0].name}.npz'
    np.savez(path, depth=np.ones(SIZE), mask=np.ones((3, 4), bool), intrinsics=np.eye(3))
    with pytest.raises(SourceError, match=r'a_photo\.npz: the mask is \(3, 4\), the depth \(180, 240\)'):
        PrecomputedDepth(tmp_path, kind='depth')([sample_of(shown[0])])
    np.savez(path, depth=np.ones(SIZE), focallength_px=-3.)
    with pytest.raises(SourceError, match=r'a_photo\.npz: a focal length of -3\.0 px comes with the map'):
        PrecomputedDepth(tmp_path)([sample_of(shown[0])])


def test_layouts_that_change_values_do_not_show_what_is_stored(tmp_path, shown):
    """Only plain files are looked at as they are, for their number of bits."""
    programs.depth_anything_v2_metric(tmp_path, shown[0])
    assert PrecomputedDepth(tmp_path).stored(sample_of(shown[0])) is None
    programs.depth_anything_v2(tmp_path, shown[0])
    stored = PrecomputedDepth(tmp_path, '.png', 'disparity').stored(sample_of(shown[0]))
    assert stored.dtype == np.uint8 and stored.shape == SIZE
    with pytest.raises(ValueError, match="say it in layout: layout=dict\\(type='PlainDepth', suffix='.png'\\)"):
        PrecomputedDepth(tmp_path, '.png', 'disparity', layout=dict(type='PlainDepth'))
