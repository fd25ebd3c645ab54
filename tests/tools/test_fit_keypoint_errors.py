"""The constants of a network's errors are found again in errors that have them."""
import numpy as np
import pytest
from scripts import load_script

from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors, detected

script = load_script('tools/benchmark/fit_keypoint_errors.py')


def test_constants_of_imitated_errors():
    rng = np.random.default_rng(0)
    true = rng.uniform(400, 1000, (3000, 17, 2))
    hidden = rng.random((3000, 17)) < .3
    errors = KeypointErrors(std=(.01, .1, 5.), person_spread=.2, wrong=(1., 3.), to_other_side=0., pixel_std=0.,
                            sides_swapped=0.,
                            visible_score=(1., .8), hidden_score=(-.4, 1.), hips_raised=(.05, 0.))
    keypoints, scores = detected(true, hidden, (1400, 1400), errors, rng)
    inside = np.ones_like(hidden)
    found = script.constants(script.Found(keypoints, scores, true, None, None, None, inside, ~hidden))
    score = np.array([.4, .6, .8])
    for name, curve in dict(std=lambda a, b, c: a + b * np.exp(-c * score),
                            wrong=lambda a, b: a * np.exp(-b * score)).items():
        assert curve(*found[name]) == pytest.approx(curve(*getattr(errors, name)), rel=.2)
    assert found['person_spread'] == pytest.approx(.2, abs=.1)
    assert found['visible_score'] == pytest.approx((1., .8), abs=.05)
    assert found['hidden_score'] == pytest.approx((-.4, 1.), abs=.05)
    assert np.isnan(found['outside_score']).all()
