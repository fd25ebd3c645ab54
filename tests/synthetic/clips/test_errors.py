import numpy as np
import pytest

from mmhuman_dto.structures import Clip
from mmhuman_dto.synthetic import DisparityErrors, InitialErrors, NetworkErrors
from mmhuman_dto.synthetic.clips import ClipErrors, Parts, clip_samples
from mmhuman_dto.synthetic.clips.errors import ClipNoise, Drift
from mmhuman_dto.synthetic.corruption import rest_roots


def drifts(parts, keep=.9, people=400, frames=60):
    drift, values = Drift(parts, keep, (people, ), np.random.default_rng(0)), []
    for _ in range(frames):
        values.append(drift())
        drift.step()
    return np.array(values)


@pytest.mark.parametrize('parts', [Parts(1, 0, 0), Parts(0, 1, 0), Parts(0, 0, 1), Parts(.5, .3, .2)])
def test_parts_add_up_and_last_as_long_as_stated(parts):
    values = drifts(parts)
    assert np.isclose(values.var(), 1, atol=.12)
    for lag in (1, 5, 20):
        want = parts.staying + parts.drifting * .9**lag
        assert np.isclose((values[lag:] * values[:-lag]).mean(), want, atol=.12)
    if parts.staying == 1:
        assert np.ptp(values, axis=0).max() == 0


def test_parts_that_are_no_shares_are_refused():
    with pytest.raises(ValueError, match='add up to 1'):
        Parts(.5, .5, .5)
    with pytest.raises(ValueError, match='add up to 1'):
        Parts(-.5, 1, .5)


def test_the_time_constant_is_in_seconds():
    assert np.isclose(ClipNoise([0], 1, ClipErrors(seconds=2.), 30).keep**60, np.exp(-1))
    assert ClipNoise([0], 1, ClipErrors(seconds=0.), 30).keep == 0


def depth_errors(crowd, pictures, errors, seed=0):
    """{person: logarithms of what the map says over the truth, a frame}."""
    logs = {}
    for t, sample in enumerate(clip_samples(crowd, pictures, errors, seed)):
        disparity, ids = sample.pred_maps.disparity.numpy(), sample.pred_maps.id_map.numpy()
        for i, number in enumerate(sample.pred_instances.track_ids.tolist()):
            mine = ids == i + 1
            if mine.sum() > 10:
                logs.setdefault(number, []).append(np.log(np.mean(disparity[mine] * pictures[t].depth[mine]) / 900))
    return logs


@pytest.fixture(scope='module')
def pictures(crowd, renderer):
    return [crowd.picture(t, renderer, image=False) for t in range(40)]


def test_a_staying_depth_error_is_the_same_in_every_frame(crowd, pictures):
    network = NetworkErrors(InitialErrors.none(), DisparityErrors(900., 0, 0, .06, 0, 0, 0, 0))
    staying = depth_errors(crowd, pictures, ClipErrors(network, depth=Parts(1, 0, 0)))
    fresh = depth_errors(crowd, pictures, ClipErrors.frame_by_frame(network=network))
    assert len(staying) > 1 and set(staying) == set(fresh)
    for number in staying:
        assert np.std(staying[number]) < 1e-4 and .03 < np.std(fresh[number]) < .1
    assert len({round(values[0], 4) for values in staying.values()}) == len(staying)


def test_without_errors_samples_are_the_truth(crowd, pictures, body_model):
    network = NetworkErrors(InitialErrors.none(), DisparityErrors.none())
    for t, sample in enumerate(clip_samples(crowd, pictures[:3], ClipErrors(network))):
        people, scene = sample.pred_instances, crowd.frames[t]
        assert people.track_ids.tolist() == crowd.track_ids(t).tolist()
        assert np.abs(people.transl.numpy() - scene.transl).max() < 1e-3
        roots = people.transl.numpy() + rest_roots(people.betas, body_model)
        assert np.abs(roots - scene.joints[:, 0]).max() < 1e-3


def test_samples_make_a_clip_and_the_same_seed_the_same_one(crowd, pictures):
    first, second, other = (list(clip_samples(crowd, pictures[:4], seed=seed)) for seed in (0, 0, 1))
    for a, b, c in zip(first, second, other):
        assert a.pred_maps.disparity.equal(b.pred_maps.disparity) and a.pred_instances.transl.equal(
            b.pred_instances.transl)
        assert not a.pred_instances.transl.equal(c.pred_instances.transl)
    clip = Clip.from_samples(first, crowd.times[:4])
    assert [track.track_id for track in clip.tracks] == sorted({*np.concatenate([crowd.track_ids(t)
                                                                                 for t in range(4)]).tolist()})
