"""Depth maps as arguments of programs name them, and what a solver makes of each kind of them."""
import logging
from pathlib import Path

from mmhuman_dto.fileio.images import ImageError, read_values
from mmhuman_dto.perception.base import DepthSource
from mmhuman_dto.perception.depth_files.arrays import SUFFIXES
from mmhuman_dto.perception.depth_files.base import first_names
from mmhuman_dto.perception.depth_kinds import HOW_TO_CHOOSE, checked_kind
from mmhuman_dto.perception.precomputed_depth import depth_files
from mmhuman_dto.perception.transformers_depth import model_kind
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.stages import ConfigError

#: How far off metric depth networks are on the whole: std of the logarithm.
_METRIC_STD = .1
#: How depth follows from maps of each kind (``dto.terms.domains``), and how well their scale is known.
_FORMS = dict(disparity=dict(domain='inverse'), depth=dict(domain='linear'), metres=dict(domain='log'))
_SCALES = dict(metres=_METRIC_STD)
_LOGGER = logging.getLogger(__name__)


def depth_source(depth, kind=None, layout=None):
    """Config of the depth source that is meant by a config, a folder of maps, or a network's folder or name.

    Args:
        depth: config of a :class:`~mmhuman_dto.perception.DepthSource`; folder of files of any layout
            (``perception.depth_files``); folder with a ``config.json``, or name, of a network of transformers.
        kind: what the maps hold, one of :data:`~mmhuman_dto.perception.depth_kinds.KINDS`; None: what the config, the
            files or the network say. Of files that don't, a kind is taken with a warning.
        layout: config of the files' layout, as of :class:`~mmhuman_dto.perception.PrecomputedDepth`.

    Returns:
        dict: with ``kind``, where it is of files.

    Raises:
        ConfigError: a folder without maps, with maps of several formats, or that cannot be of this kind.
    """
    try:
        checked_kind(kind)
        if isinstance(depth, dict):
            return depth if kind is None else {**depth, 'kind': kind}
        folder = Path(depth)
        if not folder.is_dir() or (folder / 'config.json').is_file():
            return dict(type='TransformersDepth', model=str(depth), **({} if kind is None else dict(kind=kind)))
        return _of_folder(folder.resolve(), kind, layout)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _of_folder(folder, kind, layout):
    files = depth_files(folder, layout=layout)
    source = dict(type='PrecomputedDepth', folder=str(folder))
    if type(files).__name__ == 'PlainDepth' and layout is None:
        source['suffix'] = _only_suffix(folder)
    else:
        source['layout'] = {**(layout or {}), 'type': type(files).__name__}
    kind = kind or _kind_of(files)
    files.check(kind)
    _warn_of_steps(folder, source.get('suffix'))
    scale = folder / 'scale.json'
    return dict(source, kind=kind, **(dict(scale=str(scale)) if scale.is_file() and kind != 'depth' else {}))


def _warn_of_steps(folder, suffix):
    """Say that pictures of 8 bits are coarse: most programs write them to be looked at."""
    if suffix == '.png':
        first = next(name for name in first_names(folder) if name.lower().endswith(suffix))
        try:
            coarse = read_values(folder / first).dtype.itemsize == 1
        except ImageError:
            return  # which is said of each picture
        if coarse:
            _LOGGER.warning('%s: %s has 8 bits, 256 steps from the nearest to the farthest: people who stand near each '
                            'other share one. Floats are better, where the program can write them', folder, first)


def _only_suffix(folder):
    suffixes = sorted({Path(name).suffix.lower() for name in first_names(folder)} & set(SUFFIXES))
    if len(suffixes) != 1:
        raise ConfigError(f'{folder}: expected a config.json, of a network, or depth maps that are all of one of '
                          f'{", ".join(SUFFIXES)}, found {", ".join(suffixes) or "none"}; other maps are named by '
                          "depth=dict(type='PrecomputedDepth', ...)")
    return suffixes[0]


def _kind_of(files):
    """The kind that files say they are; else the first they may be, with a warning."""
    kind, _ = files.stated_kind()
    if kind is not None:
        return kind
    taken = files.kinds[0]
    _LOGGER.warning('%s: nothing says what these depth maps hold; they are taken for %r, as %s. Say it with '
                    '--depth-kind (depth_kind= in Python), one of %s', files.folder, taken,
                    'most programs save' if len(files.kinds) > 2 else f'{files.writer} may have written without metres',
                    HOW_TO_CHOOSE)
    return taken


def kind_of_source(source, data_root=''):
    """Which kind of maps the source of a config gives; ``data_root`` is the recipe's.

    Raises:
        ConfigError: files that do not say it, and nobody else does.
    """
    if source.get('kind') is not None:
        return source['kind']
    if source.get('type') == 'TransformersDepth' and 'model' in source:
        return model_kind(source['model'], source.get('local_files_only', False))
    if source.get('type') == 'PrecomputedDepth' and 'folder' in source:
        folder = Path(source.get('data_root', data_root), source['folder'])
        files = depth_files(folder, source.get('suffix'), source.get('layout'))
        kind, _ = files.stated_kind()
        try:
            files.check(kind)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return kind
    # That there is such a source is checked with the rest of the config.
    return getattr(SOURCES.module_dict.get(source.get('type')), 'kind', DepthSource.kind)


def expect_kind(solver, source, data_root=''):
    """Turn a posterior solver's terms of depth on, in the form that the maps of a source have.

    Args:
        solver: config, which is changed; other solvers than ``PosteriorDTO`` stay as they are.
        source: config of a depth source, see :func:`depth_source`.
        data_root: the recipe's, below which folders are.
    """
    if solver['type'] != 'PosteriorDTO':
        return
    kind, terms = kind_of_source(source, data_root), dict(solver.get('terms') or {})
    for name, term in (('depth', 'DepthTerm'), ('relief', 'ReliefTerm')):
        if terms.get(name, 0) is None:
            del terms[name]
        if kind != 'disparity':
            terms[name] = {'type': term, **terms.get(name, {}), **_FORMS[kind]}
    if kind in _SCALES:
        terms['depth']['scale_std'] = _SCALES[kind]
    solver['terms'] = terms


def set_depth_kind(config, kind):
    """Say in a recipe's config, which is changed, of which kind its depth maps are; its solver's terms follow.

    Raises:
        ConfigError: it has no stage of depth, or none that places people.
    """
    stages = {stage['type']: stage for stage in config.get('stages', {}).values() if stage}
    if not {'AddDepth', 'OptimiseTranslations'} <= set(stages):
        raise ConfigError('the config has no stages AddDepth and OptimiseTranslations, of which depth maps would be')
    stages['AddDepth']['source']['kind'] = kind
    expect_kind(stages['OptimiseTranslations']['solver'], stages['AddDepth']['source'])


def forget_maps(path, solver):
    """Turn a posterior solver's terms of depth off; ConfigError for a solver that cannot do without."""
    if solver['type'] != 'PosteriorDTO':
        raise ConfigError(f'{path}: {solver["type"]} cannot do without a depth map; PosteriorDTO can')
    solver['terms'] = {**(solver.get('terms') or {}), 'depth': None, 'relief': None}
