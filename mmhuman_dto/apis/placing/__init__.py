"""People in other programs' results, placed in metres: ``place(results, images, ...)``."""
from .placer import PlacedResults, place

__all__ = ['PlacedResults', 'place']
