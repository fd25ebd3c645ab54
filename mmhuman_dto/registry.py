"""Registries of mmhuman_dto: children of MMEngine's, plus those MMEngine has no parent for.

Imports MMEngine only: an ImportError raised under a registry's lazy import surfaces as an
unrelated message ("Failed to import ..."), so nothing optional may be imported from here.
Each ``locations`` entry is the package whose import registers the modules.
"""
import importlib.util
import pkgutil

from mmengine import registry as mmengine_registries
from mmengine.registry import Registry

if not hasattr(pkgutil, 'find_loader'):  # gone in Python 3.14; MMEngine 0.10.7 looks for mmcv's operations with it
    pkgutil.find_loader = lambda name: getattr(importlib.util.find_spec(name), 'loader', None)


def _registry(name, location, parent=None):
    return Registry(name, parent=parent, scope='mmhuman_dto', locations=[f'mmhuman_dto.{location}'])


def _child(name, location):
    parent = getattr(mmengine_registries, name)
    return _registry(parent.name, location, parent)


#: Parametric bodies: pose, betas, transl -> vertices, joints.
BODY_MODELS = _registry('body model', 'body_models')
#: Height priors: initial heights, ages, P(male) -> mean, std, class.
DTO_PRIORS = _registry('dto prior', 'dto')
#: Solvers: DTOProblem -> DTOResult.
DTO_SOLVERS = _registry('dto solver', 'dto')
#: Kinds of knowledge the posterior solver weighs: problem, values -> residuals.
DTO_TERMS = _registry('dto term', 'dto')
#: Where samples come from: annotation files and folders of photos, each a sequence of samples.
READERS = _registry('reader', 'datasets')
#: What other programs wrote about people in pictures: a path -> people in our frame, and written back.
RESULTS = _registry('result reader', 'results')
#: What answers for samples: networks, or files of their output, for depth, masks, ages, people, joints, meshes, focals.
SOURCES = _registry('source', 'perception')
#: How programs of depth networks lay out their files: folder -> maps and cameras.
DEPTH_FILES = _registry('depth layout', 'perception')
#: Steps of the generator, each samples -> samples.
STAGES = _registry('generation stage', 'stages')

DATASETS = _child('DATASETS', 'datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'datasets')
TRANSFORMS = _child('TRANSFORMS', 'datasets.transforms')

#: Networks, their parts, and losses.
MODELS = _child('MODELS', 'models')
#: Assigners, match costs, makers of targets.
TASK_UTILS = _child('TASK_UTILS', 'models.task_modules')
METRICS = _child('METRICS', 'evaluation.metrics')

VISUALIZERS = _child('VISUALIZERS', 'visualization')
VISBACKENDS = _child('VISBACKENDS', 'visualization')

HOOKS = _child('HOOKS', 'engine.hooks')
LOOPS = _child('LOOPS', 'engine.loops')
OPTIMIZERS = _child('OPTIMIZERS', 'engine.optim')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'engine.optim')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS', 'engine.optim')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS', 'engine.optim')
STRATEGIES = _child('STRATEGIES', 'engine.sharding')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'engine.initializers')
