"""Where people will be: Kalman filters of many things at once whose velocity lasts for a while.

The velocity is an Ornstein-Uhlenbeck process: it keeps its value for about ``STEADY`` seconds and has a given spread
around nought (Rong Li and Jilkov, "Survey of maneuvering target tracking, part I", 2003, Singer's model with velocity
in place of acceleration). Over short times that is constant velocity with white acceleration, and over long times
somebody has turned or stopped. Two steps of time are the same as one of both.
"""
from dataclasses import dataclass

import numpy as np

#: s for which people keep their velocity.
STEADY = 2.
#: Degrees of freedom of the Student's t that measurements are taken to be of: few are far off, but these are very far.
FREEDOM = 4.


@dataclass(frozen=True)
class Motion:
    """T things in D dimensions: ``mean`` (T, 2 D), places then velocities, and ``cov`` (T, 2 D, 2 D); nan: unknown."""
    mean: np.ndarray
    cov: np.ndarray

    @property
    def places(self):
        """(T, D)."""
        return self.mean[:, :self.mean.shape[1] // 2]


def begin(places, noise, speeds):
    """:class:`Motion` of what was seen once: places (T, D), their covariances (T, D, D), spread of speeds (T, D)."""
    size = places.shape[1]
    cov = np.zeros((len(places), 2 * size, 2 * size))
    cov[:, :size, :size] = noise
    cov[:, range(size, 2 * size), range(size, 2 * size)] = np.square(speeds)
    return Motion(np.concatenate([places, np.zeros_like(places)], 1), cov)


def predict(motion, seconds, speeds):
    """The motion after some ``seconds``, a number or (T); ``speeds`` (T, D) is the spread of velocities."""
    a = np.broadcast_to(np.asarray(seconds, np.float64) / STEADY, len(motion.mean))
    kept = np.exp(-a)
    reach = STEADY * (1 - kept)
    size = motion.mean.shape[1] // 2
    step = np.zeros_like(motion.cov)
    added = np.zeros_like(motion.cov)
    place, velocity = np.arange(size), np.arange(size, 2 * size)
    step[:, place, place], step[:, place, velocity], step[:, velocity, velocity] = 1, reach[:, None], kept[:, None]
    variance = np.square(speeds)
    added[:, place, place] = (STEADY**2 * (2 * a - 3 + 4 * kept - kept**2))[:, None] * variance
    added[:, place, velocity] = added[:, velocity, place] = (STEADY * (1 - kept)**2)[:, None] * variance
    added[:, velocity, velocity] = (1 - kept**2)[:, None] * variance
    return Motion((step @ motion.mean[..., None])[..., 0], step @ motion.cov @ step.swapaxes(1, 2) + added)


def update(motion, places, noise):
    """The motion after ``places`` (T, D) with covariances ``noise`` (T, D, D) were seen; rows of nan change nothing.

    The noise of places that are far off is taken to be larger, as by one step of reweighted least squares for Student's
    t.
    """
    size = places.shape[1]
    known = np.isfinite(places).all(1) & np.isfinite(motion.mean).all(1)
    mean, cov = motion.mean.copy(), motion.cov.copy()
    to_places, off = cov[known][:, :, :size], (places[known] - mean[known, :size])[..., None]
    spread = cov[known][:, :size, :size] + noise[known]
    distance = (off * np.linalg.solve(spread, off)).sum(1, keepdims=True)
    more = np.maximum((FREEDOM + distance) / (FREEDOM + size), 1) - 1
    gain = to_places @ np.linalg.inv(spread + more * noise[known])
    mean[known] += (gain @ off)[..., 0]
    cov[known] -= gain @ to_places.swapaxes(1, 2)
    return Motion(mean, (cov + cov.swapaxes(1, 2)) / 2)


def surprise(motion, places, noise):
    """How badly places fit, of each motion to each place.

    Args:
        motion: of T. places: (N, D). noise: (N, D, D).

    Returns:
        tuple: (T, N) squared Mahalanobis distances, and (T, N) costs: minus the logarithm of the likelihood over that
        of the right place if the motion were exactly known, by Student's t; nan where one is unknown.
    """
    size = places.shape[1]
    spread = motion.cov[:, None, :size, :size] + noise[None]
    known = np.isfinite(spread).all((2, 3)) & np.isfinite(motion.places).all(1)[:, None]
    known &= np.isfinite(places).all(1)
    spread = np.where(known[..., None, None], spread, np.eye(size))
    difference = np.where(known[..., None], places[None] - motion.places[:, None], 0)
    distance = np.einsum('tni,tni->tn', difference, np.linalg.solve(spread, difference[..., None])[..., 0])
    volume = np.linalg.slogdet(spread)[1] - np.linalg.slogdet(np.where(
        known.any(0)[:, None, None], noise, np.eye(size)))[1]
    return np.where(known, distance, np.nan), np.where(known, costs_of(distance, volume, size), np.nan)


def costs_of(distance, volume, size):
    """Minus the logarithm of Student's t, up to a constant, at squared Mahalanobis distances in ``size`` dimensions,
    where the logarithm of the determinant of the scale is ``volume``."""
    return ((FREEDOM + size) * np.log1p(distance / FREEDOM) + volume) / 2


def reversed_in_time(motion):
    """The motion as it is when time runs the other way."""
    size = motion.mean.shape[1] // 2
    sign = np.repeat([1., -1.], size)
    return Motion(motion.mean * sign, motion.cov * sign[:, None] * sign)


def disagreement(first, second):
    """How badly two guesses of places and velocities fit, as costs (T) as those of :func:`surprise`; nan: unknown."""
    spread = first.cov + second.cov
    known = np.isfinite(spread).all((1, 2)) & np.isfinite(first.mean + second.mean).all(1)
    spread = np.where(known[:, None, None], spread, np.eye(spread.shape[1]))
    own = np.where(known[:, None, None], second.cov, np.eye(spread.shape[1]))
    difference = np.where(known[:, None], first.mean - second.mean, 0)
    distance = (difference * np.linalg.solve(spread, difference[..., None])[..., 0]).sum(1)
    volume = np.linalg.slogdet(spread)[1] - np.linalg.slogdet(own)[1]
    return np.where(known, costs_of(distance, volume, spread.shape[1]), np.nan)
