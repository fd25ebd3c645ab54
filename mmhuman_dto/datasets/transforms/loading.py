"""From a path to pixels."""
import numpy as np
from PIL import Image, ImageOps

from mmhuman_dto.registry import TRANSFORMS


class ImageError(OSError):
    """An image that cannot be read or is not the one the annotations are of; the message names it."""


@TRANSFORMS.register_module()
class LoadImage:
    """Decode ``img_path``, turned as its EXIF says: sets ``image`` (H, W, 3) uint8 RGB, ``ori_shape``, ``img_shape``.

    A sample with metainfo ``quarter_turns`` is annotated for the picture turned so often by 90 degrees clockwise
    (BEDLAM stores some lying); sizes are those of the turned one.

    Raises:
        ImageError: a missing or broken file, or one of another size than the annotations say.
    """

    def __call__(self, sample):
        path = sample.img_path
        try:
            # Unlike OpenCV, Pillow refuses a file that ends too early.
            with Image.open(path) as file:
                image = np.asarray(ImageOps.exif_transpose(file).convert('RGB'))
        except FileNotFoundError:
            raise ImageError(f'{path}: no such image; check data_root, or download the images') from None
        except (OSError, SyntaxError, ValueError) as error:
            raise ImageError(f'{path}: cannot be read ({error})') from error
        image = np.ascontiguousarray(np.rot90(image, -sample.get('quarter_turns', 0)))
        shape = image.shape[:2]
        if tuple(sample.get('ori_shape', shape)) != shape:
            raise ImageError(f'{path}: is {shape[0]} x {shape[1]} px (height, width), its annotations are of '
                             f'{sample.ori_shape[0]} x {sample.ori_shape[1]} px')
        sample.image = image
        sample.set_metainfo(dict(ori_shape=shape, img_shape=shape))
        return sample
