"""MP4 files written frame by frame, whole or not there.

OpenCV's FFmpeg encodes: MPEG-4 Part 2 (``mp4v``), which players play (QuickTime, Windows' player, VLC, mpv), at 4 ms a
frame of 1920 x 540 px and 2 Mbit/s; or VP9 (``vp09``), which browsers play too, at 130 ms (one core; a real clip beside
a drawing). H.264 is in no package of OpenCV. PyAV has it, by a library under the GPL, in place of OpenCV's encoders or
beside them; one command makes it of the file: ``ffmpeg -i a.mp4 -c:v libx264 -pix_fmt yuv420p b.mp4``.
"""
from pathlib import Path

import cv2
import numpy as np

from .atomic import explain, publish

CODECS = ('mp4v', 'vp09')
#: Frames a second that files are written with at most; MPEG-4 has times in 1/65535 s at the finest, so two decimals.
_FASTEST, _DECIMALS = 120., 2


class VideoWriter:
    """A streaming writer of an MP4; a context manager, which leaves no file where an exception ends it.

    The file has a constant rate. Frames are repeated or left out by their times, so that it plays as fast as they
    were seen.

    Args:
        path: of the file, ``.mp4``; its folder is made.
        fps: frames a second, such as ``Clip.fps``.
        codec: one of ``CODECS``.

    Raises:
        ValueError: another suffix or codec, or no such rate.
    """

    def __init__(self, path, fps, codec='mp4v'):
        self.path = Path(path)
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(f'{path}: videos are written as .mp4')
        if codec not in CODECS:
            raise ValueError(f'codec {codec!r}: known are {", ".join(CODECS)}')
        if not fps > 0:
            raise ValueError(f'{path}: {fps} frames a second, expected more than 0')
        self.fps, self.codec = max(min(round(float(fps), _DECIMALS), _FASTEST), 10**-_DECIMALS), codec
        #: count: frames in the file so far
        self.count = 0
        self._temporary = self.path.with_name(f'.{self.path.stem}.tmp.mp4')
        self._file = self._image = self._size = self._start = None

    def add(self, image, time):
        """Show a frame (H, W, 3) uint8 RGB from ``time`` on, s, later than that of the frame before.

        Sides of an odd number of px get one more, as codecs halve them.

        Raises:
            ValueError: a size that differs from the first frame's.
            OSError: the file cannot be written.
        """
        if self._file is None:
            self._open(image.shape[:2], time)
        if image.shape[:2] != self._size:
            raise ValueError(f'{self.path}: a frame of {image.shape[:2]} px in a video of {self._size} px')
        slot = round((time - self._start) * self.fps)
        while 0 < self.count < slot:
            self._write(self._image)
        odd = [(0, side % 2) for side in self._size]
        self._image = cv2.cvtColor(np.pad(image, (*odd, (0, 0)), 'edge') if np.any(odd) else image, cv2.COLOR_RGB2BGR)
        if slot >= self.count:
            self._write(self._image)

    def close(self):
        """Finish the file and put it in its place; without frames there is none.

        Raises:
            OSError: it could not be written whole, as on a full disk.
        """
        if self._file is None:
            return
        self._release()
        if not _is_whole(self._temporary, self.count):
            self._temporary.unlink(missing_ok=True)
            raise OSError(explain(self.path, 'the video is not whole'))
        publish(self._temporary, self.path)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self._release()
            self._temporary.unlink(missing_ok=True)

    def _open(self, size, time):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        shape = [side + side % 2 for side in size[::-1]]
        self._file = cv2.VideoWriter(str(self._temporary.absolute()), cv2.CAP_FFMPEG,
                                     cv2.VideoWriter_fourcc(*self.codec), self.fps, shape)
        if not self._file.isOpened():
            self._temporary.unlink(missing_ok=True)
            raise OSError(explain(self.path, f'no {self.codec} video of {shape[0]} x {shape[1]} px can be opened'))
        self._size, self._start = tuple(size), time

    def _write(self, image):
        self._file.write(image)
        self.count += 1

    def _release(self):
        if self._file is not None:
            self._file.release()
            self._file = None


def _is_whole(path, count):
    """Whether a file has so many frames: OpenCV does not notice a full disk."""
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    return capture.isOpened() and round(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == count
