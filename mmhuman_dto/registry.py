"""Registries of mmhuman_dto: children of MMEngine's, plus those MMEngine has no parent for.

Imports MMEngine only: an ImportError raised under a registry's lazy import surfaces as an
unrelated message ("Failed to import ..."), so nothing optional may be imported from here.
Each ``locations`` entry is the package whose import registers the modules.
"""
from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry


def _registry(name, location, parent=None):
    return Registry(name, parent=parent, scope='mmhuman_dto', locations=[f'mmhuman_dto.{location}'])


#: Parametric bodies: pose, betas, transl -> vertices, joints.
BODY_MODELS = _registry('body model', 'body_models')
#: Height priors: initial heights, ages, P(male) -> mean, std, class.
DTO_PRIORS = _registry('dto prior', 'dto')
#: Solvers: DTOProblem -> DTOResult.
DTO_SOLVERS = _registry('dto solver', 'dto')
#: Where depth, masks, ages and initial meshes come from: files or networks.
SOURCES = _registry('source', 'perception')
#: Steps of the generator, each sample -> sample.
STAGES = _registry('generation stage', 'generation')

DATASETS = _registry('dataset', 'datasets', MMENGINE_DATASETS)
TRANSFORMS = _registry('transform', 'datasets.transforms', MMENGINE_TRANSFORMS)

#: Networks, their parts, and losses.
MODELS = _registry('model', 'models', MMENGINE_MODELS)
#: Assigners and match costs.
TASK_UTILS = _registry('task util', 'models.task_modules', MMENGINE_TASK_UTILS)

DATA_SAMPLERS = _registry('data sampler', 'datasets', MMENGINE_DATA_SAMPLERS)
LOOPS = _registry('loop', 'engine', MMENGINE_LOOPS)
HOOKS = _registry('hook', 'engine', MMENGINE_HOOKS)
OPTIM_WRAPPERS = _registry('optimizer wrapper', 'engine', MMENGINE_OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _registry('optimizer wrapper constructor', 'engine', MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS)

METRICS = _registry('metric', 'evaluation.metrics', MMENGINE_METRICS)
