"""Losses of what a network states of its own errors: how likely the truth is in normal distributions around answers."""
import torch

from mmhuman_dto.registry import MODELS

from .base import MatchedLoss

#: Errors beyond so many standard deviations count linearly: a few outliers would else make every statement wide.
_LINEAR = 4.


def unlikelihood(error, std):
    """Minus the logarithm of a normal density, without its constant, of errors with standard deviations of a shape."""
    score = (error / std).abs()
    return torch.where(score < _LINEAR, score**2 / 2, _LINEAR * score - _LINEAR**2 / 2) + std.log()


class StatedLoss(MatchedLoss):
    """:func:`unlikelihood` of the error of a logarithm, mean over people who have the targets.

    A child says what the :meth:`error` is; the last of ``predictions`` is its standard deviation.
    """

    def forward(self, matched):
        known = torch.stack([matched.known(name) for name in self.targets]).all(0)
        loss = unlikelihood(self.error(matched), matched.pred(self.predictions[-1]))
        return torch.where(known, loss, 0.).sum(-1), known.sum(-1)

    def error(self, matched):
        """(L, M) predicted minus true logarithm; anything where it is unknown."""
        raise NotImplementedError


@MODELS.register_module()
class StatedDepthLoss(StatedLoss):
    """Of the pelvis' depth."""

    predictions, targets = ('pred_depths', 'pred_log_depth_std'), ('depths', )

    def error(self, matched):
        return _log_ratio(matched.pred('pred_depths')[..., 0], matched.target('depths')[..., 0])


@MODELS.register_module()
class StatedHeightLoss(StatedLoss):
    """Of the rest-pose height."""

    predictions, targets = ('pred_heights', 'pred_log_height_std'), ('heights', )

    def error(self, matched):
        return _log_ratio(matched.pred('pred_heights'), matched.target('heights'))


@MODELS.register_module()
class StatedSizeLoss(StatedLoss):
    """Of height over depth, which a picture tells better than either."""

    predictions, targets = ('pred_heights', 'pred_depths', 'pred_log_size_std'), ('heights', 'depths')

    def error(self, matched):
        return _log_ratio(matched.pred('pred_heights'), matched.target('heights')) - _log_ratio(
            matched.pred('pred_depths')[..., 0], matched.target('depths')[..., 0])


@MODELS.register_module()
class StatedJointsLoss(MatchedLoss):
    """Of each 3D joint around the pelvis, m, mean over joints; the joints themselves learn nothing from it."""

    predictions, targets = ('pred_j3ds', 'pred_joint_stds'), ('j3ds', )

    def forward(self, matched):
        pred, true = (joints - joints[..., :1, :] for joints in (matched.pred('pred_j3ds'), matched.target('j3ds')))
        loss = unlikelihood(pred.detach() - true, matched.pred('pred_joint_stds')[..., None])
        loss = (loss * matched.target('j3ds_mask')).mean((-1, -2))
        return (loss * matched.known('j3ds')).sum(-1), matched.count('j3ds')


def _log_ratio(pred, true):
    return pred.clamp(min=1e-6).log() - true.clamp(min=1e-6).log()
