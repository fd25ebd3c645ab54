"""The pictures that results are about: in a folder, in a video, or nowhere."""
from pathlib import Path

from mmhuman_dto.fileio.finding import find_pictures, is_video, what_is_in
from mmhuman_dto.fileio.image_header import image_size
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.fileio.video import VideoReader


class Pictures:
    """Finds the picture of an :class:`~mmhuman_dto.results.ImageResult`.

    In a folder a picture is found by its name (with or without suffix and folders), a frame of a video else by its
    number from 0, in the order of the pictures' names. In a video file a frame is found by its number.

    Args:
        images: folder, video file or picture; None: there are none.

    Raises:
        FileNotFoundError: not there, or no picture in the folder.
    """

    def __init__(self, images=None):
        self.root = None if images is None else Path(images)
        self.names, self.video = [], None
        if self.root is None:
            return
        if not self.root.exists():
            raise FileNotFoundError(f'{images}: not found; --images names the folder of the pictures or the video')
        if self.root.is_dir():
            self.names = find_pictures(self.root)
            if not self.names:
                raise FileNotFoundError(f'{images}: no picture in this folder ({what_is_in(self.root)})')
        elif is_video(self.root):
            self.video = VideoReader(self.root)
        else:
            self.root, self.names = self.root.parent, [self.root.name]
        self._by_name = _index(self.names)

    def found(self, name, frame=None):
        """What a picture is called in the folder, a frame of a video by its number; None where there is none."""
        if self.video is not None:
            return None if frame is None else f'{frame:06d}'
        found = next((self._by_name[key] for key in _keys(name) if key in self._by_name), None) if self.names else None
        if found is None and frame is not None and 0 <= frame < len(self.names):
            found = self.names[frame]
        return found

    def path(self, name, frame=None):
        """The file of a picture; None where there is none."""
        found = self.found(name, frame)
        return None if found is None else self.root / found

    def size(self, name, frame=None):
        """(height, width) px of a picture; None where there is none."""
        if self.video is not None:
            return self.video.size
        path = self.path(name, frame)
        return None if path is None else image_size(path)

    def read(self, name, frame=None):
        """(image (H, W, 3) uint8 RGB, path); (None, '') where there is none.

        Raises:
            ImageError: a file that cannot be read.
        """
        if self.video is not None:
            return (None, '') if frame is None else (self.video[frame], str(self.root))
        path = self.path(name, frame)
        return (None, '') if path is None else (read_image(path), str(path))


def _index(names):
    """{key: name}, without keys that two names share; a whole name is nobody else's."""
    found = {}
    for name in names:
        for key in _keys(name):
            found[key] = None if key in found else name
    return {**{key: name for key, name in found.items() if name}, **{name: name for name in names}}


def _keys(name):
    """What a picture may be called in results, the surest first: all of its path, then less and less of it."""
    path = Path(name)
    whole = str(path.with_suffix('')) if path.suffix else str(name)
    return list(dict.fromkeys([str(name), whole, path.name, path.stem]))
