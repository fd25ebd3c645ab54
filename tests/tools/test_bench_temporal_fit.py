"""The benchmark of poses through time: its people, its smoothers and its rows."""
import json

import numpy as np
import pytest
import torch
from scripts import load_script

from mmhuman_dto.registry import SOURCES

bench = load_script('tools/benchmark/bench_temporal_fit.py')
people, smoothers = (load_script(f'tools/benchmark/{name}.py') for name in ('_moving_joints', '_smoothers'))


@pytest.fixture(scope='module')
def fit():
    torch.set_num_threads(1)
    return SOURCES.build(dict(type='KeypointFitMeshes', lifter='openbody_coco17', device='cpu')).fit


@pytest.fixture(scope='module')
def crowd(fit):
    return list(people.crowd_people(fit, 1, .6, 900))


def test_people_are_seen_where_they_are(crowd):
    """Errors of joints that are seen are small, and last; the truth has no error."""
    for person in crowd:
        pixels = person.joints[..., :2] / person.joints[..., 2:] * person.track.intrinsics[0, 0, 0].item()
        pixels = pixels + person.track.intrinsics[0, :2, 2].numpy()
        away = person.track.keypoints.numpy() - pixels
        size = np.ptp(pixels, axis=1).max()
        assert np.median(np.linalg.norm(away, axis=-1)[person.track.scores.numpy() > .7]) < .05 * size
    found = bench.measured(crowd, [person.joints for person in crowd])
    assert all(found[name] == pytest.approx(0, abs=1e-6) for name in ('pa_mpjpe', 'mpjpe', 'acceleration', 'place'))
    moved = bench.measured(crowd, [person.joints + [0, 0, .5] for person in crowd])
    assert moved['place'] == pytest.approx(.5) and moved['mpjpe'] == pytest.approx(0, abs=1e-6)


def test_who_is_unseen_is_measured_there(crowd):
    person = crowd[0].unseen(('knee', 'ankle'), .2)
    hidden = (person.track.scores[:, 13:] == 0).all(1).numpy()
    assert 5 <= person.counted.sum() <= 8 and hidden[person.counted].all()
    assert torch.equal(person.track.scores[:, :13], crowd[0].track.scores[:, :13])
    assert crowd[0].unseen((), 1.) is None


def test_real_clip():
    clip = list(people.clip_people('movenet'))
    assert [len(person.joints) for person in clip] == [25] * 5 and sum(person.counted.sum() for person in clip) > 110
    assert clip[0].track.times[1] - clip[0].track.times[0] == pytest.approx(1 / 15)


def test_smoothers_calm_joints():
    """Both; the filter is late and the smoother is not."""
    rng, times = np.random.default_rng(0), np.arange(60) / 30
    true = np.stack([.3 * np.sin(4 * times + phase) for phase in range(6)], 1).reshape(60, 2, 3) + [0, 0, 5]
    noisy = true + .05 * rng.normal(size=true.shape)
    both = smoothers.Smoothers([(times, noisy, true)])
    for method in (both.filter, both.smooth):
        assert np.abs(method(times, noisy) - true).mean() < .9 * np.abs(noisy - true).mean()
    step = np.repeat([0., 1.], 30)[:, None, None] * np.ones((1, 3))
    assert smoothers.one_euro(times, step, 1., 0.)[31, 0, 0] < .5


def test_rows(fit, crowd):
    """Each way has its figures; through time is smoother than frame by frame."""
    rows = bench.compared(fit, smoothers.Smoothers([(person.track.times.numpy(), person.joints, person.joints)
                                                    for person in crowd[:1]]), crowd[:1], [0])
    assert list(rows) == ['truth', 'frame by frame', 'One Euro filter', 'Kalman smoother', 'live, 0 frames late',
                          'through time', 'again at true depths']
    assert rows['through time']['jitter'] < .2 * rows['frame by frame']['jitter']
    assert rows['again at true depths']['place'] < .5 * rows['through time']['place']
    assert json.dumps(rows)


def test_motion_of_crowds(fit, capsys):
    bench.print_motion(fit, bench.parse_args(['--quick', '--motion']))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 25 and lines[4].split()[0] == 'left_knee' and float(lines[4].split()[3]) > 5
