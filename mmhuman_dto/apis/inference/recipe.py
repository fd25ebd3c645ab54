"""A recipe's config as an inferencer's arguments change it, checked before anything is loaded."""
from mmengine.config import Config

from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.stages import ConfigError, check_needs, checked_config

from .catalogue import runs_dto
from .depth import depth_source, expect_kind, forget_maps

#: Stages that are not run: pictures are opened before, and every result is kept.
_LEFT_OUT = ('LoadImage', 'KeepOptimised')
#: Stages of which DTO alone reads the results.
_FOR_DTO = ('AddDepth', 'AddMasks', 'RasteriseMeshes')
#: Focal lengths by a word, and the sources that know them.
_FOCALS = dict(exif='ExifFocal', depth='DepthFocal')
#: What samples have before the stages, and must have after them.
_GIVEN, _WANTED = ('image', ), ('pred_instances', 'pred_camera')


def recipe_config(recipe, depth=None, dto=None, focal=None, model=None, checkpoint=None, threshold=None, device=None,
                  options=None, depth_kind=None, given=_GIVEN):
    """The checked config whose stages an inferencer runs.

    Args:
        recipe: config file, or the name of a shipped one.
        dto: whether DTO runs; None: where ``depth`` is given, else as the recipe has it.
        given: what samples have before the stages.
        others: see :class:`~mmhuman_dto.apis.inference.HumanInferencer`.

    Raises:
        FileNotFoundError: no such recipe, or a file it names.
        ConfigError: an argument that the recipe has no use for, or a recipe that cannot work.
    """
    with_depth = depth not in (None, 'none')
    if with_depth and dto is False and focal != 'depth':
        raise ConfigError('depth is for DTO, which dto=False leaves out')
    path = find_config(recipe)
    config = read_config(path, options).to_dict()
    stages = config.setdefault('stages', {})
    if (model, checkpoint, threshold) != (None, None, None):
        _set_network(path, config, dict(config=model, checkpoint=checkpoint, threshold=threshold))
    if depth is not None or depth_kind is not None:
        _set_depth(path, config, depth, depth_kind, options or {})
    if focal is not None:
        _set_focal(path, stages, focal)
    config = checked_config({**config, 'device': device or config.get('device', 'auto')})
    wanted = dto is True or (dto is None and (with_depth or runs_dto(path)))
    if dto is True and not _name_of(config['stages'], 'OptimiseTranslations'):
        raise ConfigError(f'{path}: has no stage OptimiseTranslations, so dto=True means nothing there')
    config['stages'] = _run(config['stages'], wanted)
    check_needs(config['stages'], given, _WANTED)
    return config


def _run(stages, dto):
    """The stages that are run; without ``dto`` neither it nor what follows."""
    kept = {}
    left_out = (*_LEFT_OUT, *(() if dto else _FOR_DTO))
    if _asks_maps_for_focal(stages):
        left_out = [kind for kind in left_out if kind != 'AddDepth']
    for name, stage in stages.items():
        if not dto and stage['type'] == 'OptimiseTranslations':
            break
        if stage['type'] not in left_out:
            kept[name] = {'keep_depth': True, **stage} if stage['type'] == 'OptimiseTranslations' else stage
    return kept


def _asks_maps_for_focal(stages):
    return any(stage['type'] == 'AddFocal' and stage['source']['type'] == 'DepthFocal' for stage in stages.values())


def _name_of(stages, kind):
    """Name of the first stage of a type; None where there is none."""
    return next((name for name, stage in stages.items() if stage and stage.get('type') == kind), None)


def _set_network(path, config, said):
    name = _name_of(config['stages'], 'AddMeshes')
    source = config['stages'][name]['source'] if name else {}
    if source.get('type') != 'MetricHMRMeshes':
        raise ConfigError(f'{path}: model, checkpoint and threshold are for recipes whose meshes are by '
                          "MetricHMRMeshes, such as 'network'")
    if said['config'] is not None:
        said['config'] = str(find_config(said['config']))
        source.pop('checkpoint', None)
        network = read_config(said['config']).get('model', {})
        if 'body_model' in network:
            config['body_model'] = network.body_model.to_dict()
    source.update({key: value for key, value in said.items() if value is not None})


def _set_focal(path, stages, focal):
    if not isinstance(focal, dict):
        focal = dict(type=_FOCALS[focal]) if focal in _FOCALS else dict(type='GivenFocal', focal=focal)
    name = _name_of(stages, 'AddFocal')
    meshes = _name_of(stages, 'AddMeshes')
    if not name and not meshes:
        raise ConfigError(f'{path}: has no stage AddMeshes that a focal length would be given to')
    stages[name or 'focal'] = {**(stages[name] if name else dict(type='AddFocal', before=meshes)), 'source': focal}
    if focal['type'] == 'DepthFocal':
        depth = _name_of(stages, 'AddDepth')
        if not depth:
            raise ConfigError("focal='depth' is the focal length that comes with depth maps; give depth too")
        stages[depth] = {**stages[depth], 'before': name or 'focal'}


def _set_depth(path, config, depth, kind, options):
    stages = config['stages']
    name, dto = _name_of(stages, 'AddDepth'), stages.get(_name_of(stages, 'OptimiseTranslations'))
    if dto is None:
        raise ConfigError(f'{path}: has no stage OptimiseTranslations that a depth map would be for')
    if depth == 'none':
        if kind is not None:
            raise ConfigError(f'depth_kind={kind!r} is of depth maps, which depth=\'none\' leaves out')
        if name:
            stages[name] = None
        forget_maps(path, dto['solver'])
        return
    if depth is None and not name:
        raise ConfigError(f'{path}: has no depth maps that would be of kind {kind!r}; give depth')
    source = stages[name]['source'] if depth is None else depth
    if not isinstance(source, dict):
        stated = _below(options, f'stages.{name or "depth"}.source')
        said, layout = stated.pop('kind', None), stated.pop('layout', None)
        source = {**depth_source(source, kind or said, layout), **stated}
    elif kind is not None:
        source = {**source, 'kind': kind}
    before = _name_of(stages, 'RasteriseMeshes') or _name_of(stages, 'OptimiseTranslations')
    stages[name or 'depth'] = {**(stages[name] if name else dict(type='AddDepth', before=before)), 'source': source}
    expect_kind(dto['solver'], source, config.get('data_root', ''))


def _below(options, key):
    """What options {dotted key: value} say below a key, as a dictionary."""
    below = {name.removeprefix(f'{key}.'): value for name, value in options.items() if name.startswith(f'{key}.')}
    config = Config()
    config.merge_from_dict(below)
    return config.to_dict()
