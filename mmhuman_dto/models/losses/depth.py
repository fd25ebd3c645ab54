"""Losses of people's depths: absolute, between people, and by order (Metric-Aware HMR, arXiv 2511.13282)."""
import torch
from torch.nn.functional import pad, softplus

from mmhuman_dto.registry import MODELS

from .base import MatchedLoss


def pair_matrix(scene):
    """(M, M) bool: pairs i < j of the same scene (M), each unordered pair once."""
    same = scene[:, None] == scene[None]
    return same & torch.ones_like(same).triu(1)


@MODELS.register_module()
class InverseDepthLoss(MatchedLoss):
    """|1 / (f * z_norm) - 1 / z|, with the true focal f, predicted z_norm = z / f and true z in m, where z is known.

    People of images whose focal is unknown (nan) count 0.
    """

    predictions, targets = ('pred_depths', ), ('depths', 'focals')

    def forward(self, matched):
        pred, target = matched.pred('pred_depths'), matched.target('depths')
        focal = matched.targets.focals[matched.image.to(pred.device, non_blocking=True)]
        known = torch.isfinite(focal)
        error = (1 / (torch.where(known, focal, 1.) * pred[..., 1] + 1e-8) - 1 / (target[..., 0] + 1e-8)).abs()
        return torch.where(known & matched.known('depths'), error, 0.).sum(-1), matched.count('depths')


@MODELS.register_module()
class RelativeMetricLoss(MatchedLoss):
    """log(1 + |difference of the distances between two people in depth|), mean over pairs that are near in depth.

    Args:
        max_distance: pairs whose true depths differ by more (m) are left out.
    """

    predictions, targets = ('pred_depths', ), ('depths', )

    def __init__(self, weight=1., max_distance=1.):
        super().__init__(weight)
        self.max_distance = max_distance

    def forward(self, matched):
        pred, target = matched.pred('pred_depths'), matched.target('depths')
        known = matched.known('depths')
        pairs = pair_matrix(matched.scene).to(pred.device, non_blocking=True) & known[..., None] & known[..., None, :]
        gap_pred, gap = (z[..., 0, None] - z[..., None, :, 0] for z in (pred, target))
        used = pairs & (gap.abs() <= self.max_distance)
        return (torch.log1p((gap_pred - gap).abs()) * used).sum((-1, -2)), used.sum((-1, -2))


@MODELS.register_module()
class DepthOrderLoss(MatchedLoss):
    """Ordinal depth: people of a layer at one depth (|dz|), nearer layers nearer (softplus(z_near - z_far)).

    Layers are the annotated ``depth_layers`` (pairs with an unknown one, -1, are left out), or, in images without
    annotation, the true depths cut where the sorted ones jump.

    Args:
        layer_gap: jump in m that starts a new layer, where layers are made from depths.
    """

    predictions, targets = ('pred_depths', ), ('depths', 'depth_layers')

    def __init__(self, weight=1., layer_gap=.3):
        super().__init__(weight)
        self.layer_gap = layer_gap

    def forward(self, matched):
        z = matched.pred('pred_depths')[..., 0]
        layer, known = self._layers(matched)
        pairs = pair_matrix(matched.scene).to(z.device, non_blocking=True) & known[:, :, None] & known[:, None]
        gap = z[..., None] - z[..., None, :]
        order = layer[..., None] - layer[..., None, :]
        loss = torch.where(order == 0, gap.abs(), softplus(gap * -order.sign()))
        return (loss * pairs).sum((-1, -2)), pairs.sum((-1, -2))

    def _layers(self, matched):
        """Layer and whether it is known, (L, M) each."""
        depth, known = matched.target('depths')[..., 0], matched.known('depths')
        image = matched.scene.to(depth.device, non_blocking=True)
        # How many jumps lie below each person, among the people of the image.
        others = (image[:, None] == image[None]) & (depth[..., None, :] < depth[..., None]) & known[..., None, :]
        # An entry that is below everybody, for images without people.
        below = pad(torch.where(others, depth[..., None, :], -torch.inf), (1, 0), value=-torch.inf).amax(-1)
        jumps = others.any(-1) & (depth - below >= self.layer_gap)
        layer = (others & jumps[..., None, :]).sum(-1) + jumps
        annotated, given = matched.known('depth_layers'), matched.target('depth_layers')
        return torch.where(annotated, given, layer), torch.where(annotated, given >= 0, known)
