import numpy as np
import pytest
from scripts import load_script


def test_constants_are_those_that_errors_were_drawn_with():
    """Predictions made of the truth with known errors: focal length, distances of scenes and people, sizes, heights."""
    rng, records = np.random.default_rng(0), []
    for _ in range(3000):
        n = rng.integers(1, 6)
        heights, roots = 1.715 * np.exp(rng.normal(0, .2, n)), rng.uniform(2, 6, (n, 1, 3))
        shown = 1.715 * (heights / 1.715)**.6 * np.exp(rng.normal(0, .05, n))
        focal, size = rng.normal(0, .1), rng.normal(0, .08, n)
        # Seen through its own focal length, a body is as large as it is tall over how far it is.
        log_scale = np.log(heights / shown) - size
        records.append(dict(
            fov_true=1., fov_pred=2 * np.arctan(np.tan(.5) * np.exp(focal)), heights_true=heights, heights_pred=shown,
            joints_true=roots, joints_pred=roots * np.exp(-focal - log_scale)[:, None, None]))
    found = dict(load_script('tools/benchmark/fit_network_terms.py').constants(records))
    assert found['focal_std'] == pytest.approx(.1, rel=.05) and found['size_std'] == pytest.approx(.08, rel=.05)
    assert found['InitialTerm.share'] == pytest.approx(.6, abs=.02)
    assert found['InitialTerm.std'] == pytest.approx(.05, rel=.05)


def test_errors_of_scenes_are_told_from_those_of_people():
    rng, records = np.random.default_rng(1), []
    for _ in range(3000):
        n = rng.integers(2, 6)
        heights, roots = np.full(n, 1.8), rng.uniform(2, 6, (n, 1, 3))
        scale = np.exp(rng.normal(0, .15) + rng.normal(0, .08, n))
        records.append(dict(fov_true=1., fov_pred=1., heights_true=heights, heights_pred=heights,
                            joints_true=roots * scale[:, None, None], joints_pred=roots))
    found = dict(load_script('tools/benchmark/fit_network_terms.py').constants(records))
    assert found['TranslationTerm.std'] == pytest.approx(.08, rel=.05)
    assert found['TranslationTerm.bias_std'] == pytest.approx(.15, rel=.05)
