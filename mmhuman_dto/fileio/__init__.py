from .json_file import load_json
from .safe_pickle import SafeNpz, load_npy, load_npz, load_pickle
from .unpickle import BrokenFileError, UnsafeFileError

__all__ = ['BrokenFileError', 'SafeNpz', 'UnsafeFileError', 'load_json', 'load_npy', 'load_npz', 'load_pickle']
