from .errors import BrokenFileError, UnsafeFileError
from .joblib_file import load_joblib
from .json_file import load_json
from .safe_pickle import SafeNpz, load_npy, load_npz, load_pickle, map_npy
from .tensors import load_tensors, not_finite
