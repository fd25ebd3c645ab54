"""The usual way to calm people that were placed frame by frame: a Kalman smoother of each one's pelvis.

Constant velocity in metres with white acceleration; places are seen with errors along and across the ray from the
camera, each a share of the distance. Rauch, Tung and Striebel, "Maximum likelihood estimates of linear dynamic systems"
(AIAA Journal 1965). Its three numbers are those of largest likelihood on clips that nothing is reported of.
"""
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

#: Std of the speed of whom one sees for the first time, m/s.
SPEED = 1.5
#: Where the search for the numbers starts, and where it ends: steps of their logarithms, evaluations.
START, STEP, EVALUATIONS = (1., .05, .01), .05, 80


class Noise(NamedTuple):
    """``acceleration`` m/s^1.5 (white); ``along`` and ``across`` the ray, shares of the distance."""
    acceleration: float
    along: float
    across: float


def smooth(times, places, noise, rays=None):
    """Smoothed places (N, T, 3), nan where ``places`` are.

    Args:
        times: (T) s. places: (N, T, 3) m, of N people, nan where one is not seen.
        noise: :class:`Noise`.
        rays: (N, T, 3) from camera to person in the frame of ``places``, m; None: the camera is at 0.
    """
    means, covariances, predicted, _ = _filter(times, places, noise, rays)
    smoothed = means.copy()
    for t in range(len(times) - 2, -1, -1):
        move = _move(times[t + 1] - times[t])
        gain = covariances[t] @ move.T @ np.linalg.inv(predicted[t + 1][1])
        step = smoothed[t + 1] - predicted[t + 1][0]
        smoothed[t] = np.where(np.isfinite(step), means[t] + np.einsum('nij,nj->ni', gain, step), means[t])
    return np.where(np.isfinite(places), smoothed[..., :3].swapaxes(0, 1), np.nan)


def fit_noise(clips):
    """The :class:`Noise` of largest likelihood of many (times, places, rays), as :func:`smooth` takes them."""
    def loss(logarithms):
        noise = Noise(*np.exp(logarithms))
        return -sum(_filter(times, places, noise, rays)[-1] for times, places, rays in clips)

    best = minimize(loss, np.log(START), method='Nelder-Mead', options=dict(maxfev=EVALUATIONS, xatol=STEP, fatol=1.))
    return Noise(*np.exp(best.x).tolist())


def _move(time):
    """(6, 6) from a state, place and velocity, to that after a time, s."""
    move = np.eye(6)
    move[:3, 3:] = time * np.eye(3)
    return move


def _drift(time, acceleration):
    """(6, 6) covariance that white acceleration adds within a time, s."""
    shares = np.array([[time**3 / 3, time**2 / 2], [time**2 / 2, time]])
    return acceleration**2 * np.kron(shares, np.eye(3))


def _seen_covariances(rays, noise):
    """(N, T, 3, 3) m^2 of places on rays (N, T, 3)."""
    distances = np.linalg.norm(rays, axis=-1)[..., None, None]
    along = rays[..., :, None] * rays[..., None, :] / distances**2
    return distances**2 * (noise.along**2 * along + noise.across**2 * (np.eye(3) - along))


def _filter(times, places, noise, rays):
    """Means (T, N, 6), covariances (T, N, 6, 6) after each frame, [(mean, covariance)] before it, log likelihood."""
    seen = np.isfinite(places).all(-1)
    covariances = _seen_covariances(places if rays is None else rays, noise)
    mean, covariance = np.full((len(places), 6), np.nan), np.tile(np.eye(6), (len(places), 1, 1))
    means, after, before, likelihood = [], [], [], 0.
    for t, time in enumerate(times):
        if t:
            move = _move(time - times[t - 1])
            mean = mean @ move.T
            covariance = move @ covariance @ move.T + _drift(time - times[t - 1], noise.acceleration)
        before.append((mean.copy(), covariance.copy()))
        known = np.isfinite(mean[:, 0])
        new, again = seen[:, t] & ~known, seen[:, t] & known
        mean[new] = np.concatenate([places[new, t], np.zeros((new.sum(), 3))], 1)
        covariance[new] = 0
        covariance[new, :3, :3] = covariances[new, t]
        covariance[new, 3:, 3:] = SPEED**2 * np.eye(3)
        if again.any():
            error = places[again, t] - mean[again, :3]
            total = covariance[again, :3, :3] + covariances[again, t]
            gain = covariance[again, :, :3] @ np.linalg.inv(total)
            likelihood -= .5 * (np.einsum('ni,nij,nj', error, np.linalg.inv(total), error)
                                + np.linalg.slogdet(2 * np.pi * total)[1].sum())
            mean[again] += np.einsum('nij,nj->ni', gain, error)
            covariance[again] -= gain @ covariance[again, :3]
        means.append(mean.copy())
        after.append(covariance.copy())
    return np.array(means), np.array(after), before, likelihood
