"""Frames of videos with their times, of files and of cameras; in memory they are (H, W, 3) uint8 RGB.

OpenCV's FFmpeg does all of it: it turns what phones write turned, its times are those of the frames (PTS), also where
they are not evenly spaced, and packets that are not decoded tell the times of a whole file in a moment. Its jumps land
on wrong frames of uneven videos, so that a jump here goes by the time of the frame and ends when that time comes.
"""
import functools
import itertools
import logging
import time as clock
from pathlib import Path

import cv2
import numpy as np

from .images import ImageError

#: Frames this far ahead are reached by decoding; farther ones by a jump.
_NEAR = 60
#: A jump aims so long (s) before its frame, then longer: pictures at cuts of the stream need those before them.
_BACK = (1., 4., 16., 64., 256.)
#: Times of one frame, told twice, differ less (s).
_SAME_TIME = 1e-4
#: Rates (1/s) that videos have; files of some programs state the clock's instead.
_RATES = (.01, 1000.)
#: What lacks at the end of a file is told from so much on: s, and frames.
_LACK = (.5, 2.5)
_LOGGER = logging.getLogger(__name__)


class VideoReader:
    """A video file: its frames in order from any of them on, and by their numbers from 0.

    Only files, and only FFmpeg: OpenCV's other readers take a name for a device or for a pipeline of programs.

    Args:
        path: a file of a format that FFmpeg knows.

    Attributes:
        size: (height, width) px of the frames, upright.
        fps: frames a second that the file states.
        num_frames: how many there are by what the file states, for progress bars: of some formats an estimate.
        ended_early: a sentence where the file ended before the time it states, known at the end of :meth:`frames`
            and logged once; ''.

    Raises:
        ImageError: no such file, or none with a frame that can be decoded.
    """

    def __init__(self, path):
        self.path, self.ended_early, self._at = Path(path), '', None
        first = _Frames(self.path)
        image = first.image() if first.advance() else None
        if image is None:
            raise ImageError(f'{path}: cannot be read as a video ({_why(self.path)})')
        self.size = image.shape[:2]
        stated, count = first.stated()
        self.duration = count / stated if stated > 0 and count > 0 else 0.  # s; 0: not stated
        self.fps = stated if _RATES[0] <= stated <= _RATES[1] else _measured_rate(self.path)
        self.num_frames = round(self.duration * self.fps)

    @functools.cached_property
    def times(self):
        """(T) float64, s, of all frames, rising from that of the first: read without decoding them.

        The last one of a file that ends early may not be decodable.
        """
        times = np.sort(np.fromiter(_packet_times(self.path), float))
        if (np.diff(times) > 0).all():
            return times
        frames = _Frames(self.path)  # a format whose packets do not tell
        return np.fromiter((frames.time for _ in iter(frames.advance, False)), float)

    def frames(self, start=0, time=None):
        """Yield (number, time in s, image (H, W, 3) uint8 RGB) from frame ``start`` on, until there is no more.

        Args:
            time: that of the frame ``start``, s, where it is known, as by who goes on where it was stopped; else it is
                looked up in :attr:`times`, which reads a file once.
        """
        frames = self._open_at(start, time)
        if frames is None:
            return
        while frames.advance():
            image = frames.image()
            if image is None:
                break
            yield frames.number, frames.time, image
        self._check_end(frames)

    def __getitem__(self, number):
        """The image of a frame; quick where they are asked for in order.

        Raises:
            ImageError: there is no such frame.
        """
        if self._at is None or not 0 <= number - self._at.number - 1 <= _NEAR:
            self._at = self._open_at(number)
        image = None
        while self._at is not None and image is None and self._at.advance():
            image = self._at.image() if self._at.number == number else None
        if image is None:
            self._at = None
            raise ImageError(f'{self.path}: has no frame {number} that can be read')
        return image

    def _open_at(self, number, time=None):
        """:class:`_Frames` before the frame of a number; None where there is no such."""
        if number < 0:
            return None
        frames = _Frames(self.path)
        if number > _NEAR:
            if time is None and number >= len(self.times):
                return None
            if not frames.jump(number, float(self.times[number] if time is None else time)):
                frames = _Frames(self.path)
        while frames.number < number - 1:
            if not frames.advance():
                return None
        return frames

    def _check_end(self, frames):
        end = frames.time + 1 / self.fps
        if not self.ended_early and self.duration - end > max(_LACK[0], _LACK[1] / self.fps):
            self.ended_early = (f'{self.path}: ends early, after {frames.number + 1} frames ({end:.1f} s of the '
                                f'{self.duration:.1f} s that it states)')
            _LOGGER.warning(self.ended_early)


class _Frames:
    """An opened file that goes from frame to frame: ``number`` and ``time`` (s) of the one it is at, -1 before all."""

    def __init__(self, path):
        self.number, self.time = -1, -1.
        self._capture, self._waiting = _opened(path), False

    def stated(self):
        """Frames a second and number of frames."""
        return self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)

    def advance(self):
        """Go to the next frame; False where there is none."""
        if not self._waiting and not self._capture.grab():
            return False
        time, self._waiting = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, False
        if time <= self.time:  # the last frames of some formats have no time
            rate = self._capture.get(cv2.CAP_PROP_FPS)
            time = self.time + 1 / (rate if _RATES[0] <= rate <= _RATES[1] else 30)
        self.number, self.time = self.number + 1, time
        return True

    def image(self):
        """(H, W, 3) uint8 RGB; None where it cannot be decoded."""
        read, image = self._capture.retrieve()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if read else None

    def jump(self, number, time):
        """Go before the frame of a number, which is at a time; False where it is not met, and nothing is known then."""
        for back in _BACK:
            self._capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * max(time - back, 0))
            there, before = self._capture.grab(), True
            while there and before:
                off = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 - time
                if abs(off) < _SAME_TIME:
                    self.number, self.time, self._waiting = number - 1, time - _SAME_TIME, True
                    return True
                before = off < 0
                there = before and self._capture.grab()
            if back >= time:
                break
        return False


def open_camera(number):
    """Yield (number, time in s since the first, image (H, W, 3) uint8 RGB) of a camera's frames as they come.

    It ends where the camera gives no more; closing this generator frees the camera.

    Args:
        number: of the camera, 0 the first one; the number in a text too.

    Raises:
        ImageError: no camera of this number gives pictures.
    """
    capture = cv2.VideoCapture(int(number))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # who is slow sees what is, not what was
    try:
        read, image = capture.read()
        if not read:
            raise ImageError(f'camera {number}: gives no picture; is one connected, and free?')
        start = clock.monotonic()
        for count in itertools.count():
            yield count, clock.monotonic() - start, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            read, image = capture.read()
            if not read:
                return
    finally:
        capture.release()


def _opened(path, *options):
    if not path.is_file():
        raise ImageError(f'{path}: no such video')
    return cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG, list(options))


def _packet_times(path):
    """Yield the times (s) of the packets of a file's video, in the order in which they are decoded."""
    capture = _opened(path, cv2.CAP_PROP_FORMAT, -1)
    while capture.grab():
        yield capture.get(cv2.CAP_PROP_POS_MSEC) / 1000


def _measured_rate(path):
    """Frames a second of the first frames; 30 of a single one."""
    times = np.sort(np.fromiter(itertools.islice(_packet_times(path), 100), float))
    gap = np.median(np.diff(times)) if len(times) > 1 else 0.
    return float(1 / gap) if gap > 0 else 30.


def _why(path):
    """In words why FFmpeg reads no frame of a file."""
    if path.stat().st_size == 0:
        return 'it is empty, 0 bytes'
    kinds = list(_boxes(path))
    if kinds[:1] == [b'ftyp'] and b'moov' not in kinds:
        return 'its list of frames, moov, is missing: the recording or the copy of it was broken off'
    return 'FFmpeg finds no frame in it'


def _boxes(path):
    """Yield the names of the outermost boxes of an MP4 (ISO/IEC 14496-12, 4.2)."""
    with open(path, 'rb') as file:
        while len(head := file.read(16)) >= 8:
            size, kind = int.from_bytes(head[:4], 'big'), head[4:8]
            yield kind
            size = int.from_bytes(head[8:], 'big') if size == 1 else size
            if size < 8:
                return
            file.seek(size - len(head), 1)
