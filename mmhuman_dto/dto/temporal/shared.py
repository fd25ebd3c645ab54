"""Steps of what stays the same through a video."""
import numpy as np

from .equations import BlockMatrix, positive_inverse


def linearised(parts, point, covariance):
    """[(part, residuals (R), jacobian (R, m))] of :class:`~.parts.Part` at a point (n), targets and precisions being
    refitted; ``covariance`` (:class:`~.equations.BlockMatrix`): the present one, None in the first round."""
    lines = [(part, *part.linearise(point)) for part in parts]
    for part, residuals, jacobian in lines:
        part.update(residuals, None if covariance is None else covariance.variance(part.pairs, jacobian))
    return lines


def body_sites(bodies, point, covariance, count):
    """(precision, pull) (2, ``count``) of the log heights by :class:`~.parts.PeopleOfTerm` of all terms of bodies."""
    sites = np.zeros((2, count))
    for part, residuals, jacobian in linearised(bodies, point, covariance):
        sites = sites + np.stack([jacobian[:, 0]**2 * part.precision,
                                  jacobian[:, 0] * part.precision * (part.target - residuals)])
    return sites


def shared_step(variables, here, variance, precision, pull, sites):
    """Step (V + K) of scene variables and log heights at ``here``, and their covariance.

    Args:
        variables: :class:`~.variables.SharedVariables`.
        variance: (V + K) of the present posterior; None in the first round.
        precision, pull: (V + K, V + K) and (V + K), what all but priors ask. sites: of :func:`body_sites`.
    """
    scene = len(variables.scene)
    prior, prior_pull = variables.prior(here, variance)
    precision, pull = precision + np.diag(prior), pull + prior_pull
    precision[scene:, scene:] += np.diag(sites[0])
    pull[scene:] += sites[1]
    spread = positive_inverse(precision)
    return spread @ pull, spread


def settled(variables, bodies, precision, pull, rounds, tolerance=1e-6):
    """Scene variables and log heights (V + K) of a whole video, and their covariance.

    Args:
        variables: :class:`~.variables.SharedVariables` of the form that has no others.
        bodies: list of :class:`~.parts.PeopleOfTerm`.
        precision, pull: what all windows tell, at 0.
    """
    here, covariance = variables.start(), None
    for _ in range(rounds):
        sites = body_sites(bodies, here, covariance, len(variables.height))
        step, spread = shared_step(variables, here, None if covariance is None else covariance.diagonal(), precision,
                                   pull - precision @ here, sites)
        covariance = BlockMatrix(variables.form)
        covariance.corner[:] = spread
        here = here + step
        if np.abs(step).max(initial=0.) < tolerance:
            break
    return here, covariance.corner
