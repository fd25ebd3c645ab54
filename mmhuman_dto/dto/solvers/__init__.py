from .paper import PaperDTO
from .posterior import PosteriorDTO
