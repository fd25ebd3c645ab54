from .base import BodyModel, BodyOutput

__all__ = ['BodyModel', 'BodyOutput']
