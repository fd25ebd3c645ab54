"""Making datasets: DTO over many images, restartable, one bad image costing one line."""
from .generator import Generator
from .manifest import GenerationError
