import numpy as np
import pytest
from scripts import load_script

terms = load_script('tools/benchmark/fit_keypoint_terms.py')


def test_the_stated_deviation_is_scaled_to_the_errors():
    rng = np.random.default_rng(0)
    stated = rng.uniform(.03, .1, 20000)
    error = stated * (.7 * rng.standard_normal(20000) + .02)
    assert terms.size_share(error, stated) == pytest.approx(.7, rel=.02)


def test_the_line_is_the_one_that_children_were_drawn_by_whatever_their_share():
    """Gains of children and adults are normal with means 1 and -1 and std s: the log ratio is 2 gain / s^2."""
    rng = np.random.default_rng(1)
    for children in (4000, 20000):
        gain = np.concatenate([rng.normal(1, 1.5, children), rng.normal(-1, 1.5, 20000)])
        slope, offset = terms.child_line(gain + .3, np.arange(len(gain)) < children)
        assert slope == pytest.approx(2 / 1.5**2, rel=.05) and offset == pytest.approx(-.3 * slope, abs=.05)


def test_hips_are_measured_towards_the_shoulders():
    rng = np.random.default_rng(2)
    true = rng.uniform(0, 100, (500, 17, 2))
    found, scores = true + rng.normal(0, .5, true.shape), np.full((500, 17), .9)
    found[:, 11:13] += .06 * (true[:, 5:7] - true[:, 11:13])
    found[:50, 11], scores[:50, 11] = 1e4, .1
    assert terms.hips_offset(found, scores, true) == pytest.approx(.06, abs=.005)
