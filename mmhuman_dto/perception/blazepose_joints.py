"""A second look at everybody by the bundled BlazePose: better joints, and masks, of people who have joints already."""
import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.movenet.people import extent, mean_score, same_person
from mmhuman_dto.movenet.people import people as is_person
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import PeopleSource
from .blazepose import COCO17, SIDE, STRIDE, BlazePose
from .optional import in_batches

WEIGHTS = Path(__file__).parent / 'data' / 'blazepose_full.safetensors'
#: The square shown is this many times the one around the circle about the hips that holds all joints (MediaPipe's
#: rule).
MARGIN = 1.25
#: Cells of a heat map, in x and in y, around the landmark that say where it is exactly (MediaPipe's).
WINDOW = 7
#: A joint's standard deviation, part of the person's size: a exp(-b score) of the first look and of the second, as
#: measured on photos and rendered crowds.
FIRST_STD, SECOND_STD = (.15, 2.6), (.30, 3.7)
#: Looks at a joint that are farther from each other, part of the person's size, are of different things.
FAR = .2
#: Least mean score of a person's joints; whoever was found with less in a real clip was nobody.
MIN_MEAN = .4
#: COCO's shoulders and hips.
_SHOULDERS, _HIPS = [5, 6], [11, 12]


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


@SOURCES.register_module()
class BlazePoseJoints(PeopleSource):
    """People of another source, each looked at again by BlazePose GHUM full in an upright square of its own.

    Their joints become the mean of both looks, each weighted by how exact its score says it is, and so do the joints'
    scores; ``bboxes`` and ``scores`` follow as :class:`MoveNetJoints` defines them. Who turns out to be nobody, or one
    of the others, goes.

    Args:
        people: config of a people source with joints ('coco17'); None: MoveNetJoints.
        masks: whether people get ``masks`` (H, W) too.
        min_mean: least mean score of a person's joints.
        batch_size: people that go through the network together.
        device: None is a GPU where there is one.
    """
    joint_set = 'coco17'
    sets = ('detected_instances.keypoints_2d', )

    def __init__(self, people=None, masks=False, min_mean=MIN_MEAN, batch_size=16, device=None):
        self.people = SOURCES.build(people or dict(type='MoveNetJoints', device=device))
        if getattr(self.people, 'joint_set', None) != self.joint_set:
            raise ValueError(f'people: {type(self.people).__name__} finds no {self.joint_set} joints, which say where '
                             'BlazePose has to look; take MoveNetJoints')
        self.masks, self.min_mean, self.batch_size, self.device = masks, min_mean, batch_size, pick_device(device)
        self.network = BlazePose().eval()
        self.network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
        self.network.to(self.device, memory_format=torch.channels_last)

    def __call__(self, samples):
        return [self._look_again(sample.image, people) for sample, people in zip(samples, self.people(samples))]

    @torch.no_grad()
    def _look_again(self, image, people):
        first, first_scores = people.keypoints_2d.double().numpy(), people.keypoints_2d_valid.double().numpy()
        squares = [square_around(*person) for person in zip(first, first_scores)]
        second, second_scores, masks = np.zeros_like(first), np.zeros_like(first_scores), []
        for rows in in_batches(range(len(people)), self.batch_size):
            shown = torch.from_numpy(np.stack([show(image, squares[row]) for row in rows])).to(self.device)
            output = self.network(shown.permute(0, 3, 1, 2).float() / 255, self.masks)
            joints, second_scores[rows] = (values.cpu().numpy() for values in decode(output))
            second[rows] = [squares[row].to_image(person) for row, person in zip(rows, joints)]
            if self.masks:
                masks += [put_back(mask, squares[row], image.shape[:2]) > .5
                          for row, mask in zip(rows, output.masks.cpu().numpy())]
        usable = ((second >= 0) & (second <= image.shape[1::-1])).all(-1) & in_domain(first_scores)
        joints, scores = combine(first, first_scores, second, np.where(usable, second_scores, 0))
        rows = distinct(joints, scores, self.min_mean)
        joints, scores = joints[rows], scores[rows]
        found = People(
            bboxes=torch.from_numpy(joint_boxes(joints, scores >= SEEN_SCORE)).float(),
            scores=torch.from_numpy(mean_score(scores)).float(), keypoints_2d=torch.from_numpy(joints).float(),
            keypoints_2d_valid=torch.from_numpy(scores).float())
        if self.masks:
            found.masks = torch.from_numpy(np.array(masks, bool).reshape(-1, *image.shape[:2])[rows])
        return found


def distinct(joints, scores, min_mean):
    """Rows of people (N, 17, 2) with scores (N, 17) who are sure enough, best first, each once."""
    rows = []
    for row in np.argsort(-scores.sum(1)):
        if is_person(scores[row:row + 1], min_mean) and not any(
                same_person(joints[row], scores[row], joints[better], scores[better]) for better in rows):
            rows.append(row)
    return np.array(rows, int)


def square_around(joints, scores):
    """The :class:`Square` of a person with joints (17, 2), px, and scores (17,): hips in the middle, shoulders above.

    Where no shoulder or no hip is seen, it stands upright in the middle of the joints.
    """
    seen = scores >= SEEN_SCORE
    if seen[_SHOULDERS].any() and seen[_HIPS].any():
        center = joints[_HIPS].mean(0)
        x, y = joints[_SHOULDERS].mean(0) - center
        angle = math.atan2(x, -y)
    else:
        center, angle = (joints[seen].min(0) + joints[seen].max(0)) / 2, 0.
    radius = np.linalg.norm(joints[seen] - center, axis=-1).max()
    return Square(center, max(2 * MARGIN * radius, 1.), angle)


def show(image, square):
    """The pixels (256, 256, 3) uint8 of a square of an image; black outside of the image."""
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


def in_domain(first_scores):
    """(N, 17) joints of which a second look can be believed.

    BlazePose looks for a whole body: shown a head and shoulders it puts hips and legs on them. Without hips in the
    first look it is asked of the joints only that the first look saw.
    """
    seen = first_scores >= SEEN_SCORE
    return seen | seen[:, _HIPS].any(1, keepdims=True)


def combine(first, first_scores, second, second_scores):
    """The mean of two looks at joints (N, J, 2) with scores (N, J), each weighted by the inverse of its variance.

    Where they are far from each other one of them is wrong: the more exact one is taken, its score times its share of
    the weights.
    """
    weights = [(a * np.exp(-b * scores))**-2 for (a, b), scores in
               ((FIRST_STD, first_scores), (SECOND_STD, second_scores))]
    share = weights[1] / sum(weights)
    distance = np.linalg.norm(second - first, axis=-1)
    is_far, is_second = distance > FAR * extent(first, first_scores >= SEEN_SCORE)[:, None], share > .5
    joints = first + np.where(is_far, is_second, share)[..., None] * (second - first)
    best = np.where(is_second, share * second_scores, (1 - share) * first_scores)
    return joints, np.where(is_far, best, first_scores + share * (second_scores - first_scores))
