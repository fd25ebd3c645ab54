from .fields import FIELDS, FieldSpec
from .original import to_original
from .people import People
from .sample import Camera, HumanDataSample, Maps

__all__ = ['FIELDS', 'FieldSpec', 'People', 'Camera', 'HumanDataSample', 'Maps', 'to_original']
