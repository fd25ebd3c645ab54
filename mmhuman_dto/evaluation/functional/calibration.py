"""Whether stated uncertainties are true: how often the truth lies in the interval they give."""
import numpy as np
from scipy.stats import norm

#: Central intervals that are checked.
LEVELS = (.5, .9)


def in_intervals(pred, std, true, levels=LEVELS):
    """Whether (N, levels) each true value (N,) lies in central intervals of a Gaussian of ``std`` around ``pred`` (N,).

    ``levels`` are the intervals' probabilities: of calibrated predictions that share is inside.

    Raises:
        ValueError: a negative or unknown standard deviation, or a level outside (0, 1).
    """
    pred, std, true, levels = (np.asarray(x, dtype=np.float64) for x in (pred, std, true, levels))
    if not (std >= 0).all():
        raise ValueError(f'standard deviations must be 0 or more, got {std[~(std >= 0)][0]}')
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f'levels of intervals lie between 0 and 1, got {levels.tolist()}')
    return np.abs(pred - true)[:, None] <= std[:, None] * norm.ppf(.5 + levels / 2)
