from .evidence import DropReason, Evidence, EvidenceExtractor
from .posterior import Posterior
from .prior import HEIGHT_CLASSES, HeightClass, HeightPrior, HeightTargets
from .problem import DTOProblem
from .solvers import PaperDTO, PosteriorDTO
from .update import DTOResult

__all__ = [
    'DropReason', 'Evidence', 'EvidenceExtractor', 'HEIGHT_CLASSES', 'HeightClass', 'HeightPrior', 'HeightTargets',
    'DTOProblem', 'Posterior', 'PaperDTO', 'PosteriorDTO', 'DTOResult'
]
