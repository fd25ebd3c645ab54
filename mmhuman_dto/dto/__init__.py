from .evidence import DropReason, Evidence, EvidenceExtractor
from .prior import HEIGHT_CLASSES, HeightClass, HeightPrior, HeightTargets
from .problem import DTOProblem
from .solvers import PaperDTO
from .update import DTOResult

__all__ = [
    'DropReason', 'Evidence', 'EvidenceExtractor', 'HEIGHT_CLASSES', 'HeightClass', 'HeightPrior', 'HeightTargets',
    'DTOProblem', 'PaperDTO', 'DTOResult'
]
