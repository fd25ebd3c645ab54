"""Files of synthetic crowds and bodies in the layouts that real ones come in."""
from .crowd import write_crowd
from .smpl import write_synthetic_smpl
