from .paper import PaperDTO
from .posterior import PosteriorDTO

__all__ = ['PaperDTO', 'PosteriorDTO']
