"""A recipe's config as an inferencer's arguments change it, checked before anything is loaded."""
from pathlib import Path

from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.finding import MAP_SUFFIXES, find_files
from mmhuman_dto.perception.transformers_depth import model_kind
from mmhuman_dto.stages import ConfigError, check_needs, checked_config

from .catalogue import runs_dto

#: Stages that are not run: pictures are opened before, and every result is kept.
_LEFT_OUT = ('LoadImage', 'KeepOptimised')
#: Stages of which DTO alone reads the results.
_FOR_DTO = ('AddDepth', 'AddMasks', 'RasteriseMeshes')
#: What samples have before the stages, and must have after them.
_GIVEN, _WANTED = ('image', ), ('pred_instances', 'pred_camera')
#: How far off metric depth networks are on the whole: std of the logarithm.
_METRIC_STD = .1


def recipe_config(recipe, depth=None, dto=None, focal=None, model=None, checkpoint=None, threshold=None, device=None,
                  options=None, given=_GIVEN):
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
    if with_depth and dto is False:
        raise ConfigError('depth is for DTO, which dto=False leaves out')
    path = find_config(recipe)
    config = read_config(path, options).to_dict()
    stages = config.setdefault('stages', {})
    if (model, checkpoint, threshold) != (None, None, None):
        _set_network(path, config, dict(config=model, checkpoint=checkpoint, threshold=threshold))
    if focal is not None:
        _set_focal(path, stages, focal)
    if depth is not None:
        _set_depth(path, stages, depth)
    config = checked_config({**config, 'device': device or config.get('device', 'auto')})
    wanted = dto is True or with_depth or (dto is None and runs_dto(path))
    if dto is True and not _name_of(config['stages'], 'OptimiseTranslations'):
        raise ConfigError(f'{path}: has no stage OptimiseTranslations, so dto=True means nothing there')
    config['stages'] = _run(config['stages'], wanted)
    check_needs(config['stages'], given, _WANTED)
    return config


def _run(stages, dto):
    """The stages that are run; without ``dto`` neither it nor what follows."""
    kept = {}
    for name, stage in stages.items():
        if not dto and stage['type'] == 'OptimiseTranslations':
            break
        if stage['type'] not in (_LEFT_OUT if dto else (*_LEFT_OUT, *_FOR_DTO)):
            kept[name] = stage
    return kept


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
    if focal == 'exif':
        focal = dict(type='ExifFocal')
    elif not isinstance(focal, dict):
        focal = dict(type='GivenFocal', focal=focal)
    name = _name_of(stages, 'AddFocal')
    meshes = _name_of(stages, 'AddMeshes')
    if name:
        stages[name] = {**stages[name], 'source': focal}
    elif meshes:
        stages['focal'] = dict(type='AddFocal', source=focal, before=meshes)
    else:
        raise ConfigError(f'{path}: has no stage AddMeshes that a focal length would be given to')


def _set_depth(path, stages, depth):
    name, dto = _name_of(stages, 'AddDepth'), stages.get(_name_of(stages, 'OptimiseTranslations'))
    if dto is None:
        raise ConfigError(f'{path}: has no stage OptimiseTranslations that a depth map would be for')
    if depth == 'none':
        if name:
            stages[name] = None
        _forget_maps(path, dto['solver'])
        return
    source = depth_source(depth)
    before = _name_of(stages, 'RasteriseMeshes') or _name_of(stages, 'OptimiseTranslations')
    stages[name or 'depth'] = {**(stages[name] if name else dict(type='AddDepth', before=before)), 'source': source}
    if dto['solver']['type'] == 'PosteriorDTO':
        _use_maps(dto['solver'], source)


def depth_source(depth):
    """Config of the depth source that is meant by a config, a folder of maps, or a network's folder or name.

    Raises:
        ConfigError: a folder without maps, or with maps of several kinds.
    """
    if isinstance(depth, dict):
        return depth
    folder = Path(depth)
    if not folder.is_dir() or (folder / 'config.json').is_file():
        return dict(type='TransformersDepth', model=str(depth))
    suffixes = sorted({Path(name).suffix.lower() for name in find_files(folder, MAP_SUFFIXES)})
    if len(suffixes) != 1:
        raise ConfigError(f'{folder}: expected a config.json, of a network, or depth maps that are all of one of '
                          f'{", ".join(MAP_SUFFIXES)}, found {", ".join(suffixes) or "none"}; other maps are named by '
                          "depth=dict(type='PrecomputedDepth', ...)")
    source = dict(type='PrecomputedDepth', folder=str(folder.resolve()), suffix=suffixes[0])
    scale = folder.resolve() / 'scale.json'
    return dict(source, scale=str(scale)) if scale.is_file() else source


def _forget_maps(path, solver):
    if solver['type'] != 'PosteriorDTO':
        raise ConfigError(f'{path}: {solver["type"]} cannot do without a depth map; PosteriorDTO can')
    solver['terms'] = {**(solver.get('terms') or {}), 'depth': None, 'relief': None}


def _use_maps(solver, source):
    """Terms of depth are on, and of the form that the source's maps have; metric maps are in m."""
    terms = dict(solver.get('terms') or {})
    for name, kind in (('depth', 'DepthTerm'), ('relief', 'ReliefTerm')):
        if terms.get(name, 0) is None:
            del terms[name]
        if _is_metric(source):
            terms[name] = {'type': kind, **terms.get(name, {}), 'domain': 'log'}
    if _is_metric(source):
        terms['depth']['scale_std'] = _METRIC_STD
        source.setdefault('scale', 1.)
    solver['terms'] = terms


def _is_metric(source):
    if source['type'] == 'TransformersDepth' and source.get('kind') is None:
        return model_kind(source['model'], source.get('local_files_only', False)) == 'depth'
    return source.get('kind') == 'depth'
