from .evidence import DropReason, Evidence, EvidenceExtractor, count_reasons, counted
from .optimizer import DTOOptimizer
from .posterior import Posterior
from .prior import HEIGHT_CLASSES, HeightClass, HeightPrior, HeightTargets
from .problem import DTOProblem
from .result import DTOResult
from .solvers import PaperDTO, PosteriorDTO
