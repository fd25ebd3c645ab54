"""Every shipped config of the generator: each key is an option of what it configures, each recipe is short."""
import ast
import copy
from pathlib import Path

import pytest
from mmengine.config import Config

from mmhuman_dto.stages import ConfigError, checked_config

CONFIGS = Path(__file__).parents[1] / 'configs'
RECIPES = sorted((CONFIGS / 'dto').glob('*.py'))
#: Stages in the order of the two bases: everything known from files, and photos alone.
KNOWN = ['people', 'image', 'depth', 'masks', 'ages', 'rasterise', 'dto', 'keep']
PHOTOS = ['image', 'focal', 'detect', 'pose', 'meshes', 'people', 'match', 'depth', 'ages', 'rasterise', 'dto', 'keep']


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


def test_there_are_recipes():
    assert {path.stem for path in RECIPES} >= {'paper_synthetic-crowd', 'paper_4dhumans', 'paper_from-photos'}


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipe_is_short_and_every_key_is_known(path):
    assert len(path.read_text().splitlines()) <= 40
    config = checked_config(Config.fromfile(path).to_dict())
    assert list(config['stages']) == (PHOTOS if 'photos' in path.stem else KNOWN)


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_a_typo_anywhere_in_a_recipe_fails(path):
    original = Config.fromfile(path).to_dict()
    places = [(), *leaves(original)]
    assert len(places) >= 14
    for place in places:
        config = copy.deepcopy(original)
        at(config, place)['typo_'] = 1
        with pytest.raises(ConfigError, match="no option 'typo_'"):
            checked_config(config)


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_every_argument_without_default_is_needed(path):
    config = Config.fromfile(path).to_dict()
    source = config['stages']['depth']['source']
    argument = 'model' if source['type'] == 'TransformersDepth' else 'folder'
    del source[argument]
    with pytest.raises(ConfigError, match=rf'stages\.depth\.source \({source["type"]}\) needs {argument}'):
        checked_config(config)
    del config['source']
    with pytest.raises(ConfigError, match='lacks source'):
        checked_config(config)


def test_base_derives_nothing():
    """A value computed in a base would not follow a recipe's change: bases hold literals only."""
    for path in (CONFIGS / '_base_' / 'dto').glob('*.py'):
        loaded = {node.id for node in ast.walk(ast.parse(path.read_text()))
                  if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert loaded == {'dict'}


@pytest.mark.parametrize('model', [
    dict(type='OpenBody'), dict(type='SMPL+A', model_path='data/smpl', gender='neutral'),
    dict(type='SMPL', model_path='data/smpl', gender='neutral')], ids=lambda model: model['type'])
def test_body_models_are_interchangeable(model):
    config = Config.fromfile(RECIPES[0]).to_dict()
    config['body_model'] = model
    assert checked_config(config)['body_model'] == model
