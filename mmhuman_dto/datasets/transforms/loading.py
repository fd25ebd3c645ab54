"""From a path to pixels."""
import numpy as np

from mmhuman_dto.fileio.image_header import image_header
from mmhuman_dto.fileio.images import ImageError, read_image
from mmhuman_dto.registry import TRANSFORMS
from mmhuman_dto.tables.people_table import side_of

from ..agreement import as_annotated, other_size


@TRANSFORMS.register_module()
class LoadImage:
    """Decode ``img_path`` (:func:`~mmhuman_dto.fileio.images.read_image`): sets ``image`` (H, W, 3) uint8 RGB,
    ``ori_shape``, ``img_shape``.

    A sample with metainfo ``quarter_turns`` is annotated for the picture turned so often by 90 degrees clockwise
    (BEDLAM stores some lying); sizes are those of the turned one. EXIF orientations are followed, but where only the
    picture as stored has the size that the annotations are of, or, where they don't state it, fits them (see
    :func:`mmhuman_dto.datasets.agreement.as_annotated`).

    Args:
        blank: for testing, where a picture that is not read must not leave the figures: it is replaced by a black one
            of the size that the annotations say, with metainfo ``unreadable``, the reason. In it nobody is predicted
            (``MetricHMR``), so its people count as missed, and the figures say so (``UnreadableImagesHook``).

    Raises:
        ImageError: a missing or broken file, or one of another size than the annotations say.
    """

    def __init__(self, blank=False):
        self.blank = blank

    def __call__(self, sample):
        try:
            image = self._read(sample)
        except ImageError as error:
            if not self.blank or 'ori_shape' not in sample:
                raise
            image = np.zeros((*sample.ori_shape, 3), np.uint8)
            sample.set_metainfo(dict(unreadable=str(error)))
        sample.image = image
        sample.set_metainfo(dict(ori_shape=image.shape[:2], img_shape=image.shape[:2]))
        return sample

    @staticmethod
    def _read(sample):
        path, turns, annotated = sample.img_path, sample.get('quarter_turns', 0), _annotated_size(sample)
        stored = annotated[::-1] if annotated is not None and turns % 2 else annotated
        image = np.ascontiguousarray(np.rot90(read_image(path, stored), -turns))
        shape = image.shape[:2]
        if annotated is not None and tuple(annotated) != shape:
            raise ImageError(other_size(path, shape, annotated))
        return image


def _annotated_size(sample):
    """Size (h, w) that the annotations of a sample say or fit; None where there are none."""
    if 'ori_shape' in sample:
        return sample.ori_shape
    if (side := side_of(sample)) + '_instances' not in sample:
        return None
    size = as_annotated(sample, side, image_header(sample.img_path))
    return size[::-1] if sample.get('quarter_turns', 0) % 2 else size
