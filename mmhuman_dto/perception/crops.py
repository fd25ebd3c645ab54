"""What networks that look at one person at a time are shown."""
from abc import abstractmethod

import cv2
import numpy as np
import torch

from .base import KeypointSource, SourceError
from .optional import in_batches

#: Face joints of COCO's 17: nose, eyes, ears.
_FACE = slice(0, 5)
#: A face's box has sides of this many times the largest distance between its joints: ears lie about two thirds of a
#: face's height apart, nose and ear, seen from the side, about half of it.
_FACE_SIDE = 2.
#: Smaller faces, px, say nothing.
_MIN_FACE = 16


def person_view(image, box, mask=None):
    """The part (h, w, 3) of an image that shows one person in a box (4) xyxy, px, and its first pixel's (x, y) there.

    Pixels that a ``mask`` (H, W) says are others' are black; None leaves them, and the image whole.
    """
    if mask is None:
        return image, (0, 0)
    x0, y0, x1, y1 = inside(box, image.shape)
    return np.where(mask[y0:y1, x0:x1, None], image[y0:y1, x0:x1], 0).astype(np.uint8), (x0, y0)


class Halves:
    """A picture (H, W, 3) uint8 and its halves, quarters, ..., each made once, when it is asked for.

    Shrinking by two is quick; a person, or all of a large picture, is then shown from far fewer pixels.

    Attributes:
        image: the picture. shape: its (height, width) px.
    """

    def __init__(self, image):
        self.image, self.shape, self._levels = image, image.shape[:2], [image]

    def at_least(self, factor):
        """The smallest of them that is at least ``factor`` times the picture's size, and how much of it it is.

        A point (x, y), px, of the picture lies at (x, y) times this there.
        """
        level = 0
        while .5**(level + 1) >= factor and min(self._level(level).shape[:2]) > 1:
            level += 1
        return self._level(level), .5**level

    def _level(self, number):
        if number == len(self._levels):
            finer = self._levels[-1]
            height, width = finer.shape[0] // 2, finer.shape[1] // 2
            even = finer[:2 * height, :2 * width]  # a last odd row would move all others
            self._levels.append(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
        return self._levels[number]


class TopDownKeypoints(KeypointSource):
    """Networks that are shown one person at a time; subclasses set ``batch_size`` and ``masked``.

    ``masked`` shows them the pixels of the person's mask only.

    Raises:
        SourceError: ``masked``, and the people have no masks.
    """

    @torch.no_grad()
    def __call__(self, samples):
        people = [(sample, row) for sample in samples for row in range(len(sample.detected_instances))]
        poses = np.zeros((len(people), 17, 3))
        for rows in in_batches(range(len(people)), self.batch_size):
            views, boxes, offsets = zip(*(self._view(*people[row]) for row in rows))
            for row, offset, (joints, scores) in zip(rows, offsets, self._predict(views, boxes)):
                # Their joints count from the centre of the first pixel.
                poses[row, :, :2], poses[row, :, 2] = joints + np.add(offset, .5), scores
        counts = [len(sample.detected_instances) for sample in samples]
        return [(rows[..., :2], rows[..., 2]) for rows in torch.from_numpy(poses).float().split(counts)]

    def _view(self, sample, row):
        """The picture of a person, its box (4,) xyxy in it, and where it lies, px."""
        found = sample.detected_instances
        box = found.bboxes[row].numpy()
        if self.masked and 'masks' not in found:
            raise SourceError(f'{sample.img_id}: the people have boxes but no masks; set masked=False in the keypoint '
                              'source, or find people by segmentation (TransformersPeople, MMDetPeople)')
        view, offset = person_view(sample.image, box, found.masks[row].numpy() if self.masked else None)
        return view, box - np.tile(offset, 2), offset

    @abstractmethod
    def _predict(self, views, boxes):
        """Joints (17, 2), px from the centre of the view's first pixel, and scores (17) of each view."""


def crop(image, box):
    """The pixels (h, w, 3) of a box xyxy px, as far as the image goes; None where it has none."""
    x0, y0, x1, y1 = inside(box, image.shape)
    return np.ascontiguousarray(image[y0:y1, x0:x1]) if x1 > x0 and y1 > y0 else None


def inside(box, shape):
    """A box xyxy as whole pixels x0, y0, x1, y1 of an image of ``shape`` (H, W, ...)."""
    edges = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])])
    return edges.clip(0, [shape[1], shape[0]] * 2).astype(int).tolist()


def face_box(keypoints, visible):
    """The square box (4,) xyxy px around a face, from COCO keypoints (17, 2) px; None where it is too small or unseen.

    At least two of nose, eyes and ears, an eye among them, have to be ``visible`` (17,).
    """
    joints, seen = keypoints[_FACE], visible[_FACE]
    if seen.sum() < 2 or not seen[1:3].any():
        return None
    joints = joints[seen]
    side = _FACE_SIDE * np.linalg.norm(joints[:, None] - joints[None], axis=-1).max()
    if side < _MIN_FACE:
        return None
    centre = (joints.min(0) + joints.max(0)) / 2
    return np.concatenate([centre - side / 2, centre + side / 2])
