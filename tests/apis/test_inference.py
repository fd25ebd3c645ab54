"""The one door: pictures of every kind to people in metres, by a recipe; what goes wrong costs one picture."""
import sys
from types import SimpleNamespace

import known_crowd  # noqa: F401
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from scripts import ROOT

from mmhuman_dto import HumanInferencer
from mmhuman_dto.apis import init_model
from mmhuman_dto.apis.inference.catalogue import RECIPES, listing
from mmhuman_dto.apis.inference.people import PeopleView
from mmhuman_dto.apis.inference.recipe import recipe_config
from mmhuman_dto.dto.terms import DepthTerm, ReliefTerm
from mmhuman_dto.dto.terms.domains import domain_of
from mmhuman_dto.engine import model as model_module
from mmhuman_dto.engine.checkpoint import CheckpointError
from mmhuman_dto.engine.model import DEFAULT_MODEL
from mmhuman_dto.fileio import bundled
from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.generation.pipeline import StagePipeline
from mmhuman_dto.geometry import project, rasterize
from mmhuman_dto.registry import DTO_SOLVERS
from mmhuman_dto.stages import ConfigError, StageError, checked_config
from mmhuman_dto.visualization import PersonRow

CROWD, PHOTO = ROOT / 'demo/resources/crowd', ROOT / 'demo/resources/group/images/0000.jpg'
PICTURE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(7, 0).repeat(7, 1)
#: What the bundled weights say.
CAVEAT = 'its bodies are learnt from joints and rendered crowds only'
FIELDS = ('global_orient', 'body_pose', 'betas', 'transl', 'scores', 'bboxes', 'keypoints_2d', 'keypoints_3d',
          'heights')


def network(tiny, **options):
    """The recipe ``network`` with a tiny one of random weights."""
    return HumanInferencer('network', model=tiny[0], checkpoint=tiny[1], device='cpu', **options)


@pytest.fixture(scope='module')
def inferencer(tiny):
    return network(tiny, batch_size=2)


@pytest.fixture(scope='module')
def known(tmp_path_factory):
    """known(base) -> a recipe file, of meshes that are known for the bundled crowd, and what else a recipe has."""
    def make(base='dto/paper_synthetic-crowd', **stages):
        source = dict(type='KnownCrowd', root=str(CROWD), part='meshes')
        meshes = dict(before='people', type='AddMeshes', source=source)
        stages = dict(image=dict(before='people'), meshes=meshes, **stages)
        path = tmp_path_factory.mktemp('recipe') / 'known.py'
        path.write_text(f"_base_ = ['{ROOT}/configs/{base}.py']\ndata_root = '{CROWD}'\nstages = {stages}\n")
        return path
    return make


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


def test_weights_say_what_must_be_known_of_them(tiny, inferencer):
    assert init_model(device='cpu').caveat == CAVEAT
    assert init_model(*tiny, device='cpu').caveat == ''
    scene = HumanInferencer('network', device='cpu')(PHOTO)
    assert scene.sample.caveat == CAVEAT and scene.sample.caveat in scene.summary
    assert str(scene.people).endswith(f'\n{CAVEAT}')
    assert 'caveat' not in inferencer(PICTURE).sample and 'only' not in str(inferencer(PICTURE).people)


# Metric-Aware HMR


def test_predictions_are_in_metres_and_original_pixels(inferencer):
    scene = inferencer(PICTURE)
    sample, people, body_model = scene.sample, scene.sample.pred_instances, inferencer.body_model
    assert (scene.error, scene.note, sample.ori_shape, sample.img_shape) == ('', '', (84, 112), (84, 112))
    torch.testing.assert_close(project(people.keypoints_3d, sample.pred_camera.intrinsics), people.keypoints_2d,
                               rtol=1e-4, atol=1e-2)
    output = body_model(people.pose, people.betas, people.transl)
    torch.testing.assert_close(output.joints, people.keypoints_3d, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(people.heights, body_model.height(people.betas))
    assert (sample.body_model, sample.joint_set, sample.focal_source) == ('OpenBody', 'smpl45', 'network')
    np.testing.assert_allclose(scene.vertices, output.vertices, atol=1e-5)
    np.testing.assert_array_equal(scene.faces, body_model.faces)
    np.testing.assert_array_equal(scene.intrinsics, sample.pred_camera.intrinsics)


def test_a_larger_print_shows_the_same_people_with_more_pixels(inferencer):
    # Of one colour, so that the network sees the same, whatever the resampling.
    small, large = (scene.sample for scene in inferencer([np.full((84, 112, 3), 90, np.uint8),
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
        assert_same(together.sample.pred_instances, inferencer(picture).sample.pred_instances)


def test_every_kind_of_picture_is_the_same_picture(inferencer, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.rot90(PICTURE, -1)).save(tmp_path / 'turned.png', exif=exif)
    Image.fromarray(PICTURE).convert('RGBA').save(tmp_path / 'alpha.png')
    tensor = torch.from_numpy(PICTURE).permute(2, 0, 1)
    alike = [tmp_path / 'turned.png', str(tmp_path / 'alpha.png'), PICTURE.astype(np.uint16) << 8, tensor, tensor / 255,
             Image.fromarray(PICTURE), Image.open(tmp_path / 'turned.png')]
    wanted = inferencer(PICTURE).sample.pred_instances
    for scene in inferencer(alike):
        assert_same(scene.sample.pred_instances, wanted)
    for many in (np.stack([PICTURE] * 2), torch.stack([tensor] * 2), (PICTURE for _ in range(2)), tmp_path):
        assert [len(scene.sample.pred_instances) for scene in inferencer(many)] == [len(wanted)] * 2
    dot, grey, wide = inferencer([PICTURE[:1, :1], PICTURE[..., 0], PICTURE[:, :100].repeat(82, 1)])
    assert dot.error == grey.error == wide.error == ''
    assert wide.sample.ori_shape == (84, 8200) and len(wide.sample.pred_instances)


def test_what_cannot_be_read_stops_nobody_else(inferencer, tmp_path):
    (tmp_path / 'text.png').write_text('no picture')
    scenes = list(inferencer([PICTURE, tmp_path / 'text.png', np.zeros((1, 400), np.uint8), PICTURE]))
    assert [bool(scene.error) for scene in scenes] == [False, True, True, False]
    assert 'text.png' in scenes[1].error and 'too narrow' in scenes[2].error
    assert scenes[1].sample is None and scenes[1].image is None and 'text.png' in repr(scenes[1])
    assert_same(scenes[3].sample.pred_instances, scenes[0].sample.pred_instances)
    with pytest.raises(ValueError, match='text.png'):
        scenes[1].save(tmp_path)
    with pytest.raises(ImageError, match='text.png: cannot be read'):
        inferencer(tmp_path / 'text.png')
    with pytest.raises(StageError, match='too narrow'):
        inferencer(np.zeros((1, 400), np.uint8))


def test_a_network_that_fails_on_one_picture_fails_on_it_alone(inferencer, monkeypatch):
    meshes, = (stage.source.network for stage in inferencer.stages.stages if stage.name == 'meshes')
    forward, seen = meshes.test_step, []

    def picky(data):
        seen.append(len(data['data_samples']))
        if any(sample.img_id == '000001' for sample in data['data_samples']):
            raise RuntimeError('out of memory')
        return forward(data)

    monkeypatch.setattr(meshes, 'test_step', picky)
    first, second = inferencer([PICTURE, PICTURE])
    assert first.error == '' and len(first.sample.pred_instances)
    assert '000001' in second.error and 'out of memory' in second.error and seen == [2, 1, 1]


def test_only_a_batch_is_in_memory(inferencer):
    opened = []

    def pictures():
        for i in range(6):
            opened.append(i)
            yield PICTURE

    scenes = inferencer(pictures())
    next(scenes)
    assert opened == [0, 1]


def test_nobody_is_a_result(tiny, tmp_path):
    scene = network(tiny, threshold=.9999)(PICTURE)
    assert (scene.error, scene.note) == ('', 'no meshes')
    assert len(scene.sample.pred_instances) == len(scene.people) == 0
    assert scene.vertices.shape == (0, 6900, 3) and scene.before is None
    assert 'nobody found' in scene.summary and 'nobody found' in str(scene.people)
    assert len(scene.save(tmp_path)) == 6 and all(path.is_file() for path in scene.save(tmp_path))
    empty = HumanInferencer('photo', device='cpu')(np.full((84, 112, 3), 90, np.uint8))
    assert len(empty.people) == 0 and empty.intrinsics[0, 0] > 0 and 'nobody detected' in empty.summary


@pytest.mark.parametrize('options, words', [
    (dict(batch_size=0), 'batch_size'), (dict(threshold=1.5), 'threshold'), (dict(focal=-3.), 'focal'),
    (dict(dto=False, depth='some/network'), 'dto=False leaves out'), (dict(options={'stages.dto.slover': 1}), 'slover'),
    (dict(recipe='photo', threshold=.5), "photo.py: model, checkpoint and threshold .* 'network'"),
    (dict(recipe='dto/paper', depth='none'), 'PaperDTO cannot do without a depth map'),
    (dict(depth=CROWD), r'crowd: expected a config.json, .* found .npy, .npz, .png')])
def test_arguments_that_make_no_sense_are_named(tiny, known, options, words):
    recipe = options.pop('recipe', None)
    with pytest.raises(ValueError, match=words):
        if recipe:
            HumanInferencer(known() if recipe == 'dto/paper' else recipe, **options)
        else:
            network(tiny, **options)


def test_unknown_arguments_are_named(tiny, inferencer):
    for call in (lambda: network(tiny, bogus=1), lambda: inferencer(PICTURE, bogus=1),
                 lambda: init_model(*tiny, bogus=1)):
        with pytest.raises(TypeError, match='bogus'):
            call()
    with pytest.raises(FileNotFoundError, match='names: .*photo'):
        HumanInferencer('foto')


# Focal lengths


def test_a_given_focal_length_moves_people_along_the_axis(tiny, inferencer):
    given, own = network(tiny, focal=300)(PICTURE), inferencer(PICTURE)
    ratio = 300 / own.sample.pred_camera.intrinsics[1, 1]
    people, before = given.sample.pred_instances, own.sample.pred_instances
    torch.testing.assert_close(people.transl, before.transl * torch.tensor([1, 1, ratio]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(given.sample.pred_camera.intrinsics[[0, 1], [0, 1]], torch.full((2, ), 300.))
    torch.testing.assert_close(people.betas, before.betas)
    output = inferencer.body_model(people.pose, people.betas, people.transl)
    torch.testing.assert_close(output.joints, people.keypoints_3d, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(project(people.keypoints_3d, given.sample.pred_camera.intrinsics), people.keypoints_2d)
    assert given.sample.focal_source == 'GivenFocal'


@pytest.mark.parametrize('focal', [None, 'exif', dict(type='ExifFocal')])
def test_focal_length_of_exif_where_it_is_known(tiny, tmp_path, focal):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 50  # FocalLengthIn35mmFilm
    Image.fromarray(PICTURE).save(tmp_path / 'a.jpg', exif=exif)
    Image.fromarray(PICTURE).save(tmp_path / 'b.jpg')
    known, unknown = network(tiny, focal=focal)(tmp_path)
    assert known.intrinsics[0, 0] == pytest.approx(50 / 43.2666 * np.hypot(84, 112), rel=1e-4)
    assert (known.sample.focal_source, unknown.sample.focal_source) == ('ExifFocal', 'network')
    opened = network(tiny, focal=focal)(Image.open(tmp_path / 'a.jpg'))
    assert (opened.img_id, opened.sample.focal_source) == ('a.jpg', 'ExifFocal')


# DTO


def test_dto_places_people_as_the_generator_does(known):
    inferencer = HumanInferencer(known(keep=dict(max_deviation=0.)), device='cpu')
    recipe = Config.fromfile(ROOT / 'configs/dto/paper_synthetic-crowd.py').to_dict()
    recipe['stages'].pop('keep')
    recipe['data_root'] = str(CROWD)
    generated, _ = StagePipeline(checked_config(recipe)).run([3, 5])
    for scene, row in zip(inferencer([CROWD / 'images/0003.jpg', CROWD / 'images/0005.jpg']), (3, 5)):
        ours, theirs, body_model = scene.sample, generated[row], inferencer.body_model
        gone = len(theirs.initial_instances) - len(theirs.pred_instances)
        assert scene.error == '' and scene.note.startswith(f'{gone} left out by DTO: ' if gone else '')
        assert len(theirs.left_out) == gone > 0 and all(reason.words in scene.note for _, reason in theirs.left_out)
        assert len(ours.pred_instances) > 4 and ours.optimised == theirs.optimised
        for name in ('transl', 'betas', 'heights', 'person_index'):
            torch.testing.assert_close(ours.pred_instances[name], theirs.pred_instances[name].cpu())
        output = body_model(ours.pred_instances.pose, ours.pred_instances.betas, ours.pred_instances.transl)
        torch.testing.assert_close(ours.pred_instances.keypoints_3d, output.joints)
        assert set(dict(ours.items())) == {'pred_instances', 'pred_camera', 'pred_maps'}
        assert set(dict(ours.pred_maps.items())) == {'depth'} and 'pred_maps' not in scene.before
        before = scene.before.pred_instances  # everybody, as they were
        torch.testing.assert_close(before.transl, theirs.initial_instances.transl)
        assert (before[ours.pred_instances.person_index].transl - ours.pred_instances.transl).abs().max() > .01
        assert scene.scene.after.ids.tolist() == ours.pred_instances.person_index.tolist()
        assert [row.person for row in scene.people] == scene.scene.after.ids.tolist() and len(scene.scene.panels) == 2


def test_picture_without_depth_says_so_and_stops_nobody_else(tiny, tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / 'unknown.png')
    placing = network(tiny, depth=CROWD / 'disparity')
    unknown, known, missing = placing([tmp_path / 'unknown.png', CROWD / 'images/0003.jpg', tmp_path / 'missing.png'])
    assert unknown.before is None and 'depth: ' in unknown.note and 'disparity/unknown.png: not found' in unknown.note
    assert len(unknown.sample.pred_instances) and unknown.error == ''
    assert unknown.note in unknown.summary and str(unknown.people).endswith(f'\n{unknown.note}')
    assert known.note == '' and known.before is not None and 'missing.png' in missing.error
    np.save(tmp_path / 'unknown.npy', np.zeros((84, 112), np.float32))
    empty = network(tiny, depth=dict(type='PrecomputedDepth', folder=str(tmp_path), suffix='.npy', kind='metres'))
    assert 'unknown.npy: no positive, finite metres' in empty(tmp_path / 'unknown.png').note


def stage_types(*args, **kwargs):
    return [stage['type'] for stage in recipe_config(*args, **kwargs)['stages'].values()]


def test_dto_runs_where_it_is_wanted():
    """With the bundled network it is asked for: its people are best as they are."""
    finding = ['AddFocal', 'AddMeshes', 'CheckPeople']
    placing = ['RasteriseMeshes', 'OptimiseTranslations']
    assert stage_types('network') == stage_types(ROOT / 'configs/photo/network.py') == finding
    assert stage_types('network', dto=True) == stage_types('network', depth='none', dto=True) == [*finding, *placing]
    assert stage_types('network', depth=CROWD / 'disparity') == [*finding, 'AddDepth', *placing]
    assert stage_types('photo', dto=False) == ['AddFocal', 'AddDetections', *finding[1:]]
    assert stage_types('photo') == ['AddFocal', 'AddDetections', *finding[1:], *placing, 'RefitMeshes']
    with pytest.raises(ConfigError, match='needs pred_instances, .* these would: AddMeshes'):
        recipe_config('paper_synthetic-crowd')


def test_another_network_brings_its_weights_and_its_body(tiny):
    for model in ('vit-b_dto-humans', find_config('vit-b_dto-humans')):
        options = {'stages.meshes.source.checkpoint': 'old.pth'}
        config = recipe_config('network', model=model, threshold=.2, options=options)
        assert config['body_model'] == dict(type='SMPL+A', model_path='data/smpl', gender='neutral')
        assert config['stages']['meshes']['source'] == dict(
            type='MetricHMRMeshes', config=str(find_config('vit-b_dto-humans')), threshold=.2)
    source = recipe_config('network', checkpoint=tiny[1])['stages']['meshes']['source']
    assert source == dict(type='MetricHMRMeshes', config=DEFAULT_MODEL, checkpoint=tiny[1])


@pytest.mark.parametrize('source, domain', [
    (dict(type='PrecomputedDepth', folder=str(CROWD / 'disparity')), 'inverse'),
    (dict(type='PrecomputedDepth', folder='x', suffix='.npy', kind='disparity'), 'inverse'),
    (dict(type='PrecomputedDepth', folder='x', suffix='.npy', kind='depth'), 'linear'),
    (dict(type='PrecomputedDepth', folder='x', suffix='.npy', kind='metres'), 'log'),
    (dict(type='ImitatedDepth'), 'inverse'),
    (dict(type='TransformersDepth', model='x', kind='metres'), 'log')])
def test_the_solver_takes_maps_for_what_they_are(known, source, domain):
    off = dict(depth=None, relief=None, height=dict(type='HeightTerm', wrong=.1))
    recipe = known('dto/posterior_synthetic-crowd', dto=dict(solver=dict(terms=off)))
    for which in ('network', recipe):
        config = recipe_config(which, depth=dict(source))
        solver = config['stages']['dto']['solver']
        terms = [term for term in DTO_SOLVERS.build(solver).terms if isinstance(term, (DepthTerm, ReliefTerm))]
        assert [type(term.domain) for term in terms] == [type(domain_of(domain))] * 2
        assert terms[0].scale_std == (.1 if domain == 'log' else float('inf'))
    assert solver['terms']['height']['wrong'] == .1
    off = DTO_SOLVERS.build(recipe_config(recipe, depth='none')['stages']['dto']['solver'])
    assert not any(isinstance(term, (DepthTerm, ReliefTerm)) for term in off.terms)


# What comes out


def test_people_are_a_table_that_says_what_the_sample_says(tmp_path):
    scene = HumanInferencer('photo', device='cpu')(PHOTO)
    people = scene.sample.pred_instances
    assert len(people) == 3 and scene.before.pred_instances.transl.shape == (3, 3)
    for row, line in zip(scene.people, str(scene.people).splitlines()[1:]):
        assert row.height == pytest.approx(float(people.heights[row.person]))
        assert row.height_std == pytest.approx(float(people.heights_std[row.person]))
        assert row.distance == pytest.approx(scene.vertices[row.person, :, 2].mean())
        assert line.split()[0] == str(row.person) and row.height_text in line and row.distance_text in line
        assert f'{row.score:.2f}' in line and f'{row.seen} of 17' in line and f'<td>{row.height_text}' in (
            scene.people._repr_html_())
    near, far = (min(scene.people, key=lambda row: row.distance), max(scene.people, key=lambda row: row.distance))
    assert f'3 people, {near.distance_text[:-2]} to {far.distance_text} away' in scene.summary
    assert 'focal length guessed' in scene.summary and 'focal length guessed (± 30 %)' in str(scene.people)
    assert repr(scene) == f'<HumanScene 0000.jpg: {scene.summary}>' and '\n' not in repr(scene)
    picture = scene.show()
    assert picture.size == (672, 504) and np.ptp(np.asarray(picture) - scene.image.astype(int)) > 50
    paths = scene.save(tmp_path, ['overlay', 'params'], name='day/a')
    assert sorted(str(path.relative_to(tmp_path)) for path in paths) == [
        'overlay/day/a.jpg', 'params/day/a.json', 'params/day/a.npz', 'params/day/a_before.json',
        'params/day/a_before.npz']
    given = HumanInferencer('photo', device='cpu', focal=700.)(PHOTO)
    assert 'guess' not in str(given.people) + given.summary and given.intrinsics[0, 0] == pytest.approx(700)


def test_the_line_says_who_is_nearest_and_who_is_tallest():
    nan = float('nan')
    rows = [PersonRow(0, 1.6, .1, 9., 2., .9, 17, 17, ''),
            PersonRow(3, 1.1, nan, 4., nan, nan, None, None, 'not placed: x'),
            PersonRow(5, 1.8, .1, 6., 1., .5, 2, 17, '')]
    view = PeopleView(rows, ['about <all>'])
    assert view.summary == '3 people, 4.0 to 9.0 ± 2.0 m away, 1.10 to 1.80 ± .10 m tall; 1 not placed by DTO (1 x)'
    assert PeopleView(rows[:1]).summary == '1 person, 9.0 ± 2.0 m away, 1.60 ± .10 m tall'
    alike = [rows[0], rows[0]._replace(person=1, distance=9.01, height=1.601)]
    assert PeopleView(alike).summary == '2 people, 9.0 ± 2.0 m away, 1.60 ± .10 m tall'
    assert str(view).splitlines() == [
        'person  height        distance     score  joints seen  note',
        '0       1.60 ± .10 m  9.0 ± 2.0 m  0.90   17 of 17',
        '3       1.10 m        4.0 m                            not placed: x',
        '5       1.80 ± .10 m  6.0 ± 1.0 m  0.50   2 of 17',
        'about <all>']
    assert 'about &lt;all&gt;' in view._repr_html_() and 'nobody found' in PeopleView([])._repr_html_()
    assert [row.person for row in view] == [0, 3, 5] and len(view) == 3


def test_the_depth_map_in_metres_is_kept_where_the_solver_asked_it():
    scene = HumanInferencer('photo', depth=PHOTO.parents[1] / 'disparity', device='cpu')(PHOTO)
    depth = scene.sample.pred_maps.depth
    raster = rasterize(torch.tensor(scene.vertices), torch.tensor(scene.faces),
                       torch.tensor(scene.intrinsics, dtype=torch.float32), depth.shape)
    for person in range(3):
        inside = raster.id_map == person + 1
        assert float(depth[inside].median() / raster.z_map[inside].median()) == pytest.approx(1, abs=.15)
    assert 'pred_maps' not in HumanInferencer('photo', device='cpu')(PHOTO).sample


def test_looking_around_shows_the_scene(inferencer, monkeypatch):
    shown = []
    monkeypatch.setattr('mmhuman_dto.apis.inference.result.show',
                        lambda *args, **options: shown.append((args, options)))
    scene = inferencer(PICTURE)
    scene.view(port=1234)
    assert shown == [((scene.scene, ), dict(port=1234))]


def test_those_whom_dto_left_out_stay_and_say_why():
    options = {'stages.dto.evidence.min_visible_vertices': 10**6, 'stages.dto.solver.needs_depth': True}
    scene = HumanInferencer('photo', depth=PHOTO.parents[1] / 'disparity', device='cpu', options=options)(PHOTO)
    assert [row.note for row in scene.people] == ['not placed: too little of the body seen'] * 3
    assert '3 not placed by DTO' in scene.summary and 'not placed: too little' in str(scene.people)


def test_in_a_notebook_the_picture_is_displayed(inferencer, monkeypatch):
    shown = []
    fake = SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=shown.append))
    monkeypatch.setitem(sys.modules, 'IPython', fake)
    assert inferencer(PICTURE).show() is None and shown[0].size == (112, 84)


def test_the_catalogue_names_what_is_there():
    text = listing()
    for recipe in RECIPES:
        assert recipe.name in text
        weights = str(recipe_config(find_config(recipe.name)))
        for part in recipe.weights:
            assert f'{part.name}' in text and part.licence
            assert part.file.is_file() if part.file else part.name in weights
