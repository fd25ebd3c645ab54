"""COLMAP's models of pictures: the pose and camera of each, as text (``images.txt``) or binary (``images.bin``).

Source of the layout: COLMAP's documentation, "Output Format"; poses are world -> camera, quaternions w first, pixels
as ours. The scale of a model is its own, unless somebody gave it one.
"""
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import BrokenFileError, parsing, reading
from .limits import check_memory

#: Bytes that a byte of text takes at most as numbers of Python, names and arrays.
_GROWTH = 8
#: Camera models in the order of their numbers in binary files: name -> (focal lengths, parameters).
CAMERA_MODELS = {
    'SIMPLE_PINHOLE': (1, 3), 'PINHOLE': (2, 4), 'SIMPLE_RADIAL': (1, 4), 'RADIAL': (1, 5), 'OPENCV': (2, 8),
    'OPENCV_FISHEYE': (2, 8), 'FULL_OPENCV': (2, 12), 'FOV': (2, 5), 'SIMPLE_RADIAL_FISHEYE': (1, 4),
    'RADIAL_FISHEYE': (1, 5), 'THIN_PRISM_FISHEYE': (2, 12)}


class ColmapImage(NamedTuple):
    """A picture: ``quaternion`` (4) w, x, y, z and ``translation`` (3) of world -> camera."""
    name: str
    quaternion: np.ndarray
    translation: np.ndarray
    camera: int


class ColmapCamera(NamedTuple):
    """A camera: ``intrinsics`` (3, 3), px, without ``distortion``, the numbers that follow them."""
    size: tuple[int, int]  # (height, width) px
    intrinsics: np.ndarray
    distortion: np.ndarray


def read_colmap(folder):
    """A model's folder: (file of pictures, [:class:`ColmapImage`], {number: :class:`ColmapCamera`}); no cameras where
    their file lacks.

    Raises:
        BrokenFileError: with file, line or picture, and value.
    """
    folder = Path(folder)
    for ending, images_of, cameras_of in (('txt', _text_images, _text_cameras), ('bin', _images, _cameras)):
        path = folder / f'images.{ending}'
        if path.is_file():
            cameras = folder / f'cameras.{ending}'
            return path, images_of(path), cameras_of(cameras) if cameras.is_file() else {}
    raise BrokenFileError(f'{folder}: holds neither images.txt nor images.bin; give the folder of a COLMAP model '
                          '(sparse/0, say)')


def _lines(path):
    """Yield (number, line) without comments, empty lines kept."""
    check_memory(_GROWTH * path.stat().st_size, path)
    with reading(path, 'a text'), path.open(encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            if not line.startswith('#'):
                yield number, line.strip()


def _text_images(path):
    images, is_points = [], False
    for number, line in _lines(path):
        # Each picture has two lines, of which the second, its points, may be empty.
        if is_points or not line:
            is_points = False
            continue
        with parsing(path, number, line, 'IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of points'):
            words = line.split(maxsplit=9)
            values = np.array([float(word) for word in words[1:8]])
            images.append(ColmapImage(words[9], values[:4], values[4:], int(words[8])))
        is_points = True
    return images


def _text_cameras(path):
    cameras = {}
    for number, line in _lines(path):
        if line:
            with parsing(path, number, line, 'CAMERA_ID MODEL WIDTH HEIGHT PARAMS'):
                words = line.split()
                cameras[int(words[0])] = _camera(words[1], int(words[2]), int(words[3]), [*map(float, words[4:])])
    return cameras


def _images(path):
    content = _Bytes(path)
    with reading(path, "COLMAP's images.bin"):
        images = []
        for _ in range(content.take('<Q')[0]):
            _, *pose, camera = content.take('<i7di')
            images.append(ColmapImage(content.text(), np.array(pose[:4]), np.array(pose[4:]), camera))
            content.skip(24 * content.take('<Q')[0])
        return images


def _cameras(path):
    content = _Bytes(path)
    with reading(path, "COLMAP's cameras.bin"):
        cameras = {}
        for _ in range(content.take('<Q')[0]):
            number, model, width, height = content.take('<iiQQ')
            name = list(CAMERA_MODELS)[model]
            cameras[number] = _camera(name, width, height, content.take(f'<{CAMERA_MODELS[name][1]}d'))
        return cameras


def _camera(model, width, height, parameters):
    focals, count = CAMERA_MODELS[model]
    if len(parameters) != count:
        raise ValueError(f'{model} has {count} parameters, here are {len(parameters)}')
    fx, fy, cx, cy = parameters[0], parameters[focals - 1], *parameters[focals:focals + 2]
    return ColmapCamera((height, width), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.]]),
                        np.array(parameters[focals + 2:]))


class _Bytes:
    """A binary file that is read from its start on."""

    def __init__(self, path):
        check_memory(Path(path).stat().st_size, path)
        self.content, self.place = Path(path).read_bytes(), 0

    def take(self, layout):
        values = struct.unpack_from(layout, self.content, self.place)
        self.place += struct.calcsize(layout)
        return values

    def text(self):
        end = self.content.index(b'\0', self.place)
        text = self.content[self.place:end].decode()
        self.place = end + 1
        return text

    def skip(self, size):
        self.place += size
        if self.place > len(self.content):
            raise ValueError('it ends too early')
