import numpy as np
import pytest
from scripts import load_script

terms = load_script('tools/benchmark/fit_keypoint_terms.py')


def test_the_stated_deviation_is_scaled_to_the_errors():
    rng = np.random.default_rng(0)
    stated = rng.uniform(.03, .1, 20000)
    error = stated * (.7 * rng.standard_normal(20000) + .02)
    assert terms.size_share(error, stated) == pytest.approx(.7, rel=.02)


def test_hips_are_measured_towards_the_shoulders():
    rng = np.random.default_rng(2)
    true = rng.uniform(0, 100, (500, 17, 2))
    found, scores = true + rng.normal(0, .5, true.shape), np.full((500, 17), .9)
    found[:, 11:13] += .06 * (true[:, 5:7] - true[:, 11:13])
    found[:50, 11], scores[:50, 11] = 1e4, .1
    assert terms.hips_offset(found, scores, true) == pytest.approx(.06, abs=.005)
