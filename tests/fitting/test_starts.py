"""Where fits start from a lifting network."""
import torch
from fitted_people import upright

from mmhuman_dto.fitting.starts import LiftedStarts


def test_a_lifted_start_is_of_mean_shape_and_as_large_in_the_picture(fit, body_model):
    """Its height over its depth is the network's, and so is its pose."""
    lifted = upright(6, shape_std=2.)

    def heights(betas):
        return body_model.height(betas.float()).double()

    start = LiftedStarts(lambda *joints: lifted, heights)(torch.zeros(6, 17, 2).double(), None, None, 1)
    assert (start.betas == 0).all() and torch.equal(start.rotations, lifted.rotations)
    sizes = [heights(state.betas) / state.position[:, 2] for state in (start, lifted)]
    torch.testing.assert_close(*sizes, rtol=1e-5, atol=0)
    assert (heights(lifted.betas) - heights(start.betas)).abs().max() > .05
    torch.testing.assert_close(start.pelvis[:, :2], lifted.pelvis[:, :2])
