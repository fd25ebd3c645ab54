"""Videos play as fast as their frames were seen, and are whole or not there."""
import resource

import numpy as np
import pytest
from video_files import SIZE, number_of, numbered

from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.fileio.video_writer import CODECS, VideoWriter


def shown(path):
    return [number_of(image) for _, _, image in VideoReader(path).frames()]


@pytest.mark.parametrize('codec', CODECS)
@pytest.mark.parametrize('fps', [30, 29.97, 9.9338, .5])
def test_even_frames_are_written_as_they_come(tmp_path, codec, fps):
    path = tmp_path / 'deep/a.mp4'
    with VideoWriter(path, fps, codec) as video:
        for number in range(12):
            video.add(numbered(number), 5 + number / fps)
    read = VideoReader(path)
    assert shown(path) == list(range(12)) and read.fps == pytest.approx(fps, abs=.005)
    np.testing.assert_allclose(read.times, np.arange(12) / fps, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(read[3][36:44, 4:24].mean((0, 1)), (220, 20, 20), atol=14)
    assert [item.name for item in path.parent.iterdir()] == ['a.mp4']


def test_uneven_frames_are_repeated_or_left_out_by_their_times(tmp_path):
    path = tmp_path / 'a.mp4'
    with VideoWriter(path, 10) as video:
        for number, time in enumerate([2, 2.1, 2.12, 2.14, 2.3, 2.4, 2.9]):
            video.add(numbered(number), time)
    # At .2 s the newest there is; frame 2 is never on screen.
    assert shown(path) == [0, 1, 3, 4, 5, 5, 5, 5, 5, 6] and video.count == 10


def test_fast_cameras_play_at_their_speed(tmp_path):
    with VideoWriter(tmp_path / 'a.mp4', 240) as video:
        for number in range(240):
            video.add(numbered(number), number / 240)
    read = VideoReader(tmp_path / 'a.mp4')
    assert read.fps == 120 and read.duration == pytest.approx(1, abs=.01)


def test_sides_of_odd_length_get_a_pixel(tmp_path):
    path = tmp_path / 'a.mp4'
    with VideoWriter(path, 30) as video:
        for number in range(3):
            video.add(numbered(number)[:47, :159], number / 30)
        with pytest.raises(ValueError, match=r'a\.mp4: a frame of \(48, 160\) px in a video of \(47, 159\) px'):
            video.add(numbered(3), .1)
    assert VideoReader(path).size == SIZE and shown(path) == [0, 1, 2]


def test_a_video_that_breaks_off_leaves_what_was_there(tmp_path):
    path = tmp_path / 'a.mp4'
    path.write_text('old')
    with pytest.raises(KeyError), VideoWriter(path, 30) as video:
        video.add(numbered(0), 0)
        raise KeyError
    with VideoWriter(tmp_path / 'none.mp4', 30):
        pass
    assert path.read_text() == 'old' and [item.name for item in tmp_path.iterdir()] == ['a.mp4']


def test_a_disk_that_is_full_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    video = VideoWriter(tmp_path / 'a.mp4', 30)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        for number in range(30):
            video.add(np.roll(noise, number), number / 30)
        with pytest.raises(OSError, match=r'a\.mp4: cannot be written \(the video is not whole\); [0-9.]+ MB are free'):
            video.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_the_same_frames_make_the_same_file(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        with VideoWriter(tmp_path / name, 30) as video:
            for number in range(5):
                video.add(numbered(number), number / 30)
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


def test_what_cannot_be_written_is_told_before(tmp_path):
    for name, fps, codec, reason in (('a.avi', 30, 'mp4v', r'a\.avi: videos are written as \.mp4'),
                                     ('a.mp4', 30, 'h264', "codec 'h264': known are mp4v, vp09"),
                                     ('a.mp4', 0, 'mp4v', 'a.mp4: 0 frames a second'),
                                     ('a.mp4', np.nan, 'mp4v', 'nan frames')):
        with pytest.raises(ValueError, match=reason):
            VideoWriter(tmp_path / name, fps, codec)
    with pytest.raises(OSError, match=r'a\.mp4: cannot be written \(no mp4v video of 70000 x 2 px'):
        VideoWriter(tmp_path / 'a.mp4', 30).add(np.zeros((2, 70000, 3), np.uint8), 0)
    assert not list(tmp_path.iterdir())
