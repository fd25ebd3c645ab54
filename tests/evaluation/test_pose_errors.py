import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.pose import detection_scores, mpjpe, pa_mpjpe


def test_known_errors():
    true = np.random.default_rng(0).normal(size=(2, 24, 3))
    off = true + np.array([.03, .04, 0])
    np.testing.assert_allclose(mpjpe(off, true), [50, 50])
    np.testing.assert_allclose(pa_mpjpe(1.7 * off, true), [0, 0], atol=1e-9)
    off[1, 5] += [.24, 0, 0]
    assert pa_mpjpe(off, true)[0] < 1e-9 < 5 < pa_mpjpe(off, true)[1] <= mpjpe(off, true)[1]


def test_detection_by_hand():
    assert detection_scores(3, 4, 6) == pytest.approx(dict(precision=75., recall=50., f1=60.))
    assert np.isnan(detection_scores(0, 0, 5)['precision']) and detection_scores(0, 0, 5)['f1'] == 0
