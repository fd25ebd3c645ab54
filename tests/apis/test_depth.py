"""Depth maps as programs' arguments name them: what is taken for what, what is said of it, and which terms follow."""
import json
import logging
from pathlib import Path

import cv2
import depth_programs as programs
import known_crowd  # noqa: F401
import numpy as np
import pytest
from PIL import Image

from mmhuman_dto import HumanInferencer
from mmhuman_dto.apis.inference.depth import depth_source, kind_of_source, set_depth_kind
from mmhuman_dto.apis.inference.recipe import recipe_config
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.perception import PrecomputedDepth
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.stages import ConfigError

ROOT = Path(__file__).parents[2]
CROWD = ROOT / 'demo/resources/crowd'
SIZE = (84, 112)
PICTURE = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
SHOWN = programs.Shown('a', PICTURE, np.linspace(2, 4, 84 * 112, dtype=np.float32).reshape(SIZE),
                       np.array([[90., 0, 56], [0, 90, 42], [0, 0, 1]]))


def warnings_of(caplog):
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    caplog.clear()
    return found


def test_a_folder_of_ours_says_what_it_is(caplog):
    folder = CROWD / 'disparity'
    assert depth_source(folder) == dict(type='PrecomputedDepth', folder=str(folder), suffix='.png', kind='disparity',
                                        scale=str(folder / 'scale.json'))
    assert depth_source(folder, 'metres')['kind'] == 'metres'  # who says otherwise is believed
    assert warnings_of(caplog) == []


def test_what_nobody_says_is_taken_with_a_warning(tmp_path, caplog):
    np.save(tmp_path / 'a.npy', np.ones(SIZE))
    assert depth_source(tmp_path)['kind'] == 'disparity'
    said, = warnings_of(caplog)
    assert f"{tmp_path}: nothing says what these depth maps hold; they are taken for 'disparity', as most" in said
    assert all(word in said for word in ('--depth-kind', "'depth' (", "'metres' ("))
    for kind in ('disparity', 'depth', 'metres'):
        source = depth_source(str(tmp_path), kind)
        assert source == dict(type='PrecomputedDepth', folder=str(tmp_path), suffix='.npy', kind=kind)
        assert SOURCES.build(source).kind == kind_of_source(source) == kind
    assert warnings_of(caplog) == []


def test_layouts_are_seen_and_keep_their_kinds(tmp_path, caplog):
    metric, views = tmp_path / 'metric', tmp_path / 'views'
    metric.mkdir()
    programs.depth_anything_v2_metric(metric, SHOWN)
    assert depth_source(metric) == dict(type='PrecomputedDepth', folder=str(metric), kind='metres',
                                        layout=dict(type='DepthAnythingV2Metric'))
    assert warnings_of(caplog) == []
    with pytest.raises(ConfigError, match="files of metric Depth Anything V2, which are of kind 'metres', not 'depth'"):
        depth_source(metric, 'depth')
    programs.depth_anything_3(views, [SHOWN], 'nested', SIZE)
    assert depth_source(views)['kind'] == 'depth'
    said, = warnings_of(caplog)
    assert "taken for 'depth', as Depth Anything 3 may have written without metres" in said
    with pytest.raises(ConfigError, match='layout.network=nested'):
        depth_source(views, 'metres')
    source = depth_source(views, 'metres', dict(network='nested'))
    assert source['layout'] == dict(network='nested', type='DepthAnything3')
    assert type(SOURCES.build(source)) is PrecomputedDepth


def test_pictures_of_8_bits_are_warned_of(tmp_path, caplog):
    programs.depth_anything_v2(tmp_path, SHOWN)
    depth_source(tmp_path, 'disparity')
    said, = warnings_of(caplog)
    assert 'a.png has 8 bits, 256 steps' in said


def test_networks_and_configs(tmp_path):
    assert depth_source('some/model') == dict(type='TransformersDepth', model='some/model')
    assert depth_source('some/model', 'metres') == dict(type='TransformersDepth', model='some/model', kind='metres')
    config = dict(type='ImitatedDepth')
    assert depth_source(config) is config and kind_of_source(config) == 'disparity'
    assert depth_source(dict(type='PrecomputedDepth', folder='x'), 'depth') == dict(
        type='PrecomputedDepth', folder='x', kind='depth')
    with pytest.raises(ConfigError, match="kind of a depth map must be one of .*; got 'meters'"):
        depth_source(tmp_path, 'meters')
    with pytest.raises(ConfigError, match='found none'):
        depth_source(tmp_path)


def terms_of(config):
    return {stage['type']: stage for stage in config['stages'].values()}['OptimiseTranslations']['solver']['terms']


def test_terms_follow_the_kind_that_is_said(tmp_path):
    np.save(tmp_path / 'a.npy', np.ones(SIZE))
    for kind, domain in (('disparity', None), ('depth', 'linear'), ('metres', 'log')):
        terms = terms_of(recipe_config('photo', depth=tmp_path, depth_kind=kind))
        assert terms.get('depth', {}).get('domain') == terms.get('relief', {}).get('domain') == domain
        assert terms.get('depth', {}).get('scale_std') == (.1 if kind == 'metres' else None)
    hub = recipe_config('photo-hub', depth_kind='metres')  # of the recipe's own network
    assert terms_of(hub)['depth']['domain'] == 'log' and hub['stages']['depth']['source']['kind'] == 'metres'
    with pytest.raises(ConfigError, match="has no depth maps that would be of kind 'metres'; give depth"):
        recipe_config('photo', depth_kind='metres')
    with pytest.raises(ConfigError, match="depth_kind='metres' is of depth maps, which depth='none' leaves out"):
        recipe_config('photo', depth='none', depth_kind='metres')


def test_configs_of_sources_are_looked_at_below_the_recipes_folder(tmp_path):
    """A relative folder is the recipe's; what is no source, or lacks something, is told as everywhere."""
    programs.depth_pro(tmp_path, SHOWN)
    config = recipe_config('photo', depth=dict(type='PrecomputedDepth', folder=tmp_path.name),
                           options=dict(data_root=str(tmp_path.parent)))
    assert terms_of(config)['depth']['domain'] == 'log'
    for source, message in ((dict(type='Nothing'), "no source is called 'Nothing'"),
                            (dict(type='PrecomputedDepth', kind='depth'), 'PrecomputedDepth\\) needs folder'),
                            (dict(type='PrecomputedDepth'), 'PrecomputedDepth\\) needs folder'),
                            (dict(type='TransformersDepth'), 'TransformersDepth\\) needs model'),
                            (dict(), 'has no type')):
        with pytest.raises(ConfigError, match=message):
            recipe_config('photo', depth=source)
    np.save(tmp_path / 'a.npy', np.ones(SIZE))
    (tmp_path / 'a.npz').unlink()
    with pytest.raises(ConfigError, match='nothing says what its depth maps hold; give kind'):
        recipe_config('photo', depth=dict(type='PrecomputedDepth', folder=str(tmp_path)))


def test_options_reach_the_source_of_a_folder(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full(SIZE, 700, np.uint16))
    zoe = recipe_config('photo', depth=tmp_path, options={'stages.depth.source.layout.type': 'ZoeDepth'})
    assert zoe['stages']['depth']['source'] == dict(
        type='PrecomputedDepth', folder=str(tmp_path), kind='metres', layout=dict(type='ZoeDepth'))
    millimetres = recipe_config('photo', depth=tmp_path, depth_kind='metres', options={
        'stages.depth.source.scale': .001})
    assert millimetres['stages']['depth']['source']['scale'] == .001
    for name, known in (('Zoedepth', "did you mean 'ZoeDepth'"), ('None', 'known: DepthAnything3')):
        with pytest.raises(ConfigError, match=known):
            recipe_config('photo', depth=dict(type='PrecomputedDepth', folder='x', kind='metres',
                                              layout=dict(type=name)))
    with pytest.raises(ConfigError, match=r"layout has no option 'netwrk' \(did you mean 'network'\?\)"):
        recipe_config('photo', depth=dict(type='PrecomputedDepth', folder='x', kind='metres',
                                          layout=dict(type='DepthAnything3', netwrk='nested')))


def test_a_recipe_of_the_generator_is_told_a_kind():
    config = read_config('posterior_synthetic-crowd').to_dict()
    set_depth_kind(config, 'metres')
    terms = config['stages']['dto']['solver']['terms']
    assert config['stages']['depth']['source']['kind'] == 'metres' and terms['depth']['scale_std'] == .1
    paper = read_config('paper_synthetic-crowd').to_dict()
    set_depth_kind(paper, 'metres')
    assert 'terms' not in paper['stages']['dto']['solver']
    with pytest.raises(ConfigError, match='has no stages AddDepth and OptimiseTranslations'):
        set_depth_kind(dict(stages={}), 'metres')


# The focal length that comes with a map


@pytest.fixture
def maps(tmp_path):
    """A folder of maps with a camera, but of b."""
    (tmp_path / 'maps').mkdir()
    (tmp_path / 'photos').mkdir()
    for name in 'ab':
        Image.fromarray(PICTURE).save(tmp_path / f'photos/{name}.png')
        programs.depth_pro(tmp_path / 'maps', SHOWN._replace(name=name), focal=name == 'a')
    return tmp_path


@pytest.mark.parametrize('dto', [None, False])
def test_people_are_seen_with_the_focal_length_of_the_map(tiny, maps, dto):
    """Half the pixels, half the focal length; where none came the network says."""
    programs.depth_pro(maps / 'maps', SHOWN._replace(depth=SHOWN.depth[::2, ::2], intrinsics=SHOWN.intrinsics / 2))
    known, unknown = HumanInferencer('network', depth=maps / 'maps', depth_kind='metres', focal='depth', model=tiny[0],
                                     checkpoint=tiny[1], dto=dto, device='cpu')(maps / 'photos')
    assert known.sample.focal_source == 'DepthFocal' and unknown.sample.focal_source == 'network'
    camera = (known.before or known.sample).pred_camera
    assert float(camera.intrinsics[0, 0]) == pytest.approx(90) and float(camera.focal_std) == pytest.approx(.1)
    assert not unknown.error and (known.before is None) == (dto is False)


def test_maps_come_before_the_focal_length_and_are_needed_for_it(maps):
    stages = recipe_config('photo', depth=maps / 'maps', depth_kind='metres', focal='depth')['stages']
    kinds = [stage['type'] for stage in stages.values()]
    assert kinds.index('AddDepth') < kinds.index('AddFocal') < kinds.index('AddMeshes')
    for depth in (None, 'none'):
        with pytest.raises(ConfigError, match="focal='depth' is the focal length that comes with depth maps; give"):
            recipe_config('photo', depth=depth, focal='depth')
    with pytest.raises(ConfigError, match='depth is for DTO, which dto=False leaves out'):
        recipe_config('photo', depth=maps / 'maps', dto=False)
    late = dict(type='AddFocal', source=dict(type='DepthFocal'), before='meshes')
    with pytest.raises(ConfigError, match=r'DepthFocal\) needs depth_focal, which no stage before sets; .*: AddDepth'):
        recipe_config('photo', options={'stages.focal': late})


# What does not fit the meshes


@pytest.fixture(scope='module')
def crowd_maps(tmp_path_factory):
    """crowd_maps(factor) -> folder of the crowd's depth in m times a factor."""
    scales = json.loads((CROWD / 'disparity/scale.json').read_text())

    def make(factor):
        folder = tmp_path_factory.mktemp('maps')
        stored = cv2.imread(str(CROWD / 'disparity/0003.png'), cv2.IMREAD_UNCHANGED)
        np.save(folder / '0003.npy', np.float32(factor * 900 / np.maximum(stored * scales['0003.jpg'], 3)))
        return folder

    return make


@pytest.fixture(scope='module')
def recipe(tmp_path_factory):
    source = dict(type='KnownCrowd', root=str(CROWD), part='meshes')
    meshes = dict(before='people', type='AddMeshes', source=source)
    path = tmp_path_factory.mktemp('recipe') / 'known.py'
    path.write_text(f"_base_ = ['{ROOT}/configs/dto/posterior_synthetic-crowd.py']\ndata_root = '{CROWD}'\n"
                    f'stages = {dict(image=dict(before="people"), meshes=meshes)}\n')
    return path


@pytest.mark.parametrize('factor, kind, cure', [
    (1, 'metres', ''),
    (1000, 'metres', 'are they in mm? Then --cfg-options stages.depth.source.scale=0.001 is missing'),
    (1, 'disparity', 'Do the files hold metres, not disparity? --depth-kind metres'),
])
def test_a_single_picture_says_what_its_map_cannot_be(crowd_maps, recipe, factor, kind, cure):
    scene = HumanInferencer(recipe, depth=crowd_maps(factor), depth_kind=kind, device='cpu')(CROWD / 'images/0003.jpg')
    assert cure in scene.note and ('the depth maps' in scene.note) == bool(cure)
