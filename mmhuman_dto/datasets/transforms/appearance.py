"""Changes of what a picture looks like; the truth stays."""
import cv2
import numpy as np

from mmhuman_dto.registry import TRANSFORMS

from .compose import generator_of
from .joints import has_people_with, seen_joints

#: Share of red, green and blue in the brightness of a pixel (ITU-R BT.601).
_LUMA = np.array([.299, .587, .114])


@TRANSFORMS.register_module()
class OccludeWithNoise:
    """Cover a part of people with a box of noise; hidden joints stay targets, so that the network learns to guess them.

    A box lies at random in the box around a person's valid 2D joints.

    Args:
        prob: probability that a person is covered.
        max_area: largest share of the box that is covered.

    Raises:
        ValueError: people without ``keypoints_2d``.
    """

    def __init__(self, prob=.6, max_area=.3):
        self.prob, self.max_area = prob, max_area

    def __call__(self, sample):
        rng = generator_of(sample, self)
        if not has_people_with(sample, 'keypoints_2d', 'put JointsFromMeshes before OccludeWithNoise'):
            return sample
        for points, seen in zip(*seen_joints(sample.gt_instances)):
            covered, area, aspect = rng.random() < self.prob, rng.uniform(0, self.max_area), rng.uniform(.5, 2)
            place = rng.random(2)
            if covered and seen.any():
                low, high = points[seen].min(0), points[seen].max(0)
                side = np.minimum(np.sqrt(area * np.array([aspect, 1 / aspect])), 1) * (high - low)
                self._cover(sample.image, low + place * (high - low - side), side, rng)
        return sample

    @staticmethod
    def _cover(image, corner, side, rng):
        x0, y0, x1, y1 = np.concatenate([np.floor(corner), np.ceil(corner + side)]).clip(0).astype(int)
        patch = image[y0:y1, x0:x1]
        patch[:] = rng.integers(0, 256, patch.shape, np.uint8)


@TRANSFORMS.register_module()
class ColorJitter:
    """Brightness, contrast and saturation, each times a random factor.

    Args:
        strength: factors lie in [1 - strength, 1 + strength].
    """

    def __init__(self, strength=.2):
        self.strength = strength

    def __call__(self, sample):
        rng = generator_of(sample, self)
        brightness, contrast, saturation = rng.uniform(1 - self.strength, 1 + self.strength, 3)
        mean = _LUMA @ np.array(cv2.mean(sample.image)[:3])
        mix = saturation * np.eye(3) + (1 - saturation) * _LUMA
        gain = brightness * contrast
        shift = np.full((3, 1), brightness * (1 - contrast) * mean)
        sample.image = cv2.transform(sample.image, np.hstack([gain * mix, shift]))
        return sample
