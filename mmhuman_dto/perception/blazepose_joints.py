"""A second look at everybody by the bundled BlazePose: better joints, and masks, of people who have joints already."""
import numpy as np
import torch

from mmhuman_dto.movenet.people import extent, same_person
from mmhuman_dto.movenet.people import people as is_person
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import PeopleSource
from .blazepose_look import HIPS, BlazePoseLook, square_around
from .movenet_joints import as_people

#: A joint's standard deviation, part of the person's size: a exp(-b score) of the first look and of the second, as
#: measured on photos and rendered crowds.
FIRST_STD, SECOND_STD = (.15, 2.6), (.30, 3.7)
#: Looks at a joint that are farther from each other, part of the person's size, are of different things.
FAR = .2
#: Least mean score of a person's joints; whoever was found with less in a real clip was nobody.
MIN_MEAN = .4


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
        self.masks, self.min_mean = masks, min_mean
        self.look = BlazePoseLook(batch_size, device)

    def __call__(self, samples):
        return [self._look_again(sample.image, people) for sample, people in zip(samples, self.people(samples))]

    def _look_again(self, image, people):
        first, first_scores = people.keypoints_2d.double().numpy(), people.keypoints_2d_valid.double().numpy()
        squares = [square_around(*person) for person in zip(first, first_scores)]
        second = self.look(image, squares, self.masks)
        joints, scores = combine(first, first_scores, second.joints,
                                 np.where(in_domain(first_scores), second.scores, 0))
        rows = distinct(joints, scores, self.min_mean)
        found = as_people(joints[rows], scores[rows])
        if self.masks:
            found.masks = torch.from_numpy(second.masks[rows])
        return found


def distinct(joints, scores, min_mean):
    """Rows of people (N, 17, 2) with scores (N, 17) who are sure enough, best first, each once.

    Args:
        min_mean: least mean score, or (N) of each.
    """
    rows, least = [], np.broadcast_to(min_mean, len(joints))
    for row in np.argsort(-scores.sum(1)):
        if is_person(scores[row:row + 1], least[row]) and not any(
                same_person(joints[row], scores[row], joints[better], scores[better]) for better in rows):
            rows.append(row)
    return np.array(rows, int)


def in_domain(first_scores):
    """(N, 17) joints of which a second look can be believed.

    BlazePose looks for a whole body: shown a head and shoulders it puts hips and legs on them. Without hips in the
    first look it is asked of the joints only that the first look saw.
    """
    seen = first_scores >= SEEN_SCORE
    return seen | seen[:, HIPS].any(1, keepdims=True)


def combine(first, first_scores, second, second_scores):
    """The mean of two looks at joints (N, J, 2) with scores (N, J), each weighted by the inverse of its variance.

    Where they are far from each other (:func:`far_apart`) one of them is wrong: the more exact one is taken, its score
    times its share of the weights.
    """
    weights = [(a * np.exp(-b * scores))**-2 for (a, b), scores in
               ((FIRST_STD, first_scores), (SECOND_STD, second_scores))]
    share = weights[1] / sum(weights)
    is_far, is_second = far_apart(first, first_scores, second), share > .5
    joints = first + np.where(is_far, is_second, share)[..., None] * (second - first)
    best = np.where(is_second, share * second_scores, (1 - share) * first_scores)
    return joints, np.where(is_far, best, first_scores + share * (second_scores - first_scores))


def far_apart(first, first_scores, second):
    """(N, J) which joints of two looks (N, J, 2) are too far from each other, for the person's size, to be the same."""
    size = extent(first, first_scores >= SEEN_SCORE)
    return np.linalg.norm(second - first, axis=-1) > FAR * size[:, None]
