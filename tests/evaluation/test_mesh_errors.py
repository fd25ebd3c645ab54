"""AGORA's and 3DPW's errors on small bodies with errors that are known."""
import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.agora import agora_metrics, agora_record
from mmhuman_dto.evaluation.functional.bodies import Bodies, to_pixels
from mmhuman_dto.evaluation.functional.dpw import dpw_metrics, dpw_record

CAMERA = np.array([[500., 0, 320], [0, 500, 240], [0, 0, 1]])
RNG = np.random.default_rng(0)
JOINTS, VERTICES, H36M = (RNG.normal(size=(n, 3)) * .3 for n in (24, 40, 17))


def bodies(places, scale=1., heights=1.7, focal=500.):
    """People of one shape, ``scale`` times as large around the origin, at some places (N, 3)."""
    places = np.asarray(places, float).reshape(-1, 3)
    camera = CAMERA * [[focal / 500], [focal / 500], [1]]
    camera[:2, 2] = CAMERA[:2, 2]
    return Bodies(*(scale * points + places[:, None] for points in (JOINTS, VERTICES)),
                  np.full(len(places), heights), camera, scale * H36M + places[:, None])


TRUE = [(-2, 0, 5), (0, 0, 5), (2, 0, 5)]


def test_projection():
    np.testing.assert_allclose(to_pixels(np.array([1., -.5, 2]), CAMERA), [570, 115], atol=1e-3)


@pytest.mark.parametrize('parity', [False, True])
def test_agora_by_hand(parity):
    # Two of three people are found, everything 1.1 times as large; one false positive; the missed person and one found
    # are children.
    pred = bodies([TRUE[0], TRUE[1], (0, 0, 50)], scale=1.1)
    record = agora_record(pred, bodies(TRUE), [False, True, True], np.arange(0, 40, 2), parity=parity)
    pelvis = JOINTS[1:3].mean(0)
    mpjpe = 100 * np.linalg.norm(JOINTS - pelvis, axis=-1).mean()
    mve = 100 * np.linalg.norm(VERTICES[::2] - pelvis, axis=-1).mean()
    metrics = agora_metrics([record], parity)
    digits = dict(abs=.5 if parity else 1e-9)
    assert metrics['precision'] == metrics['recall'] == metrics['f1'] == pytest.approx(200 / 3, **digits)
    # Of the two children one was found; the prediction of nobody counts against them too.
    assert metrics['kid_precision'] == metrics['kid_recall'] == metrics['kid_f1'] == pytest.approx(50)
    if parity:
        assert (metrics['mpjpe'], metrics['mve']) == (round(mpjpe, 1), round(mve, 1))
        assert metrics['nmje'] == round(round(mpjpe, 1) / .67, 1)
        assert metrics['kid_nmve'] == round(round(mve, 1) / .5, 1)
    else:
        assert [metrics['mpjpe'], metrics['kid_mpjpe']] == pytest.approx([mpjpe, mpjpe])
        assert metrics['mve'] == pytest.approx(mve)
        assert metrics['nmje'] == pytest.approx(mpjpe * 1.5) and metrics['kid_nmve'] == pytest.approx(mve * 2)


@pytest.mark.parametrize('parity', [False, True])
def test_dpw_by_hand(parity):
    pred = bodies(TRUE[:2], scale=1.1, heights=1.65, focal=520.)
    empty = dpw_record(bodies([], focal=480.), bodies(TRUE[:1]), parity=parity)
    metrics = dpw_metrics([dpw_record(pred, bodies(TRUE), parity=parity), empty], parity)
    joints = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]
    expected = dict(
        precision=100, recall=50, f1=200 / 3, mpjpe=100 * np.linalg.norm(H36M[joints] - H36M[0], axis=-1).mean(),
        pa_mpjpe=0, mve=100 * np.linalg.norm(VERTICES - H36M[0], axis=-1).mean(), pa_mve=0, height_error=.05,
        focal_error=20, pred_focal_mean=500, pred_focal_std=20, gt_focal_mean=500, gt_focal_std=0)
    limit = .05 if parity else 1e-6
    assert metrics == pytest.approx(dict(expected, f1=67 if parity else 200 / 3), abs=limit)


def test_similarity_motions_are_taken_out():
    turn = np.array([[0., -1, 0], [1, 0, 0], [0, 0, 1]])
    pred = bodies(TRUE[:1])
    pred = pred._replace(h36m=pred.h36m @ turn.T, vertices=pred.vertices @ turn.T)
    metrics = dpw_metrics([dpw_record(pred, bodies(TRUE[:1]))])
    assert metrics['pa_mpjpe'] == pytest.approx(0, abs=1e-6) and metrics['mpjpe'] > 100
    assert metrics['pa_mve'] == pytest.approx(0, abs=1e-6) and metrics['mve'] > 100


def agora(pred, true, parity):
    kids = true.heights < 1.5
    return agora_record(pred, true, kids, slice(None), parity=parity)


def dpw(pred, true, parity):
    return dpw_record(pred, true, parity=parity)


@pytest.mark.parametrize('parity', [False, True])
@pytest.mark.parametrize('make, sum_up', [(agora, agora_metrics), (dpw, dpw_metrics)])
def test_nobody(make, sum_up, parity):
    nobody = bodies([])
    assert all(np.isnan(value) for value in sum_up([], parity).values())
    nothing = sum_up([make(nobody, nobody, parity)], parity)
    assert all(np.isnan(value) for name, value in nothing.items() if 'focal' not in name)
    lost, ghosts = make(nobody, bodies(TRUE), parity), make(bodies(TRUE), nobody, parity)
    metrics = sum_up([lost, ghosts], parity)
    assert metrics['precision'] == metrics['recall'] == metrics['f1'] == 0 and np.isnan(metrics['mpjpe'])
    if sum_up is agora_metrics:
        assert np.isnan(metrics['nmje'])


def crowd(seed):
    rng = np.random.default_rng(seed)
    true = bodies(np.stack([rng.uniform(-1, 1, 6), rng.uniform(-.5, .5, 6), rng.uniform(4, 6, 6)], -1),
                  heights=rng.uniform(1, 2, 6))
    rows = rng.permutation(6)[:5]
    pred = Bodies(true.joints[rows] + rng.normal(size=(5, 24, 3)) * .15, true.vertices[rows] + .1,
                  true.heights[rows], true.intrinsics, true.h36m[rows] + rng.normal(size=(5, 17, 3)) * .1)
    return pred, true


def shuffled(people, rng):
    order = rng.permutation(len(people.joints))
    return Bodies(*(getattr(people, name)[order] if name != 'intrinsics' else people.intrinsics
                    for name in people._fields))


@pytest.mark.parametrize('parity', [False, True])
@pytest.mark.parametrize('make, sum_up', [(agora, agora_metrics), (dpw, dpw_metrics)])
def test_order_of_people_and_images_does_not_matter(make, sum_up, parity):
    rng = np.random.default_rng(1)
    scenes = [crowd(seed) for seed in range(5)]
    plain = sum_up([make(*scene, parity) for scene in scenes], parity)
    mixed = sum_up([make(shuffled(pred, rng), shuffled(true, rng), parity) for pred, true in scenes[::-1]], parity)
    assert mixed == pytest.approx(plain)


def test_the_public_search_takes_the_nearest_pair_first():
    # The first prediction is nearer to the second person, the second to nobody else: together they fit the other way.
    pred, true = (bodies([(x, 0, 5) for x in places])._replace(heights=np.array([1., 2.]))
                  for places in ((.3, .75), (0, .4)))
    greedy, best = (dpw_metrics([dpw_record(pred, true, parity=parity)]) for parity in (True, False))
    assert greedy['recall'] == best['recall'] == 100
    assert greedy['height_error'] == pytest.approx(1) and best['height_error'] == 0
