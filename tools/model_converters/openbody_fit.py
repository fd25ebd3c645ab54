"""Least-squares fits of the converter: shape directions and sparse, mirror-symmetric vertex regressors."""
import numpy as np
from scipy.optimize import nnls


def shape_directions(vertices, heights, count):
    """Mean and directions of shape, the first being stature.

    The first direction is the regression of the vertices on height, the others are principal components of what height
    doesn't explain, all for one standard deviation of the samples; positive coefficients make the body wider.

    Args:
        vertices: (S, V, 3), m. heights: (S,), m. count: number of directions.

    Returns:
        tuple: mean (V, 3), directions (V, 3, count), coefficients (S, count), share of variance they explain.
    """
    mean = vertices.mean(0)
    centred = (vertices - mean).reshape(len(vertices), -1)
    stature = (heights - heights.mean()) / heights.std()
    first = stature @ centred / len(stature)
    rest = centred - stature[:, None] * first
    left, scale, right = np.linalg.svd(rest, full_matrices=False)
    sigma = scale[:count - 1] / np.sqrt(len(vertices))
    coefficients = np.concatenate([stature[:, None], left[:, :count - 1] * np.sqrt(len(vertices))], 1)
    directions = np.concatenate([first[None], right[:count - 1] * sigma[:, None]])
    outwards = right[:count - 1].reshape(count - 1, -1, 3)[..., ::2] * mean[:, ::2]
    sign = np.where(outwards.sum((1, 2)) < 0, -1., 1.)
    coefficients[:, 1:] *= sign
    directions[1:] *= sign[:, None]
    explained = 1 - (scale[count - 1:]**2).sum() / (centred**2).sum()
    return mean, directions.T.reshape(*mean.shape, count), coefficients, explained


def fit_row(vertices, target, candidates, mirror, central, prior=.01):
    """Non-negative weights that sum to 1 and give a point from nearby vertices.

    Args:
        vertices: (S, V, 3) and target (S, 3), m, over the sampled bodies.
        candidates: indices of the vertices that may be used.
        mirror: (V,) vertex on the other side.
        central: the point lies on the mirror plane: pairs of vertices get equal weights.
        prior: pull towards equal weights, m: spreads the weight over many vertices.

    Returns:
        np.ndarray: (V,) weights.
    """
    columns = vertices[:, candidates]
    if central:
        columns = (columns + vertices[:, mirror[candidates]]) / 2
    size = len(candidates)
    matrix = (columns - target[:, None]).transpose(0, 2, 1).reshape(-1, size)
    rows = np.sqrt(len(matrix))
    system = np.concatenate([matrix, prior * np.eye(size), 100 * rows * np.ones((1, size))])
    solution, _ = nnls(system, np.r_[np.zeros(len(matrix)), np.full(size, prior / size), 100 * rows], maxiter=50 * size)
    solution[solution < 1e-4] = 0
    weights = np.zeros(vertices.shape[1])
    weights[candidates] += solution / 2
    weights[mirror[candidates] if central else candidates] += solution / 2
    return weights / weights.sum()


def fit_regressor(vertices, targets, swap, mirror, allowed, nearest=500):
    """Rows (K, V) for points (S, K, 3): left and central ones are fitted, right ones are their mirror images.

    ``swap`` (K,) is the point on the other side, itself on the plane; ``allowed`` are the vertices of the skin.
    """
    mean = vertices.mean(0)
    matrix = np.zeros((len(swap), len(mirror)))
    for k, other in enumerate(swap):
        if targets[:, k, 0].mean() < -1e-3:
            continue
        pool = allowed[mean[allowed, 0] >= -1e-6] if k == other else allowed
        distance = np.linalg.norm(mean[pool] - targets[:, k].mean(0), axis=1)
        candidates = pool[np.argsort(distance)[:nearest]]
        matrix[k] = fit_row(vertices, targets[:, k], candidates, mirror, k == other)
        matrix[other] = matrix[k] if k == other else matrix[k][mirror]
    return matrix
