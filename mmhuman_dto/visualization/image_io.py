"""Pictures on disk; in memory they are RGB."""
from pathlib import Path

import cv2


def read_image(path):
    """(H, W, 3) uint8 RGB of an image file, turned as its EXIF orientation says.

    Raises:
        OSError: the file is missing or no image.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f'{path}: missing, or not an image OpenCV can read')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def write_image(path, image):
    """Writes an RGB picture (H, W, 3) uint8, creating its folder; the format follows the file name.

    Raises:
        OSError: the file cannot be written.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise OSError(f'{path}: cannot be written')
