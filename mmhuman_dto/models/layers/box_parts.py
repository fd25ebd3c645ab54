"""What an image's tokens hold at fixed places in a person's box."""
import torch
from torch import nn

from .packed_attention import Packing, packed_attention


class BoxParts(nn.Module):
    """Tokens read at a grid of places in each query's box, and put together in the order of the places.

    Attention finds people but tells hardly how their parts lie; a box cut into parts does (RoI pooling: Girshick,
    arXiv 1504.08083; with a decoder's boxes: Sun et al., arXiv 2011.12450), which poses have to be learned from.
    A place is a Gaussian over the tokens' centres: it works for tokens of several sizes, packed.

    Args:
        dims: channels of tokens and of the result.
        grid: (rows, columns) of places.
        hidden_dims: of the perceptron that puts them together.
    """

    #: std of a Gaussian, in units of the distance between places; the narrowest, in units of the image.
    _WIDTH, _NARROWEST = .6, .02

    def __init__(self, dims, grid=(8, 4), hidden_dims=256):
        super().__init__()
        y, x = ((torch.arange(n) + .5) / n - .5 for n in grid)
        self.register_buffer('places', torch.cartesian_prod(y, x).flip(-1), persistent=False)
        self.register_buffer('spacing', 1 / torch.tensor(grid).flip(0), persistent=False)
        self.join = nn.Sequential(nn.Linear(len(self.places) * dims, hidden_dims), nn.ReLU(),
                                  nn.Linear(hidden_dims, dims))

    def forward(self, boxes, memory, centers, packing):
        """What (B, Q, D) boxes (B, Q, 4) cx, cy, w, h hold of the tokens (T, D), packed, of all images.

        ``centers`` (T, 2) are x, y of the tokens, in the unit of the boxes.
        """
        parts = packed_attention(self._gaussians(boxes), _monomials(centers), memory[:, None],
                                 Packing([boxes.shape[1] * len(self.places)] * len(boxes)), packing, scale=1.)
        return self.join(parts.view(*boxes.shape[:2], -1))

    def _gaussians(self, boxes):
        """Coefficients (B Q P, 1, 4) of the logarithms of the Gaussians as polynomials of x and y, less a constant."""
        center, size = boxes[..., None, :2], boxes[..., None, 2:]
        precision = (self._WIDTH * self.spacing * size).clamp(min=self._NARROWEST)**-2
        mean = center + self.places * size
        return torch.cat([mean * precision, (-.5 * precision).expand_as(mean)], -1).flatten(0, 2)[:, None]


def _monomials(centers):
    return torch.cat([centers, centers**2], -1)[:, None]
