import numpy as np
import pytest
from known_clip import COUNT, FPS, SIZE, inferencer

from mmhuman_dto.apis.video import live as live_module
from mmhuman_dto.apis.video.live import LivePeople


@pytest.mark.parametrize('lag', [0, 3])
def test_frames_as_they_come_are_placed_near_the_truth(files, crowd, lag):
    live, image = LivePeople(inferencer(files, crowd), lag), np.zeros((*SIZE, 3), np.uint8)
    samples = [live.add(t / FPS, image) for t in range(COUNT)]
    assert all(sample is None for sample in samples[:lag]) and samples[lag] is not None
    truth = {track.track_id: track for track in crowd.clip.tracks}
    last = samples[-1].pred_instances
    assert sorted(last.track_ids.tolist()) == [0, 1]
    true = np.stack([track.people.transl[COUNT - 1 - lag].numpy() for track in truth.values()])
    for person in last.transl.numpy():
        rays = np.abs(true[:, 0] / true[:, 2] - person[0] / person[2])
        assert np.linalg.norm(true[rays.argmin()] - person) < .15 * true[rays.argmin(), 2]
    heights = np.array([sample.pred_instances.heights.numpy() for sample in samples[-5:]])
    assert np.ptp(heights, axis=0).max() < .1


def test_nobody_is_a_frame_without_people(files, crowd):
    live, image = LivePeople(inferencer(files, crowd, nobody=[*range(COUNT)])), np.zeros((*SIZE, 3), np.uint8)
    assert [len(live.add(t / FPS, image).pred_instances) for t in range(4)] == [0] * 4


def test_older_frames_are_let_go_of(files, crowd, monkeypatch):
    monkeypatch.setattr(live_module, 'LEAST', 4)
    monkeypatch.setattr(live_module, 'MOST', 8)
    live, image = LivePeople(inferencer(files, crowd)), np.zeros((*SIZE, 3), np.uint8)
    for t in range(20):
        live.add(t / FPS, image)
        assert len(live.window) <= 8
    assert live.belief.track_ids.tolist() == [0, 1] and np.diag(live.belief.precision).max() > 0
