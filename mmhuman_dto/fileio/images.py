"""Pictures on disk; in memory they are (H, W, 3) uint8 RGB, whatever they were."""
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

try:
    from pillow_heif import register_heif_opener
except ImportError:
    pass
else:
    register_heif_opener()

#: What is read, whatever a file is called; HEIF by the package pillow-heif, where it is installed. Pillow knows more
#: formats, one of which starts Ghostscript.
FORMATS = ('AVIF', 'BMP', 'GIF', 'HEIF', 'JPEG', 'JPEG2000', 'MPO', 'PNG', 'PPM', 'TIFF', 'WEBP')
#: What files of pictures end with, in lower case; those of HEIF also where it cannot be read, so that this is said.
IMAGE_SUFFIXES = frozenset(('.heic', '.heif', '.hif', *(
    suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS)))
#: Brands of HEIF (ISO/IEC 23008-12, 10) behind the bytes ``ftyp``.
_HEIF = (b'heic', b'heix', b'hevc', b'hevx', b'heim', b'heis', b'mif1', b'msf1')
#: What shows behind transparent pixels, and how many rows are laid on it at a time.
_PAPER, _ROWS = 255, 256


class ImageError(OSError):
    """A file or array that is no picture; the message names it."""


def read_image(path, size=None):
    """Decode a picture, turned as its EXIF orientation says.

    Grey becomes RGB, 16 bits become 8, what is transparent lies on white paper, an animation gives its first picture.

    Args:
        path: file, or a readable binary file object.
        size: (h, w), px, that its annotations are of. Where only the picture as stored has it, it is not turned.

    Returns:
        numpy.ndarray: (H, W, 3) uint8 RGB.

    Raises:
        ImageError: missing, not a picture, one that ends too early, or with more pixels than Pillow decodes
            (twice ``PIL.Image.MAX_IMAGE_PIXELS``).
    """
    with opened(path) as file:
        turned = ImageOps.exif_transpose(file)
        as_stored = size is not None and turned.size[::-1] != tuple(size) == file.size[::-1]
        return _to_rgb(file if as_stored else turned)


def picture_to_rgb(picture):
    """(H, W, 3) uint8 RGB of a ``PIL.Image``, as :func:`read_image` reads files.

    Raises:
        ImageError: it cannot be decoded, or holds floats.
    """
    try:
        return _to_rgb(ImageOps.exif_transpose(picture))
    except Exception as error:  # damaged data make Pillow raise anything
        raise ImageError(f'a {type(picture).__name__} of mode {picture.mode} cannot be read ({error})') from error


def tensor_to_rgb(tensor):
    """(H, W, 3) uint8 RGB of a tensor (3, H, W) RGB or (1, H, W) grey, uint8 or floats 0..1.

    Raises:
        ImageError: another shape, dtype or range.
    """
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3) or tensor.numel() == 0:
        raise ImageError(f'a tensor of shape {tuple(tensor.shape)}, expected (3, H, W) RGB')
    if tensor.is_floating_point():
        low, high = (float(value) for value in tensor.detach().aminmax())
        if not (low >= 0 and high <= 1):
            raise ImageError(f'a tensor of floats from {low:g} to {high:g}, expected 0 to 1')
        tensor = (tensor.float() * 255).round().byte()
    return as_rgb(tensor.detach().cpu().movedim(0, -1).numpy())


def read_values(path):
    """The values (H, W), uint8 or uint16, of a picture with one value a pixel, as they are stored: a map, not a photo.

    Three equal channels are one value, and so is what is opaque; colours are not.

    Raises:
        ImageError: as of :func:`read_image`, or channels that differ.
    """
    with opened(path) as file:
        # Of 16 bits of several channels Pillow drops the lower 8; that a file ends too early it notices in any case.
        deep = file.format == 'PNG' and any('16' in str(tile[3]) for tile in file.tile)
        values = np.array(file)
        if file.mode in ('L', 'I;16', 'I;16B', 'I'):  # I: how some versions of Pillow open 16 bits
            return values.clip(0, 65535).astype(np.uint8 if file.mode == 'L' else np.uint16)
        if file.mode not in ('RGB', 'RGBA', 'LA'):
            raise ValueError(f'it is of mode {file.mode}, expected 8- or 16-bit values, one a pixel')
        if deep:
            values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        channels = values.shape[2]
        colours, alpha = values[..., :1 if channels == 2 else 3], values[..., 3 if channels == 4 else 1]
        if (colours != colours[..., :1]).any():
            raise ValueError('it is a picture in colours, its channels differ; a map has one value a pixel')
        if channels != 3 and (alpha != np.iinfo(alpha.dtype).max).any():
            raise ValueError('part of it is transparent; a map has one value a pixel')
        return np.ascontiguousarray(colours[..., 0])


@contextmanager
def opened(path):
    """The ``PIL.Image`` of a file, its header read.

    Raises:
        ImageError: whatever goes wrong with it while it is open.
    """
    try:
        Image.init()
        if isinstance(path, (str, Path)) and not Path(path).is_file() and Path(path).exists():
            raise ValueError('it is no file, or a folder that may not be looked into')  # a pipe would be waited for
        # Unlike OpenCV, Pillow refuses a file that ends too early.
        with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as file:
            yield file
    except FileNotFoundError:
        raise ImageError(f'{path}: no such image') from None
    except UnidentifiedImageError as error:
        raise ImageError(f'{path}: cannot be read ({_what_it_is(path) or error})') from error
    except Exception as error:  # damaged metadata make Pillow raise anything
        raise ImageError(f'{path}: cannot be read ({error})') from error


def _what_it_is(path):
    """In words what a file is that Pillow does not know; '' where that is not known here either."""
    if not isinstance(path, (str, Path)):
        return ''
    with open(path, 'rb') as file:
        start = file.read(12)
    if start[4:8] == b'ftyp' and start[8:] in _HEIF:
        return 'it is HEIC: pip install pillow-heif, then such pictures are read'
    return '' if start else 'it is empty, 0 bytes'


def _to_rgb(picture):
    if picture.mode.startswith('I;16') or picture.mode == 'I':
        return as_rgb(np.clip(np.asarray(picture), 0, 65535).astype(np.uint16))
    if picture.mode == 'F':
        raise ValueError('holds floats, expected 8 or 16 bits')
    if picture.has_transparency_data:
        return as_rgb(np.asarray(picture.convert('RGBA')))
    return np.array(picture.convert('RGB'))


def as_rgb(image):
    """(H, W, 3) uint8 RGB of an array (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16.

    Raises:
        ImageError: another shape or dtype, or no pixels.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(f'an image of {image.dtype}, expected uint8 or uint16')
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.size == 0:
        raise ImageError(f'an image of shape {image.shape}, expected (H, W), (H, W, 3) RGB or (H, W, 4) RGBA')
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.shape[2] == 4:
        image = np.concatenate([_on_paper(image[row:row + _ROWS]) for row in range(0, len(image), _ROWS)])
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def _on_paper(image):
    opacity = image[..., 3:].astype(np.uint16)
    return ((image[..., :3] * opacity + _PAPER * (255 - opacity) + 127) // 255).astype(np.uint8)


def write_image(path, image):
    """Writes an RGB picture (H, W, 3) uint8, creating its folder; the format follows the file name.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    try:
        _, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise OSError(f'{path}: cannot be written ({error})') from error
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by OpenCV, which does not notice a full disk.
    path.write_bytes(data)
