"""Files of synthetic crowds and bodies in the layouts that real ones come in."""
from .crowd import write_crowd
from .smpl import write_synthetic_smpl

__all__ = ['write_crowd', 'write_synthetic_smpl']
