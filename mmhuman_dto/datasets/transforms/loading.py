"""From a path to pixels."""
import numpy as np

from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage:
    """Decode ``img_path`` (:func:`~mmhuman_dto.fileio.images.read_image`): sets ``image`` (H, W, 3) uint8 RGB,
    ``ori_shape``, ``img_shape``.

    A sample with metainfo ``quarter_turns`` is annotated for the picture turned so often by 90 degrees clockwise
    (BEDLAM stores some lying); sizes are those of the turned one.

    Raises:
        ImageError: a missing or broken file, or one of another size than the annotations say.
    """

    def __call__(self, sample):
        path = sample.img_path
        image = np.ascontiguousarray(np.rot90(read_image(path), -sample.get('quarter_turns', 0)))
        shape = image.shape[:2]
        if tuple(sample.get('ori_shape', shape)) != shape:
            raise ImageError(f'{path}: is {shape[0]} x {shape[1]} px (height, width), its annotations are of '
                             f'{sample.ori_shape[0]} x {sample.ori_shape[1]} px')
        sample.image = image
        sample.set_metainfo(dict(ori_shape=shape, img_shape=shape))
        return sample
