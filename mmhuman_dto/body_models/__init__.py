from .base import BodyModel, BodyOutput
from .openbody import OpenBody

__all__ = ['BodyModel', 'BodyOutput', 'OpenBody']
