import numpy as np
import pytest
import torch
from known_network import CROWD, Known
from mmengine.config import Config
from PIL import Image

from mmhuman_dto.apis import DTOInferencer, MetricHMRInferencer, init_model
from mmhuman_dto.apis.inference.dto import _chosen
from mmhuman_dto.engine import model as model_module
from mmhuman_dto.engine.checkpoint import CheckpointError
from mmhuman_dto.fileio import bundled
from mmhuman_dto.generation.pipeline import StagePipeline
from mmhuman_dto.geometry import project
from mmhuman_dto.stages import ConfigError, checked_config

ROOT = bundled.BUNDLED
PICTURE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(7, 0).repeat(7, 1)
FIELDS = ('global_orient', 'body_pose', 'betas', 'transl', 'scores', 'bboxes', 'keypoints_2d', 'keypoints_3d',
          'heights')


@pytest.fixture(scope='module')
def inferencer(tiny):
    return MetricHMRInferencer(*tiny, device='cpu', batch_size=2)


def assert_same(first, second, atol=1e-4):
    assert len(first) == len(second) > 0
    for name in FIELDS:
        torch.testing.assert_close(first[name], second[name], rtol=1e-4, atol=atol)


# Networks


def test_network_has_the_weights_of_the_file_and_no_losses(tiny):
    model = init_model(*tiny, device='cpu')
    state = torch.load(tiny[1], weights_only=True)['state_dict']
    assert not model.training and model.criterion is None and model.denoising is None
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_network_by_name_of_what_comes_with_the_package(tiny, monkeypatch):
    monkeypatch.setattr(bundled, 'CONFIGS', tiny[0].parent)
    monkeypatch.setattr(model_module, 'BUNDLED_WEIGHTS', str(tiny[1].parent / '{name}.pth'))
    assert init_model('tiny', device='cpu').threshold == .4
    with pytest.raises(FileNotFoundError, match='names: tiny'):
        init_model('huge')
    monkeypatch.setattr(model_module, 'BUNDLED_WEIGHTS', str(tiny[1].parent / 'none/{name}.pth'))
    with pytest.raises(FileNotFoundError, match=r'none/tiny\.pth: no such weights; give a checkpoint'):
        init_model('tiny')


def test_files_that_do_not_fit_are_named(tiny, tmp_path):
    torch.save(dict(state_dict=dict(other=torch.zeros(3))), tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match='other.pth'):
        init_model(tiny[0], tmp_path / 'other.pth')
    (tmp_path / 'empty.py').write_text('x = 1')
    with pytest.raises(ValueError, match='empty.py: configures no model'):
        init_model(tmp_path / 'empty.py', tiny[1])


# Metric-Aware HMR


def test_predictions_are_in_metres_and_original_pixels(inferencer):
    result, = inferencer(PICTURE)
    sample, people = result.sample, result.sample.pred_instances
    assert (result.error, sample.ori_shape, sample.img_shape) == ('', (84, 112), (84, 112))
    torch.testing.assert_close(project(people.keypoints_3d, sample.pred_camera.intrinsics), people.keypoints_2d,
                               rtol=1e-4, atol=1e-2)
    output = inferencer.body_model(people.pose, people.betas, people.transl)
    torch.testing.assert_close(output.joints, people.keypoints_3d, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(people.heights, inferencer.body_model.height(people.betas))
    assert (sample.body_model, sample.joint_set, sample.focal_source) == ('OpenBody', 'smpl45', 'network')


def test_a_larger_print_shows_the_same_people_with_more_pixels(inferencer):
    # Of one colour, so that the network sees the same, whatever the resampling.
    small, large = (result.sample for result in inferencer([np.full((84, 112, 3), 90, np.uint8),
                                                            np.full((252, 336, 3), 90, np.uint8)]))
    torch.testing.assert_close(large.pred_instances.transl, small.pred_instances.transl, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(large.pred_camera.intrinsics[:2], 3 * small.pred_camera.intrinsics[:2], rtol=1e-3,
                               atol=0)
    # A network of random weights puts joints into the camera's plane, where a pixel is no number to compare.
    seen = small.pred_instances.keypoints_3d[..., 2] > .3
    assert seen.any()
    for name, rows in (('bboxes', slice(None)), ('keypoints_2d', seen)):
        torch.testing.assert_close(large.pred_instances[name][rows], 3 * small.pred_instances[name][rows], rtol=1e-3,
                                   atol=.1)


def test_together_and_alone_give_the_same(inferencer):
    pictures = [PICTURE, np.roll(PICTURE, 30, 1), PICTURE[:40]]
    for together, picture in zip(inferencer(pictures), pictures):
        alone, = inferencer(picture)
        assert_same(together.sample.pred_instances, alone.sample.pred_instances)


def test_strange_pictures(inferencer, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.rot90(PICTURE, -1)).save(tmp_path / 'turned.png', exif=exif)
    Image.fromarray(PICTURE).convert('RGBA').save(tmp_path / 'alpha.png')
    upright, turned, alpha, deep = inferencer(
        [PICTURE, tmp_path / 'turned.png', tmp_path / 'alpha.png', PICTURE.astype(np.uint16) << 8])
    for result in (turned, alpha, deep):
        assert_same(result.sample.pred_instances, upright.sample.pred_instances)
    dot, grey, wide = inferencer([PICTURE[:1, :1], PICTURE[..., 0], PICTURE[:, :100].repeat(82, 1)])
    assert dot.error == grey.error == wide.error == ''
    assert wide.sample.ori_shape == (84, 8200) and len(wide.sample.pred_instances)


def test_what_cannot_be_read_stops_nobody_else(inferencer, tmp_path):
    (tmp_path / 'text.png').write_text('no picture')
    results = list(inferencer([PICTURE, tmp_path / 'text.png', np.zeros((1, 400), np.uint8), PICTURE]))
    assert [bool(result.error) for result in results] == [False, True, True, False]
    assert 'text.png' in results[1].error and 'too narrow' in results[2].error
    assert results[1].sample is None and results[1].image is None
    assert_same(results[3].sample.pred_instances, results[0].sample.pred_instances)


def test_a_network_that_fails_on_one_picture_fails_on_it_alone(inferencer, monkeypatch):
    forward = inferencer.model.test_step

    def picky(data):
        if any(sample.img_id == '000001' for sample in data['data_samples']):
            raise RuntimeError('out of memory')
        return forward(data)

    monkeypatch.setattr(inferencer.model, 'test_step', picky)
    first, second = inferencer([PICTURE, PICTURE])
    assert first.error == '' and len(first.sample.pred_instances)
    assert '000001' in second.error and 'out of memory' in second.error


def test_only_a_batch_is_in_memory(inferencer):
    opened = []

    def pictures():
        for i in range(6):
            opened.append(i)
            yield PICTURE

    results = inferencer(pictures())
    next(results)
    assert opened == [0, 1]


def test_nobody_is_a_result(tiny):
    nobody = MetricHMRInferencer(*tiny, device='cpu', threshold=.9999)
    result, = nobody(PICTURE)
    assert result.error == '' and len(result.sample.pred_instances) == 0
    assert result.scene(nobody.body_model).before.vertices.shape == (0, 6900, 3)
    placed, = DTOInferencer(nobody)(PICTURE)
    assert placed.error == '' and placed.placed is None and 'no people' in placed.note


def test_unknown_arguments_are_named(tiny, inferencer):
    for call in (lambda: MetricHMRInferencer(*tiny, bogus=1), lambda: inferencer(PICTURE, bogus=1),
                 lambda: DTOInferencer(inferencer, bogus=1), lambda: init_model(*tiny, bogus=1)):
        with pytest.raises(TypeError, match='bogus'):
            call()
    for options in (dict(batch_size=0), dict(threshold=1.5), dict(focal=-3.)):
        with pytest.raises(ValueError, match='threshold|batch_size|focal'):
            MetricHMRInferencer(*tiny, **options)


# Focal lengths


def test_a_given_focal_length_moves_people_along_the_axis(tiny, inferencer):
    given, = MetricHMRInferencer(*tiny, device='cpu', focal=300)(PICTURE)
    own, = inferencer(PICTURE)
    ratio = 300 / own.sample.pred_camera.intrinsics[1, 1]
    people, before = given.sample.pred_instances, own.sample.pred_instances
    torch.testing.assert_close(people.transl, before.transl * torch.tensor([1, 1, ratio]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(given.sample.pred_camera.intrinsics[[0, 1], [0, 1]], torch.full((2, ), 300.))
    torch.testing.assert_close(people.betas, before.betas)
    output = inferencer.body_model(people.pose, people.betas, people.transl)
    torch.testing.assert_close(output.joints, people.keypoints_3d, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(project(people.keypoints_3d, given.sample.pred_camera.intrinsics), people.keypoints_2d)
    assert given.sample.focal_source == 'GivenFocal'


def test_focal_length_of_exif_where_it_is_known(tiny, tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 50  # FocalLengthIn35mmFilm
    Image.fromarray(PICTURE).save(tmp_path / 'a.jpg', exif=exif)
    Image.fromarray(PICTURE).save(tmp_path / 'b.jpg')
    known, unknown = MetricHMRInferencer(*tiny, device='cpu', focal=dict(type='ExifFocal'))(tmp_path)
    assert known.sample.pred_camera.intrinsics[0, 0] == pytest.approx(50 / 43.2666 * np.hypot(84, 112), rel=1e-4)
    assert (known.sample.focal_source, unknown.sample.focal_source) == ('ExifFocal', 'network')


# DTO


def test_dto_places_people_as_the_generator_does():
    sources = dict(masks=dict(type='PrecomputedMasks', folder='masks'), ages=dict(type='PrecomputedAges',
                                                                                  path='ages.json'))
    known = Known()
    results = list(DTOInferencer(known, 'paper_synthetic-crowd', **sources)([3, 5]))
    recipe = Config.fromfile(ROOT / 'configs/dto/paper_synthetic-crowd.py').to_dict()
    recipe['stages'].pop('keep')
    recipe['data_root'] = str(CROWD)
    generated, _ = StagePipeline(checked_config(recipe)).run([3, 5])
    for result, row in zip(results, (3, 5)):
        ours, theirs = result.placed, generated[row]
        assert len(ours.pred_instances) > 4 and ours.optimised == theirs.optimised
        for name in ('transl', 'betas', 'heights', 'person_index'):
            torch.testing.assert_close(ours.pred_instances[name], theirs.pred_instances[name].cpu())
        output = known.body_model(ours.pred_instances.pose, ours.pred_instances.betas, ours.pred_instances.transl)
        torch.testing.assert_close(ours.pred_instances.keypoints_3d, output.joints)
        assert set(dict(ours.items())) == {'pred_instances', 'pred_camera'}
        moved = result.sample.pred_instances[ours.pred_instances.person_index].transl - ours.pred_instances.transl
        assert moved.abs().max() > .01  # and the network's people are as they were
        scene = result.scene(known.body_model)
        assert scene.after.ids.tolist() == ours.pred_instances.person_index.tolist() and len(scene.panels) == 2


def test_picture_without_depth_says_so_and_stops_nobody_else(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the recipe's data are found from everywhere
    people = MetricHMRInferencer(*tiny, device='cpu')
    Image.fromarray(PICTURE).save(tmp_path / 'unknown.png')
    paths = [tmp_path / 'unknown.png', CROWD / 'images/0003.jpg', tmp_path / 'missing.png']
    unknown, known, missing = DTOInferencer(people)(paths)
    assert unknown.placed is None and 'disparity/unknown.png: not found' in unknown.note
    assert len(unknown.sample.pred_instances) and unknown.error == ''
    assert 'not found' not in known.note and 'missing.png' in missing.error


def test_recipes_from_photos_bring_their_sources():
    recipe = Config.fromfile(ROOT / 'configs/dto/paper_synthetic-crowd.py').to_dict()
    names = {'CheckPeople', 'AddDepth', 'RasteriseMeshes', 'OptimiseTranslations'}
    assert {stage['type'] for stage in _chosen(recipe['stages'], {}).values()} == names
    recipe['stages']['meshes'] = dict(type='AddMeshes', source=dict(type='MetricHMRMeshes'))
    assert {stage['type'] for stage in _chosen(recipe['stages'], {}).values()} == {*names, 'AddMasks', 'AddAges'}
    del recipe['stages']['rasterise']
    with pytest.raises(ConfigError, match='needs pred_maps.id_map, .* these would: RasteriseMeshes'):
        _chosen(recipe['stages'], {})


def test_depth_of_ones_own(tiny, tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / 'a.png')
    (tmp_path / 'depth').mkdir()
    np.save(tmp_path / 'depth/a.npy', np.zeros((84, 112), np.float32))
    depth = dict(type='PrecomputedDepth', folder='depth', suffix='.npy', kind='depth')
    inferencer = DTOInferencer(MetricHMRInferencer(*tiny, device='cpu'), depth=depth, data_root=tmp_path)
    result, = inferencer(tmp_path / 'a.png')
    assert 'depth/a.npy' in result.note and 'no positive, finite depth' in result.note
