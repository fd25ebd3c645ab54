"""Shapes of a body model by height alone."""
import numpy as np
import torch

#: Heights are looked up along the first shape coefficient, in its standard deviations, and along the blend to a child.
_STATURES, _BLENDS = np.linspace(-5, 5, 201), np.linspace(0, 1, 101)
#: Adults have a first coefficient of this or more; whoever is smaller is a child where a body model knows children.
_SHORTEST = -3.


class HeightShapes:
    """Shapes of a body model by height: its mean shape, made taller or shorter by the first coefficient alone, and for
    those shorter than an adult (or a child, where it is said) by the blend to a child.

    Args:
        body_model: :class:`BodyModel` in whose betas the first is stature, as in SMPL, SMPL-X and OpenBody.
    """

    def __init__(self, body_model):
        self.size, self.child = body_model.num_betas, body_model.child_coefficient
        self.adults = self._heights(body_model, 0, _STATURES)
        self.children = None if self.child is None else self._heights(body_model, self.child, _BLENDS)

    def __call__(self, heights, is_child):
        """Heights (N), m, and who is a child (N) bool -> betas (N, B) of bodies of these heights, or the nearest."""
        betas = torch.zeros(len(heights), self.size)
        heights, is_child = heights.detach().cpu().numpy(), is_child.cpu().numpy()
        if self.child is not None:
            shortest = np.interp(_SHORTEST, _STATURES, self.adults[0])
            by_blend = is_child & (heights < self.children[0].max()) | (heights < shortest)
            betas[:, self.child] = torch.as_tensor(np.where(by_blend, _inverse(heights, *self.children), 0)).float()
        else:
            by_blend = np.zeros(len(heights), bool)
        betas[:, 0] = torch.as_tensor(np.where(by_blend, 0, _inverse(heights, *self.adults))).float()
        return betas

    def _heights(self, body_model, coefficient, values):
        betas = torch.zeros(len(values), body_model.num_betas)
        betas[:, coefficient] = torch.as_tensor(values)
        return body_model.height(betas).numpy(), values


def _inverse(heights, known, values):
    order = np.argsort(known)
    return np.interp(heights, known[order], values[order])
