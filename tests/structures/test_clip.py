import pytest
import torch

from mmhuman_dto.structures import Camera, Clip, HumanDataSample, People


def frame(numbers, z):
    sample = HumanDataSample(metainfo=dict(ori_shape=(480, 640)))
    transl = torch.tensor([[float(number), 0, z] for number in numbers]).reshape(-1, 3)
    sample.pred_instances = People(transl=transl, track_ids=torch.tensor(numbers, dtype=torch.int64))
    sample.pred_camera = Camera(intrinsics=torch.eye(3) * (1 + z))
    return sample


@pytest.fixture
def clip():
    return Clip.from_samples([frame([3, 1], 0.), frame([], 1.), frame([1], 2.)], [0, .04, .08], 'a')


def test_a_person_is_one_track_of_the_frames_it_is_in(clip):
    assert [track.track_id for track in clip.tracks] == [1, 3]
    assert clip.tracks[0].frames.tolist() == [0, 2]
    assert clip.tracks[0].people.transl.tolist() == [[1, 0, 0], [1, 0, 2]]
    assert clip.tracks[1].frames.tolist() == [0]
    assert len(clip) == 3 and clip.fps == pytest.approx(25) and clip.image_size == (480, 640)


def test_samples_of_a_clip_are_its_frames_in_the_order_of_the_tracks(clip):
    samples = list(clip.samples())
    assert [sample.pred_instances.track_ids.tolist() for sample in samples] == [[1, 3], [], [1]]
    assert samples[0].pred_instances.transl.tolist() == [[1, 0, 0], [3, 0, 0]]
    assert samples[2].pred_camera.intrinsics.tolist() == (3 * torch.eye(3)).tolist()
    again = Clip.from_samples(samples, clip.times, 'a')
    assert [track.frames.tolist() for track in again.tracks] == [[0, 2], [0]]


def test_two_people_of_one_number_in_a_frame_are_refused():
    with pytest.raises(ValueError, match=r'frame 1: two people of one number among track_ids \[2, 2\]'):
        Clip.from_samples([frame([1], 0.), frame([2, 2], 0.)], [0, .1])


def test_nobody_at_all_is_a_clip_without_tracks():
    clip = Clip.from_samples([frame([], 0.)], [0.])
    assert clip.tracks == [] and clip.fps == 30.
    sample, = clip.samples()
    assert len(sample.pred_instances) == 0
