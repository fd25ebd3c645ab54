"""Videos placed in one call, with a body model: sizes, windows, and frames of one camera and people of one shape."""
import numpy as np
import pytest
import torch
from known_clip import moving_crowd

from mmhuman_dto.dto.temporal import ClipOptimizer, Steady, TemporalDTO
from mmhuman_dto.synthetic.samples import truth_sample

STILL = dict(needs_depth=False, terms=dict(depth=None, relief=None, initial=None))


@pytest.fixture(scope='module')
def crowd():
    return moving_crowd()


def initial(crowd, jitter=.03, focal=.05):
    """Frames' people with wrong distances, sizes and focal lengths, anew in every frame."""
    rng, samples = np.random.default_rng(0), []
    for t in range(len(crowd)):
        sample = truth_sample(crowd.frames[t], f'{t}')
        people, camera = sample.pred_instances, sample.pred_camera
        factor = np.exp(focal * rng.normal())
        people.track_ids = torch.as_tensor(crowd.track_ids(t)).long()
        people.betas = people.betas + .1 * torch.from_numpy(rng.normal(size=people.betas.shape)).float()
        people.transl = people.transl * torch.from_numpy(np.exp(jitter * rng.normal(size=(len(people), 1)))).float()
        people.transl[:, 2] *= factor
        del people.heights
        camera.intrinsics[0, 0] *= factor
        camera.intrinsics[1, 1] *= factor
        samples.append(sample)
    return samples


def steadied(crowd, **errors):
    steady, samples = Steady(crowd.body_model), initial(crowd, **errors)
    steady.add(samples)
    return samples, steady(samples)


def pelvises(samples, body_model):
    """(T, N, 3) by track id."""
    found = []
    for sample in samples:
        people = sample.pred_instances
        joints = body_model.skeleton(people.pose, people.betas, people.transl)[:, 0]
        found.append(joints[people.track_ids.argsort()])
    return torch.stack(found).double().numpy()


def test_frames_have_one_camera_and_people_one_shape_where_they_were_seen(crowd):
    before, after = steadied(crowd)
    focals = {float(sample.pred_camera.intrinsics[1, 1]) for sample in after}
    middle = np.median([float(sample.pred_camera.intrinsics[1, 1]) for sample in before])
    assert max(focals) - min(focals) < 1e-3 and min(focals) == pytest.approx(middle, rel=1e-4)
    betas = torch.stack([sample.pred_instances.betas for sample in after])
    assert float(betas.std(0).max()) < 1e-6
    model = crowd.body_model
    for one, other in zip(before, after):
        sizes = [model.height(sample.pred_instances.betas) * sample.pred_camera.intrinsics[1, 1]
                 / sample.pred_instances.transl[:, 2] for sample in (one, other)]
        assert torch.allclose(*sizes, rtol=.01)


def test_people_of_one_size_move_smoothly(crowd):
    _, samples = steadied(crowd, focal=0.)
    placed = list(ClipOptimizer(dict(still=dict(STILL, focal_std=0.)))(samples, crowd.times, crowd.body_model))
    heights = torch.stack([sample.pred_instances.heights for sample in placed])
    assert float((heights.max(0).values - heights.min(0).values).max()) < 1e-5
    truth = pelvises(list(_true(crowd)), crowd.body_model)
    error = [np.linalg.norm(np.diff(pelvises(some, crowd.body_model) - truth, 2, axis=0), axis=-1).mean()
             for some in (samples, placed)]
    assert error[1] < error[0] / 20 and error[1] * crowd.config.fps**2 < 2.


def _true(crowd):
    for t in range(len(crowd)):
        sample = truth_sample(crowd.frames[t], f'{t}')
        sample.pred_instances.track_ids = torch.as_tensor(crowd.track_ids(t)).long()
        yield sample


def test_windows_agree_with_the_whole_and_keep_one_height(crowd):
    _, samples = steadied(crowd, focal=0.)
    solver = TemporalDTO(dict(STILL, focal_std=0.))
    whole = list(ClipOptimizer(solver)(samples, crowd.times, crowd.body_model))
    parts = list(ClipOptimizer(solver, window=11, overlap=6)(samples, crowd.times, crowd.body_model))
    assert len(parts) == len(whole) == len(crowd)
    heights = torch.stack([sample.pred_instances.heights for sample in parts])
    assert float((heights.max(0).values - heights.min(0).values).max()) < 1e-5
    ratio = np.log(pelvises(parts, crowd.body_model)[..., 2] / pelvises(whole, crowd.body_model)[..., 2])
    assert np.abs(ratio).max() < .03


def test_the_world_of_known_cameras_may_lie_as_it_likes(crowd):
    _, samples = steadied(crowd, focal=0.)
    samples, times = samples[:8], crowd.times[:8]
    poses = crowd.clip.camera_poses[:8]
    poses = poses if torch.is_tensor(poses) else torch.as_tensor(poses)
    turned = torch.eye(4).double()
    turned[:3, :3] = torch.tensor([[1., 0, 0], [0, 0, -1], [0, 1, 0]])  # z up
    turned[:3, 3] = torch.tensor([3., -2, 5])
    found = [pelvises(list(ClipOptimizer(dict(still=dict(STILL, focal_std=0.)))(
        samples, times, crowd.body_model, world)), crowd.body_model) for world in (poses, poses @ turned)]
    assert np.abs(found[0] - found[1]).max() < 1e-4


def test_nobody_in_a_video_is_nobody_placed(crowd):
    samples = [sample for _, sample in zip(range(5), initial(crowd))]
    for sample in samples:
        sample.pred_instances = sample.pred_instances[:0]
    for window in (2, 10):
        placed = list(ClipOptimizer(dict(still=STILL), window=window)(samples, crowd.times[:5], crowd.body_model))
        assert [len(sample.pred_instances) for sample in placed] == [0] * 5
