"""What windows told, against the same sums written out."""
import numpy as np
import torch

from mmhuman_dto.dto.temporal.belief import Belief


def belief_of_three(rng):
    belief = Belief()
    belief.scene, belief.track_ids = dict(focal=None, level=None), torch.tensor([4, 7, 9])
    belief.sites = np.zeros((3, 2))
    factor = rng.normal(size=(5, 5))
    belief.add(torch.tensor([4, 7, 9]), factor @ factor.T, rng.normal(size=5), np.array([[2., 1], [3, -1], [5, .5]]))
    return belief


def test_who_is_not_there_is_averaged_out_with_its_own_prior():
    belief = belief_of_three(np.random.default_rng(0))
    precision, pull = belief.given(torch.tensor([9, 4]))
    whole = belief.precision + np.diag([0, 0, 0, 3., 0])  # the prior of 7, who is away
    right = belief.pull + [0, 0, 0, -1., 0]
    here = [0, 1, 4, 2]
    covariance = np.linalg.inv(whole)
    np.testing.assert_allclose(np.linalg.inv(precision), covariance[np.ix_(here, here)], rtol=1e-9)
    np.testing.assert_allclose(np.linalg.solve(precision, pull), (covariance @ right)[here], rtol=1e-9)


def test_windows_add_up_and_the_last_sites_count():
    belief = belief_of_three(np.random.default_rng(1))
    before, pull = belief.precision.copy(), belief.pull.copy()
    belief.add(torch.tensor([7]), np.full((3, 3), 2.), np.array([1., 2, 3]), np.array([[9., 8.]]))
    more = np.zeros((5, 5))
    more[np.ix_([0, 1, 3], [0, 1, 3])] = 2
    np.testing.assert_allclose(belief.precision, before + more)
    np.testing.assert_allclose(belief.pull, pull + [1, 2, 0, 3, 0])
    assert belief.sites.tolist() == [[2, 1], [9, 8], [5, .5]]
