from .clip import Clip, PersonTrack
from .fields import FIELDS, FieldSpec, register_field
from .original import to_original
from .people import People
from .sample import Camera, HumanDataSample, Maps
