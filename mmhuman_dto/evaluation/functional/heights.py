"""Body height of people against the truth."""
import numpy as np


def height_errors(heights_pred, heights_true):
    """Absolute error of the rest-pose height.

    Args:
        heights_pred, heights_true: (N,) m (max y - min y of the zero-pose mesh), same people in the same order.

    Returns:
        numpy.ndarray: (N,) m.
    """
    return np.abs(np.asarray(heights_pred, dtype=np.float64) - np.asarray(heights_true, dtype=np.float64))
