"""What an inferencer is given, opened one picture at a time: arrays, pictures, files, folders, videos, URLs."""
import io
import time
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import torch
from PIL import Image

from mmhuman_dto.fileio.finding import VIDEO_SUFFIXES, find_pictures, is_video, what_is_in
from mmhuman_dto.fileio.images import IMAGE_SUFFIXES, ImageError, as_rgb, picture_to_rgb, read_image, tensor_to_rgb
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.fileio.video import VideoReader

#: A picture from the network is waited for so long (s) at a time, and in all; it is at most this large (bytes).
_TIMEOUT, _MAX_TIME, _MAX_DOWNLOAD = 30, 300, 200 * 2**20


class Photo(NamedTuple):
    """One picture."""
    #: its name: the file's, from the given folder on, printable; ``VIDEO/000012`` for a frame; the number of an array
    img_id: str
    img_path: str  # the file or URL; '' for arrays
    image: np.ndarray | None  # (H, W, 3) uint8 RGB; None where there is an error
    error: str = ''  # what is wrong with it; ''


def open_photos(inputs, allow_urls=False, videos=True):
    """Yield a :class:`Photo` for each picture in ``inputs``, one in memory at a time.

    Args:
        inputs: an array (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16, or (N, H, W, 3) of several; a tensor
            (3, H, W) RGB, uint8 or floats 0..1, or (N, 3, H, W); a ``PIL.Image``; a path of an image, a video or a
            folder (searched for both by :func:`~mmhuman_dto.fileio.finding.find_pictures`); or any iterable of these.
        allow_urls: whether http(s) addresses of images are fetched; else they are an error of that input.
        videos: whether those of folders are opened, frame by frame.

    Raises:
        TypeError: an input that is none of these.
    """
    for number, item in enumerate(_items(inputs)):
        if isinstance(item, np.ndarray):
            yield _attempt(f'{number:06d}', '', as_rgb, item)
        elif torch.is_tensor(item):
            yield _attempt(f'{number:06d}', '', tensor_to_rgb, item)
        elif isinstance(item, Image.Image):
            path = str(getattr(item, 'filename', ''))  # where it was opened; not of what was made of such
            yield _attempt(printable(Path(path).name) or f'{number:06d}', path, picture_to_rgb, item)
        elif not isinstance(item, (str, Path)):
            raise TypeError(f'input {number} is a {type(item).__name__}, expected an array, a tensor, a PIL.Image, a '
                            'path or an address')
        elif '://' in str(item):
            yield _fetch(str(item), allow_urls)
        else:
            yield from _open_path(Path(item), videos)


def is_one(inputs):
    """Whether ``inputs`` of :func:`open_photos` are one picture by their kind: no folder, video or collection."""
    if isinstance(inputs, (str, Path)):
        return '://' in str(inputs) or not (Path(inputs).is_dir() or is_video(inputs))
    if isinstance(inputs, np.ndarray) or torch.is_tensor(inputs):
        return inputs.ndim != 4
    return isinstance(inputs, Image.Image) or not isinstance(inputs, Iterable)


def count_photos(paths, videos=True):
    """How many pictures paths, a list, hold; None where there are videos, whose frames are not known before."""
    files = [file for path in map(Path, paths) for file in (_files_in(path, videos) if path.is_dir() else [path])]
    return None if any(map(is_video, files)) else len(files)


def _items(inputs):
    if isinstance(inputs, np.ndarray) or torch.is_tensor(inputs):
        return inputs if inputs.ndim == 4 else [inputs]
    if isinstance(inputs, (str, Path, Image.Image)) or not isinstance(inputs, Iterable):
        return [inputs]
    return inputs


def _open_path(path, videos):
    if not path.is_dir():
        yield from _open_file(path, path.name)
        return
    files = _files_in(path, videos)
    if not files:
        yield Photo(printable(path.name), str(path), None,
                    f'{path}: no image or video in this folder ({what_is_in(path)})')
    for name in files:
        yield from _open_file(path / name, name)


def _files_in(folder, videos):
    return find_pictures(folder, IMAGE_SUFFIXES | VIDEO_SUFFIXES if videos else IMAGE_SUFFIXES)


def _open_file(path, name):
    name = printable(name)
    if is_video(path):
        yield from _open_video(path, name)
    else:
        yield _attempt(name, str(path), read_image, path)


def _open_video(path, name):
    try:
        for number, _, image in VideoReader(path).frames():
            yield Photo(f'{name}/{number:06d}', str(path), image)
    except ImageError as error:
        yield Photo(name, str(path), None, str(error))


def _fetch(url, allowed):
    name = Path(urlsplit(url).path).name or urlsplit(url).netloc
    if not allowed:
        return Photo(name, url, None, f'{url}: addresses are only fetched with allow_urls=True')
    return _attempt(name, url, _read_url, url)


def _read_url(url):
    if urlsplit(url).scheme not in ('http', 'https'):
        raise ImageError(f'{url}: expected http or https')
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            content = _download(answer)
    except (OSError, ValueError, HTTPException) as error:
        raise ImageError(f'{url}: cannot be fetched ({error})') from error
    try:
        return read_image(content)
    except ImageError as error:
        raise ImageError(f'{url}: not an image') from error


def _download(answer):
    content, end = io.BytesIO(), time.monotonic() + _MAX_TIME
    while part := answer.read1(2**20):
        content.write(part)
        if content.tell() > _MAX_DOWNLOAD:
            raise OSError(f'larger than {_MAX_DOWNLOAD >> 20} MiB')
        if time.monotonic() > end:
            raise OSError(f'not there after {_MAX_TIME} s')
    content.seek(0)
    return content


def _attempt(name, path, read, source):
    try:
        return Photo(name, path, read(source))
    except ImageError as error:
        return Photo(name, path, None, str(error))
