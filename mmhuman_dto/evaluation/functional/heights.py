"""Body height of people against the truth."""
import numpy as np


def height_errors(heights_pred, heights_true):
    """Absolute error (N,) of the rest-pose height (N,), m: max y - min y of the zero-pose mesh, row by row."""
    return np.abs(np.asarray(heights_pred, dtype=np.float64) - np.asarray(heights_true, dtype=np.float64))
