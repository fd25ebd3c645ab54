from .safe_pickle import SafeNpz, load_npy, load_npz, load_pickle
from .unpickle import BrokenFileError, UnsafeFileError

__all__ = ['BrokenFileError', 'SafeNpz', 'UnsafeFileError', 'load_npy', 'load_npz', 'load_pickle']
