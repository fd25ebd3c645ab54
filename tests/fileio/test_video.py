"""Videos are read upright, with the times of their frames, from any frame on, to their end wherever that is."""
import logging

import cv2
import numpy as np
import pytest
from video_files import SIZE, cut, index_first, number_of, set_times, ticks_a_second, turn, write_video

from mmhuman_dto.fileio import video as module
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.video import VideoReader, open_camera


@pytest.fixture(scope='module', params=['clip.mp4', 'clip.mkv', 'clip.avi', 'clip.mpg', 'clip.webm'])
def clip(request, tmp_path_factory):
    """300 frames, 25 a second."""
    path = tmp_path_factory.mktemp('videos') / request.param
    write_video(path, 300, 25, 'vp09' if path.suffix == '.webm' else None)
    return path


@pytest.fixture(scope='module')
def uneven(tmp_path_factory):
    """(MP4, times of its 300 frames, s): 10 to 40 ms apart, and once 2 s."""
    path = tmp_path_factory.mktemp('videos') / 'uneven.mp4'
    write_video(path, 300)
    second = ticks_a_second(path)
    ticks = (np.random.default_rng(0).uniform(.01, .04, 300) * second).round().astype(int)
    ticks[120] = 2 * second
    set_times(path, ticks)
    return path, np.concatenate([[0], ticks.cumsum()[:-1]]) / second


def numbers(frames):
    return [number_of(image) for _, _, image in frames]


def test_all_frames_come_in_order_with_their_times(clip):
    video = VideoReader(clip)
    assert video.size == SIZE and video.fps == pytest.approx(25)
    frames = list(video.frames())
    assert [number for number, _, _ in frames] == numbers(frames) == list(range(300))
    # Matroska counts in ms.
    np.testing.assert_allclose([time for _, time, _ in frames], np.arange(300) / 25, atol=.00051)
    np.testing.assert_allclose(video.times, np.arange(300) / 25, atol=.00051)
    assert not video.ended_early and video.num_frames == pytest.approx(300, rel=.1)
    np.testing.assert_allclose(frames[7][2][36:44, 4:24].mean((0, 1)), (220, 20, 20), atol=14)


def test_frames_from_one_on_and_in_any_order(clip):
    video = VideoReader(clip)
    for start in (0, 1, 59, 61, 200, 299, 300, 1000):
        assert numbers(video.frames(start)) == list(range(start, 300))
    for number in (0, 1, 250, 3, 70, 131, 299, 132, 0):
        assert number_of(video[number]) == number
    for number in (300, 5000, -1):
        with pytest.raises(ImageError, match=f'{clip.name}: has no frame {number} that can be read'):
            video[number]


def test_uneven_frames_have_their_own_times_and_are_found_exactly(uneven):
    path, times = uneven
    video = VideoReader(path)
    np.testing.assert_allclose(video.times, times, atol=1e-6)
    np.testing.assert_allclose([time for _, time, _ in video.frames()], times, atol=1e-6)
    for number in np.random.default_rng(1).permutation(300)[:25]:
        assert number_of(video[number]) == number
        start, time, image = next(video.frames(number, times[number]))
        assert (start, number_of(image)) == (number, number) and time == pytest.approx(times[number], abs=1e-6)
    assert numbers(video.frames(150, 1.)) == list(range(150, 300))  # a time that is another frame's, or nobody's


def test_a_jump_decodes_little_of_a_long_file(tmp_path, monkeypatch):
    path = tmp_path / 'long.mp4'
    write_video(path, 1000)
    video, grabbed = VideoReader(path), []
    assert len(video.times) == 1000

    class Counting:
        def __init__(self, capture):
            self.capture = capture

        def grab(self):
            grabbed.append(1)
            return self.capture.grab()

        def __getattr__(self, name):
            return getattr(self.capture, name)

    opened = module._opened
    monkeypatch.setattr(module, '_opened', lambda *args: Counting(opened(*args)))
    assert number_of(video[900]) == 900 and 0 < len(grabbed) <= 40
    assert number_of(video[901]) == 901 and len(grabbed) <= 41


@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_what_phones_write_turned_is_upright(tmp_path, degrees):
    path = tmp_path / 'phone.mp4'
    write_video(path, 3)
    turn(path, degrees)
    video = VideoReader(path)
    image = video[1]
    assert video.size == image.shape[:2] == (SIZE if degrees == 180 else SIZE[::-1])
    assert number_of(np.rot90(image, degrees // 90)) == 1  # turned clockwise, it is turned back


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.avi'])
def test_a_file_that_ends_early_gives_what_there_is_and_says_so_once(tmp_path, caplog, name):
    path = tmp_path / name
    write_video(path, 150)
    if path.suffix == '.mp4':
        index_first(path)
        assert numbers(VideoReader(path).frames()) == list(range(150))
    cut(path, .6)
    video = VideoReader(path)
    with caplog.at_level(logging.WARNING):
        found = numbers(video.frames())
        assert 60 < len(found) < 120 and found == numbers(video.frames())
    assert found[:-1] == list(range(len(found) - 1))  # the last one may be there in part
    assert f'{name}: ends early, after {len(found)} frames ({len(found) / 30:.1f} s of the 5.0 s' in video.ended_early
    assert [record.getMessage() for record in caplog.records] == [video.ended_early]
    assert len(found) <= len(video.times) <= len(found) + 1


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / 'broken.mp4'
    write_video(path, 50)
    cut(path, .5)
    with pytest.raises(ImageError, match=r'broken\.mp4: cannot be read as a video \(its list of frames, moov, is miss'):
        VideoReader(path)
    (tmp_path / 'text.mp4').write_text('not a video')
    (tmp_path / 'empty.mkv').write_bytes(b'')
    (tmp_path / 'folder.avi').mkdir()
    for name, reason in (('text.mp4', 'cannot be read as a video .FFmpeg finds no frame'), ('0', 'no such video'),
                         ('empty.mkv', '.it is empty, 0 bytes'), ('none.mp4', 'no such'), ('folder.avi', 'no such')):
        with pytest.raises(ImageError, match=f'{name}: .*{reason}' if name == 'empty.mkv' else f'{name}: {reason}'):
            VideoReader(tmp_path / name)


def test_names_are_files_never_devices_or_patterns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('0', 'http://127.0.0.1:9/a.mp4', 'videotestsrc ! appsink', 'image%03d.jpg', 'concat:a|b'):
        with pytest.raises(ImageError, match='no such video'):
            VideoReader(name)


def test_a_clocks_rate_is_not_taken_for_that_of_frames(uneven, monkeypatch):
    monkeypatch.setattr(module._Frames, 'stated', lambda self: (30000., 240000.))
    video = VideoReader(uneven[0])
    assert video.fps == pytest.approx(1 / np.median(np.diff(uneven[1][:100]))) and video.duration == 8
    assert video.num_frames == round(8 * video.fps)


class Camera:
    """Three pictures of one colour, 0, 10 and 20 blue, and then none."""

    def __init__(self, number):
        self.number, self.left, self.released = number, [0, 10, 20] if number == 0 else [], False
        cameras.append(self)

    def set(self, *_):
        return True

    def read(self):
        return (True, np.full((4, 6, 3), (self.left.pop(0), 0, 0), np.uint8)) if self.left else (False, None)

    def release(self):
        self.released = True


cameras = []


def test_a_camera_gives_frames_with_the_clocks_times(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    clock = iter([5., 5., 5.25, 6.])
    monkeypatch.setattr(module.clock, 'monotonic', lambda: next(clock))
    frames = list(open_camera('0'))
    assert [frame[:2] for frame in frames] == [(0, 0), (1, .25), (2, 1.)]
    assert [frame[2][0, 0].tolist() for frame in frames] == [[0, 0, 0], [0, 0, 10], [0, 0, 20]]
    assert cameras[-1].released
    with pytest.raises(ImageError, match='camera 7: gives no picture'):
        next(open_camera(7))
    assert cameras[-1].released


def test_a_camera_is_freed_by_who_closes_its_frames(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    frames = open_camera(0)
    next(frames)
    assert not cameras[-1].released
    frames.close()
    assert cameras[-1].released
