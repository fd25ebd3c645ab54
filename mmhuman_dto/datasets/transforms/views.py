"""Which part of a picture the network sees, how large, and turned how far."""
import numpy as np

from mmhuman_dto.registry import TRANSFORMS

from .compose import generator_of
from .joints import joint_names, seen_joints
from .warp import MIRROR, Warp, intrinsics_of, warp_sample

#: Joints below which a picture may be cut: the first of these groups that a joint set has.
_SPINE = (('spine1', ), ('left_hip', 'right_hip'))


def through_window(window, input_size):
    """Scale and shift (3, 3), and size (h, w), to see a window (x0, y0, x1, y1; px) with a long side of input_size."""
    x0, y0, x1, y1 = window
    scale = input_size / max(x1 - x0, y1 - y0)
    height, width = max(round((y1 - y0) * scale), 1), max(round((x1 - x0) * scale), 1)
    sx, sy = width / (x1 - x0), height / (y1 - y0)
    return np.array([[sx, 0, -x0 * sx], [0, sy, -y0 * sy], [0, 0, 1]]), (height, width)


@TRANSFORMS.register_module()
class Resize:
    """Scale image, 2D fields and intrinsics so that the long side is ``input_size`` px; metres stay.

    Args:
        input_size: px.
    """

    def __init__(self, input_size):
        self.input_size = input_size

    def __call__(self, sample):
        height, width = sample.img_shape
        return warp_sample(sample, Warp(np.eye(3), *through_window((0, 0, width, height), self.input_size)))


@TRANSFORMS.register_module()
class Pad:
    """Black rims of equal width on opposite sides, so that the principal point stays where it is in the picture.

    The network needs none: its preprocessor fills up with zeros on the right and below. This is for networks that take
    one shape.

    Args:
        divisor: both sides become multiples of this, px.
        square: whether the shorter side becomes as long as the longer one.
    """

    def __init__(self, divisor=1, square=False):
        self.divisor, self.square = divisor, square

    def __call__(self, sample):
        height, width = sample.img_shape
        wanted = (max(height, width), ) * 2 if self.square else (height, width)
        size = tuple(-(-side // self.divisor) * self.divisor for side in wanted)
        # Whole pixels, so that none is resampled.
        shift = np.array([[1., 0, (size[1] - width) // 2], [0, 1, (size[0] - height) // 2], [0, 0, 1]])
        return warp_sample(sample, Warp(np.eye(3), shift, size))


@TRANSFORMS.register_module()
class RandomView:
    """Roll, mirror, cut, scale and resize in one step, so that the picture is resampled once.

    The scene is rolled about the optical axis and mirrored with its truth; the rest only chooses a window of the
    picture, moves the intrinsics along and never changes metres. Scaling keeps the window's centre. Cutting moves the
    principal point off the picture's centre; the intrinsics say so exactly and the 2D targets follow them. The network
    takes the principal point to be at the centre, so a cut is an error of its camera's direction of at most
    atan(shift / f): that of a photograph somebody has cropped. ``crop`` is 0 unless asked for because of this; the cut
    below the spine is part of the published recipe (Metric-Aware HMR, arXiv 2511.13282).

    Args:
        input_size: long side of what comes out, px.
        rotation: largest roll to either side, degrees.
        scale: smallest and largest factor of the size of things; below 1 the picture gets a black rim.
        flip: probability of mirroring.
        below_spine: probability of cutting the bottom off somewhere below everybody's lowest spine joint (the hips in
            joint sets without spine), at most half of the picture.
        crop: largest share of width and of height that is cut at random.
    """

    def __init__(self, input_size, rotation=15., scale=(.8, 1.8), flip=.5, below_spine=.8, crop=0.):
        self.input_size, self.rotation, self.scale = input_size, rotation, scale
        self.flip, self.below_spine, self.crop = flip, below_spine, crop

    def __call__(self, sample):
        rng = generator_of(sample, self)
        intrinsics = intrinsics_of(sample)
        angle = np.radians(rng.uniform(-self.rotation, self.rotation))
        mirror = MIRROR if rng.random() < self.flip else np.eye(3)
        roll = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        world = roll @ mirror
        window = self._cropped(self._mirrored_frame(sample, intrinsics, mirror), rng)
        window = self._cut_below_spine(window, self._spine_rows(sample, intrinsics, world), rng)
        window = self._scaled(window, rng)
        return warp_sample(sample, Warp(world, *through_window(window, self.input_size)))

    @staticmethod
    def _mirrored_frame(sample, intrinsics, mirror):
        """The picture's own frame (x0, y0, x1, y1), which a mirror about the optical axis may shift."""
        height, width = sample.img_shape
        ends = (intrinsics @ mirror @ np.linalg.inv(intrinsics) @ [[0, width], [0, height], [1, 1]])[:2]
        return np.concatenate([ends.min(1), ends.max(1)])

    def _cropped(self, window, rng):
        cut = rng.uniform(0, self.crop, 2) * (window[2:] - window[:2])
        start = window[:2] + rng.random(2) * cut
        return np.concatenate([start, start + window[2:] - window[:2] - cut])

    @staticmethod
    def _spine_rows(sample, intrinsics, world):
        """Rows (px) of the spines after rolling and mirroring."""
        people = sample.gt_instances
        if 'keypoints_2d' not in people:
            return np.zeros(0)
        names = joint_names(sample)
        group = next((group for group in _SPINE if all(name in names for name in group)), ())
        joints = [names.index(name) for name in group]
        points, seen = (values[:, joints] for values in seen_joints(people))
        turned = intrinsics @ world @ np.linalg.inv(intrinsics)
        return points[seen] @ turned[1, :2] + turned[1, 2]

    def _cut_below_spine(self, window, rows, rng):
        wanted, where = rng.random() < self.below_spine, rng.random()
        if not wanted or len(rows) == 0:
            return window
        x0, y0, x1, y1 = window
        highest = np.clip(rows.max(), (y0 + y1) / 2, y1)
        return np.array([x0, y0, x1, highest + where * (y1 - highest)])

    def _scaled(self, window, rng):
        centre, half = (window[:2] + window[2:]) / 2, (window[2:] - window[:2]) / 2 / rng.uniform(*self.scale)
        return np.concatenate([centre - half, centre + half])
