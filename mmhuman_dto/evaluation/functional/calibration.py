"""Whether stated uncertainties are true: how often the truth lies in the interval they give."""
import numpy as np
from scipy.stats import norm

#: Central intervals that are checked.
LEVELS = (.5, .9)


def in_intervals(pred, std, true, levels=LEVELS):
    """Whether each true value lies in the central interval of a Gaussian around its prediction.

    Args:
        pred, std, true: (N,) of one unit; ``std`` >= 0.
        levels: probabilities of the intervals, each between 0 and 1.

    Returns:
        numpy.ndarray: (N, len(levels)) bool. Calibrated predictions have a share of ``levels`` of them inside.

    Raises:
        ValueError: a negative or unknown standard deviation, or a level outside (0, 1).
    """
    pred, std, true, levels = (np.asarray(x, dtype=np.float64) for x in (pred, std, true, levels))
    if not (std >= 0).all():
        raise ValueError(f'standard deviations must be 0 or more, got {std[~(std >= 0)][0]}')
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f'levels of intervals lie between 0 and 1, got {levels.tolist()}')
    return np.abs(pred - true)[:, None] <= std[:, None] * norm.ppf(.5 + levels / 2)
