from .camera_head import FixedFoV, FoVHead
from .people_head import PeopleHead

__all__ = ['FixedFoV', 'FoVHead', 'PeopleHead']
