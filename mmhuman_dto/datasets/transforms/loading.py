"""From a path to pixels."""
import numpy as np

from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.registry import TRANSFORMS

from ..agreement import other_size


@TRANSFORMS.register_module()
class LoadImage:
    """Decode ``img_path`` (:func:`~mmhuman_dto.fileio.images.read_image`): sets ``image`` (H, W, 3) uint8 RGB,
    ``ori_shape``, ``img_shape``.

    A sample with metainfo ``quarter_turns`` is annotated for the picture turned so often by 90 degrees clockwise
    (BEDLAM stores some lying); sizes are those of the turned one. EXIF orientations are followed, but where only the
    picture as stored has the size that the annotations are of.

    Raises:
        ImageError: a missing or broken file, or one of another size than the annotations say.
    """

    def __call__(self, sample):
        path, turns, annotated = sample.img_path, sample.get('quarter_turns', 0), sample.get('ori_shape')
        stored = annotated[::-1] if annotated is not None and turns % 2 else annotated
        image = np.ascontiguousarray(np.rot90(read_image(path, stored), -turns))
        shape = image.shape[:2]
        if annotated is not None and tuple(annotated) != shape:
            raise ImageError(other_size(path, shape, annotated))
        sample.image = image
        sample.set_metainfo(dict(ori_shape=shape, img_shape=shape))
        return sample
