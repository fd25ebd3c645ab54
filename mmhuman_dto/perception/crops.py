"""What networks that look at one person at a time are shown."""
import numpy as np
import torch

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


def keypoints_by_image(samples, poses):
    """Keypoints (N, J, 2) px and scores (N, J) of each sample, from the (J, 3) array of each person, in order."""
    counts = [len(sample.detected_instances) for sample in samples]
    stacked = np.stack(poses) if poses else np.zeros((0, 17, 3))
    return [(rows[..., :2], rows[..., 2]) for rows in torch.from_numpy(stacked).float().split(counts)]


def crop(image, box):
    """The pixels (h, w, 3) of a box xyxy px, as far as the image goes; None where it has none."""
    x0, y0, x1, y1 = inside(box, image.shape)
    return np.ascontiguousarray(image[y0:y1, x0:x1]) if x1 > x0 and y1 > y0 else None


def inside(box, shape):
    """A box xyxy as whole pixels x0, y0, x1, y1 of an image of ``shape`` (H, W, ...)."""
    low, high = np.floor(box[:2]), np.ceil(box[2:])
    limit = shape[1], shape[0]
    return *(int(np.clip(v, 0, n)) for v, n in zip(low, limit)), *(int(np.clip(v, 0, n)) for v, n in zip(high, limit))




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
