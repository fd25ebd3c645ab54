"""All shipped configs say a thing once; of the generator's, every key is an option and any stage can be left out."""
import ast
import copy
from collections import defaultdict
from pathlib import Path

import pytest
from mmengine.config import Config

from mmhuman_dto.stages import ConfigError, check_needs, checked_config

CONFIGS = Path(__file__).parents[1] / 'configs'
ALL = sorted(CONFIGS.rglob('*.py'))
RECIPES = [*sorted((CONFIGS / 'dto').glob('*.py')), *sorted((CONFIGS / 'photo').glob('*.py'))]
MESHES = ('pred_instances', 'pred_camera')
#: Who misses a stage that is left out; None: nobody. In the order that stages are run in.
KNOWN = dict(people='rasterise', image='depth', depth='dto', masks=None, ages=None, rasterise='dto', dto='keep',
             keep=None)
PHOTOS = dict(image='focal', focal=None, detect='pose', pose='match', meshes='people', people='rasterise',
              match='ages.source', depth='dto', ages=None, rasterise='dto', dto='keep', keep=None)
OFFLINE = dict(image='focal', focal=None, detect='meshes.source', meshes='people', people='rasterise', rasterise='dto',
               dto='refit', refit=None)
OPEN = dict(OFFLINE, labels=None)
HUB = dict(image='focal', focal=None, detect='pose', pose='meshes.source', meshes='people', people='rasterise',
           depth=None, rasterise='dto', dto='refit', refit=None)
NETWORK = dict(image='focal', focal=None, meshes='people', people='rasterise', rasterise='dto', dto=None)
#: Of the recipes that start from photos.
FROM_PHOTOS = {'paper_from-photos': PHOTOS, 'open_from-photos': OPEN, 'photo': OFFLINE, 'video': OFFLINE,
               'photo-hub': HUB, 'network': NETWORK}

each_recipe = pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)


def load(path, **options):
    config = Config.fromfile(path)
    config.merge_from_dict(options)
    return config.to_dict()


def leaves(config, path=()):
    """Paths to all dictionaries with a type, and to ``evidence``."""
    for key, value in config.items():
        if isinstance(value, dict):
            if 'type' in value or key == 'evidence':
                yield (*path, key)
            yield from leaves(value, (*path, key))


def at(config, path):
    for key in path:
        config = config[key]
    return config


def names(path, context):
    """Variables that a file reads (``ast.Load``) or sets (``ast.Store``)."""
    return {node.id for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def test_no_six_lines_stand_twice():
    places = defaultdict(list)
    for path in ALL:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
        for i in range(len(lines) - 5):
            places[tuple(lines[i:i + 6])].append(f'{path.relative_to(CONFIGS)}: {lines[i]}')
    assert [where for where in places.values() if len(where) > 1] == []


def test_bases_derive_nothing_that_a_child_changes():
    """A value that a base computes does not follow what a child changes; tests like validation are changed with it."""
    for path in ALL:
        if '_base_' in path.parts:
            assert names(path, ast.Load) & Config.fromfile(path).keys() <= {'val_dataloader', 'val_evaluator'}, path
        if path.parent.name != 'loaders':
            changed = names(path, ast.Store)
            assert {name.replace('val_', 'test_') for name in changed if name.startswith('val_')} <= changed, path


@each_recipe
def test_recipe_is_short_and_every_key_is_known(path):
    assert len(path.read_text().splitlines()) <= 40
    assert list(checked_config(load(path))['stages']) == list(FROM_PHOTOS.get(path.stem, KNOWN))


@each_recipe
def test_any_stage_is_left_out_by_none_or_who_misses_it_says_so(path):
    given = () if path.stem in FROM_PHOTOS else MESHES
    for stage, loser in FROM_PHOTOS.get(path.stem, KNOWN).items():
        stages = checked_config(load(path, **{f'stages.{stage}': None}))['stages']
        assert stage not in stages
        if loser is None:
            check_needs(stages, given, MESHES)
            continue
        kind = at(stages, loser.split('.'))['type']
        with pytest.raises(ConfigError, match=rf'^stages.{loser} \({kind}\) needs .*, which no stage before sets'):
            check_needs(stages, given, MESHES)


def test_a_run_ends_with_what_is_written():
    with pytest.raises(ConfigError, match='^the run ends with pred_camera, .* these would: AddMeshes$'):
        check_needs({}, ('pred_instances', ), MESHES)


def stages_with(**before):
    """A config of three stages, in this order but for what ``before`` says, {stage: the one it comes before}."""
    config = load(CONFIGS / 'dto/paper_synthetic-crowd.py')
    stages = {name: config['stages'][name] for name in ('people', 'image', 'masks')}
    return dict(config, stages={
        name: dict(stage, before=before[name]) if name in before else stage for name, stage in stages.items()})


@pytest.mark.parametrize('before, order', [
    ({}, 'people image masks'), (dict(masks='people'), 'masks people image'),
    (dict(masks='image'), 'people masks image'), (dict(image='people', masks='people'), 'image masks people'),
    (dict(image='people', masks='image'), 'masks image people')])
def test_a_stage_comes_before_the_one_it_names(before, order):
    stages = checked_config(stages_with(**before))['stages']
    assert ' '.join(stages) == order and not any('before' in stage for stage in stages.values())


@pytest.mark.parametrize('before, message', [
    (dict(people='image', image='people'), 'that are to come before each other: people, image'),
    (dict(masks='pople'), r"stages.masks.before: no stage is called 'pople' \(did you mean 'people'\?\)")])
def test_an_impossible_order_is_refused(before, message):
    with pytest.raises(ConfigError, match=message):
        checked_config(stages_with(**before))


@each_recipe
def test_a_typo_anywhere_in_a_recipe_fails(path):
    original = load(path)
    places = [(), *leaves(original)]
    assert len(places) >= 14
    for place in places:
        config = copy.deepcopy(original)
        at(config, place)['typo_'] = 1
        with pytest.raises(ConfigError, match="no option 'typo_'"):
            checked_config(config)


@pytest.mark.parametrize('path', [path for path in RECIPES if 'depth' in FROM_PHOTOS.get(path.stem, KNOWN)],
                         ids=lambda path: path.stem)
def test_every_argument_without_default_is_needed(path):
    config = load(path)
    source = config['stages']['depth']['source']
    argument = 'model' if source['type'] == 'TransformersDepth' else 'folder'
    del source[argument]
    with pytest.raises(ConfigError, match=rf'stages\.depth\.source \({source["type"]}\) needs {argument}'):
        checked_config(config)
    for key, value in (('stages.depth.source', None), ('stages.dto', 3), ('stages', None)):
        with pytest.raises(ConfigError, match=f'^{key} must be a dictionary, is {value}$'):
            checked_config(load(path, **{key: value}))
    assert checked_config(load(path, **{'stages.dto.prior': None}))['stages']['dto']['prior'] is None
    del config['source']
    with pytest.raises(ConfigError, match='lacks source'):
        checked_config(config)
