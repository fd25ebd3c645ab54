"""What a loss of the criterion is."""
from torch import nn


class MatchedLoss(nn.Module):
    """A loss over :class:`Matched` pairs, queries or images.

    ``forward(matched)`` returns ``(total, count)``: ``total`` is (L,), a value for each decoder layer, or a scalar for
    what the network gives once; ``count`` is what the criterion divides by after averaging it over the ranks.

    Args:
        weight: factor of the loss in the sum.
    """

    #: whether the loss is of the image, given once, and not of people
    once = False

    def __init__(self, weight=1.):
        super().__init__()
        self.weight = weight
