"""Mixtures of normals as sites: expectation propagation (Minka, 2001)."""
import torch

from .base import Site

#: A site never gets less precise than this part of what it was compared with.
MIN_PRECISION = 1e-3


def mixture_site(mean, variance, site, mixture, damping, worth=1.):
    """The :class:`Site` (S, P) of the next round for residuals that a mixture of normals is known of.

    Args:
        mean, variance, site: as :meth:`Term.update` gets them.
        mixture: weights, means, stds (S, P, K).
        damping: part of the way a site moves in a round.
        worth: (S, P) how much of a site the posterior has, see :meth:`Term.worth`.
    """
    if site is None:
        return Site(*project_mixture(Site(mean, torch.zeros_like(mean)), *mixture))
    precision = (1 / variance - worth * site.precision).clamp(min=0)
    cavity = Site((mean / variance - site.target * worth * site.precision) / precision.clamp(min=1e-9), precision)
    found = project_mixture(cavity, *mixture)
    natural = torch.lerp(site.target * site.precision, found.target * found.precision, damping)
    precision = torch.lerp(site.precision, found.precision, damping)
    return Site(natural / precision, precision)


def project_mixture(cavity, weights, means, stds):
    """The :class:`Site` (S, P), of positive precision, that gives cavity times mixture its mean and variance.

    The cavity (S, P) is what all else says, precision 0 knows nothing; the mixture has K normal components (S, P, K).
    """
    mean, precision = cavity.target[..., None], cavity.precision[..., None]
    # Everything over the precision-weighted sum, so that an unknowing cavity needs no infinity.
    spread = 1 + precision * stds.square()
    evidence = weights.log() - .5 * (precision * (means - mean).square() / spread + spread.log())
    share = evidence.softmax(-1)
    means, variances = (means + mean * (spread - 1)) / spread, stds.square() / spread
    tilted = (share * means).sum(-1)
    variance = (share * (variances + (means - tilted[..., None]).square())).sum(-1)
    least = MIN_PRECISION / variance
    site = torch.maximum(1 / variance - cavity.precision, least)
    return Site((tilted / variance - cavity.target * cavity.precision) / site, site)
