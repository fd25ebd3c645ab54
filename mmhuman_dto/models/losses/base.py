"""What a loss of the criterion is."""
from torch import nn


class MatchedLoss(nn.Module):
    """A loss over :class:`Matched` pairs, queries or images; it names what it needs and nothing else has to know of it.

    ``forward(matched)`` returns ``(total, count)``: ``total`` is (L,), a value for each decoder layer, or a scalar for
    what the network gives once; ``count`` is what the criterion divides by after averaging it over the ranks.

    Args:
        weight: factor of the loss in the sum.
    """

    #: names of the predictions that it looks at, and of the targets: those of :class:`Targets` or fields of people
    predictions, targets = (), ()
    #: whether the loss is of the image, given once, and not of people
    once = False

    def __init__(self, weight=1.):
        super().__init__()
        self.weight = weight


class PersonLoss(MatchedLoss):
    """A loss of one prediction (the first of ``predictions``) against one target, mean over the people who have it.

    A child names them and says what a person's :meth:`error` is.
    """

    def forward(self, matched):
        prediction, target = self.predictions[0], self.targets[0]
        error = self.error(matched.pred(prediction), matched.target(target))
        return (error * matched.known(target)).sum(-1), matched.count(target)

    def error(self, pred, target):
        """Predictions and targets (L, M, ...) -> (L, M); finite also where the target is 0 because it is unknown."""
        raise NotImplementedError
