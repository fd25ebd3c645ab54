"""The size of a picture from its header, without decoding it where that is possible."""
from typing import NamedTuple

from PIL import ExifTags

from .images import opened, read_image

#: Formats whose size in Pillow is that of the pixels as stored; of TIFF it depends on Pillow's version.
_EXIF_FORMATS = ('JPEG', 'MPO', 'PNG', 'WEBP')
#: EXIF orientations that exchange height and width.
_TURNED = (5, 6, 7, 8)
#: Bytes before the first chunk of a PNG, and the texts in it in which Pillow looks for an orientation.
_PNG_SIGNATURE, _PNG_TEXTS = 8, (b'Raw profile type exif', b'XML:com.adobe.xmp')


class ImageHeader(NamedTuple):
    """Of a picture: height and width, px, of its pixels as stored, and its EXIF orientation, 1 where it has none."""
    stored: tuple[int, int]
    orientation: int = 1

    @property
    def size(self):
        """Height and width, px, as :func:`read_image` gives it, turned as its EXIF orientation says."""
        return self.stored[::-1] if self.orientation in _TURNED else self.stored


def image_header(path):
    """:class:`ImageHeader` of a picture.

    Raises:
        ImageError: missing, or not a picture. A JPEG, PNG or WebP that ends early passes; others are decoded, and have
            the size and orientation that they are decoded to.
    """
    with opened(path) as file:
        # For a PNG Pillow would decode all pixels before it answers.
        if file.format == 'PNG' and not _png_may_be_turned(path):
            return ImageHeader(file.size[::-1])
        if file.format in _EXIF_FORMATS:
            return ImageHeader(file.size[::-1], file.getexif().get(ExifTags.Base.Orientation, 1))
    return ImageHeader(read_image(path).shape[:2])


def image_size(path):
    """Height and width, px, of a picture as :func:`read_image` gives it; errors as of :func:`image_header`."""
    return image_header(path).size


def _png_may_be_turned(path):
    """Whether a PNG has a chunk that may hold an orientation."""
    with open(path, 'rb') as file:
        chunk = _PNG_SIGNATURE
        while True:
            file.seek(chunk)
            length, kind, start = file.read(4), file.read(4), file.read(max(map(len, _PNG_TEXTS)))
            if kind == b'eXIf' or kind in (b'tEXt', b'zTXt', b'iTXt') and start.startswith(_PNG_TEXTS):
                return True
            if kind in (b'IEND', b''):
                return False
            chunk += 12 + int.from_bytes(length, 'big')
