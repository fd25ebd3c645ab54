"""The video that is looked at: a file, or a folder of its frames."""
from pathlib import Path

from mmhuman_dto.fileio.finding import find_pictures
from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.fileio.video import VideoReader


def is_camera(path):
    """Whether what is given is the number of a camera."""
    return str(path).isdigit() and not Path(path).exists()


def open_video(path, fps=30.):
    """A :class:`VideoReader` of a file, or :class:`FrameFolder` of a folder."""
    return FrameFolder(path, fps) if Path(path).is_dir() else VideoReader(path)


class FrameFolder:
    """Pictures of a folder, in the order of their names, as the frames of a video; as :class:`VideoReader` is used.

    Args:
        fps: frames a second.

    Raises:
        ImageError: no picture, or the first cannot be read.
    """
    ended_early = ''

    def __init__(self, path, fps):
        self.path, self.fps = Path(path), fps
        self.names = find_pictures(self.path)
        if not self.names:
            raise ImageError(f'{path}: no picture in this folder')
        self.size, self.num_frames = self[0].shape[:2], len(self.names)

    def frames(self, start=0, time=None):
        """Yield (number, time in s, image) from frame ``start`` on."""
        for number in range(start, len(self.names)):
            yield number, number / self.fps, self[number]

    def __getitem__(self, number):
        image = read_image(self.path / self.names[number])
        if number and image.shape[:2] != self.size:
            raise ImageError(f'{self.path / self.names[number]}: {image.shape[1]} x {image.shape[0]} px, the frames '
                             f'before {self.size[1]} x {self.size[0]}; give videos one size')
        return image
