"""Results of other programs (registry ``RESULTS``): a reader each, which also writes back what placing changed."""
from .base import ImageResult, Moves, ResultError, ResultReader, Results
from .finding import open_results
from .meshes import Meshes

__all__ = ['ImageResult', 'Meshes', 'Moves', 'ResultError', 'ResultReader', 'Results', 'open_results']
