from .problem import ClipProblem
from .solver import TemporalDTO
