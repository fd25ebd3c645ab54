from .optimizer import ClipOptimizer
from .problem import ClipProblem
from .solver import TemporalDTO
from .steady import Steady
