"""What BlazePose is shown of people, upright squares of a picture, and how its answer is read."""
import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.structures.fields import SEEN_SCORE

from .blazepose import COCO17, SIDE, STRIDE, BlazePose
from .crops import Halves
from .optional import in_batches

WEIGHTS = Path(__file__).parent / 'data' / 'blazepose_full.safetensors'
#: The square shown is this many times the one around the circle about the hips that holds all joints (MediaPipe's
#: rule).
MARGIN = 1.25
#: Cells of a heat map, in x and in y, around the landmark that say where it is exactly (MediaPipe's).
WINDOW = 7
#: COCO's shoulders and hips.
SHOULDERS, HIPS = [5, 6], [11, 12]


class Square(NamedTuple):
    """What the network is shown of a person: center (2,) and size, px of the picture, turned by an angle, rad.

    The angle is that from the picture's upwards to the person's, clockwise.
    """
    center: np.ndarray
    size: float
    angle: float

    @property
    def matrix(self):
        """(2, 3): pixels of the picture -> pixels of the square resized to the network's input."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[cos, sin], [-sin, cos]]) * SIDE / self.size
        return np.concatenate([turn, (SIDE / 2 - turn @ self.center)[:, None]], 1)

    def to_image(self, points):
        """(N, 2) px of the picture of pixels of the network's input."""
        back = cv2.invertAffineTransform(self.matrix)
        return points @ back[:, :2].T + back[:, 2]


class Seen(NamedTuple):
    """What BlazePose says of N people of an image.

    Attributes:
        joints: (N, 17, 2), px of the image. scores: (N, 17) 0..1, 0 where a joint lies outside of the image.
        presence: (N) 0..1 how likely somebody is there at all.
        masks: (N, H, W) bool; None unless asked for.
    """
    joints: np.ndarray
    scores: np.ndarray
    presence: np.ndarray
    masks: np.ndarray | None


class BlazePoseLook:
    """The network, with its published weights, and what it says of people in squares of a picture.

    Args:
        batch_size: people that go through the network together.
        device: None is a GPU where there is one.
    """

    def __init__(self, batch_size=16, device=None):
        self.batch_size, self.device = batch_size, pick_device(device)
        self.network = BlazePose().eval()
        self.network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
        self.network.to(self.device, memory_format=torch.channels_last)

    @torch.no_grad()
    def __call__(self, image, squares, masks=False):
        """:class:`Seen` in squares of an image (H, W, 3) uint8 RGB, or of its :class:`~.crops.Halves`."""
        halves = image if isinstance(image, Halves) else Halves(image)
        joints, scores, presence = np.zeros((len(squares), 17, 2)), np.zeros((len(squares), 17)), np.zeros(len(squares))
        drawn = []
        for rows in in_batches(range(len(squares)), self.batch_size):
            shown = torch.from_numpy(np.stack([show(halves, squares[row]) for row in rows])).to(self.device)
            output = self.network(shown.permute(0, 3, 1, 2).float() / 255, masks)
            near, scores[rows] = (values.cpu().numpy() for values in decode(output))
            presence[rows] = output.presence.cpu().numpy()
            joints[rows] = [squares[row].to_image(person) for row, person in zip(rows, near)]
            if masks:
                drawn += [put_back(mask, squares[row], halves.shape) > .5
                          for row, mask in zip(rows, output.masks.cpu().numpy())]
        scores[outside(joints, halves.shape)] = 0
        return Seen(joints, scores, presence, np.array(drawn, bool).reshape(-1, *halves.shape) if masks else None)


def outside(joints, shape):
    """(N, J) which joints (N, J, 2), px, are not in a picture of ``shape`` (H, W)."""
    return ((joints < 0) | (joints > shape[::-1])).any(-1)


def square_around(joints, scores):
    """The :class:`Square` of a person with joints (17, 2), px, and scores (17,): hips in the middle, shoulders above.

    Where no shoulder or no hip is seen, it stands upright in the middle of the joints.
    """
    seen = scores >= SEEN_SCORE
    if seen[SHOULDERS].any() and seen[HIPS].any():
        center = joints[HIPS].mean(0)
        x, y = joints[SHOULDERS].mean(0) - center
        angle = math.atan2(x, -y)
    else:
        center, angle = (joints[seen].min(0) + joints[seen].max(0)) / 2, 0.
    radius = np.linalg.norm(joints[seen] - center, axis=-1).max()
    return Square(center, max(2 * MARGIN * radius, 1.), angle)


def show(halves, square):
    """The pixels (256, 256, 3) uint8 of a square of an image's :class:`~.crops.Halves`; black outside of the image."""
    image, part = halves.at_least(SIDE / square.size)
    square = Square(square.center * part, square.size * part, square.angle)
    # Taken at a multiple of the resolution, so that no pixel of the image is skipped, then averaged.
    finer = max(1, math.ceil(square.size / SIDE))
    large = cv2.warpAffine(image, _from_centers(square.matrix * finer), (finer * SIDE, ) * 2, flags=cv2.INTER_LINEAR)
    return cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def put_back(mask, square, shape):
    """What the network says of a square's pixels (256, 256), on a picture of ``shape`` (H, W); 0 outside."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, _from_centers(square.matrix), shape[::-1], flags=flags)


def _from_centers(matrix):
    """A (2, 3) matrix for OpenCV, whose pixels have their centres at integers."""
    return np.concatenate([matrix[:, :2], (matrix[:, 2] + matrix[:, :2].sum(1) * .5 - .5)[:, None]], 1)


def decode(output):
    """COCO's joints of a batch of :class:`~.blazepose.BlazePoseOutput`.

    A joint is the centre of gravity of its heat map in the window around its landmark (MediaPipe's refinement); its
    score is the largest heat there, 0 where the landmark lies outside of the picture.

    Returns:
        tuple: joints (B, 17, 2), px of the network's input, and scores (B, 17) 0..1.
    """
    rough, heat = output.landmarks[:, COCO17, :2], output.heat[:, COCO17]
    cells = torch.arange(heat.shape[-1], device=heat.device)
    near = ((rough / STRIDE).floor()[..., None] - cells).abs() <= WINDOW // 2  # (B, 17, 2, 64)
    inside = ((rough >= 0) & (rough < SIDE)).all(-1)
    near = near & inside[..., None, None]
    heat = heat * near[:, :, 0, None, :] * near[:, :, 1, :, None]
    total = heat.sum((2, 3))
    mean = torch.stack([(heat.sum(2) * cells).sum(-1), (heat.sum(3) * cells).sum(-1)], -1) / total[..., None]
    return torch.where(total[..., None] > 0, STRIDE * mean, rough), heat.amax((2, 3))
