from .camera_head import FixedFoV, FoVHead
from .people_head import PeopleHead
