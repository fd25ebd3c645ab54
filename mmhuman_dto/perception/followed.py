"""People of one frame of a video, as they are looked for in the next one."""
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmhuman_dto.movenet.people import extent
from mmhuman_dto.structures.fields import SEEN_SCORE

from .blazepose_joints import combine, far_apart, in_domain
from .blazepose_look import outside

#: Joints nearer than this part of a person's size, on the median, are that person's.
NEAR = .25
#: Somebody is there for BlazePose if it says so, or if it finds joints with this mean score: people in a real clip have
#: more than .97 and .58, half hidden ones in rendered clips often the second alone; of 90 empty places at most 6 have
#: either.
PRESENT, MIN_SCORE = .5, .35
#: What is left, a frame later, of the scores by MoveNet of somebody whom BlazePose does not see: gone after two or
#: three.
KEEP = .6
#: How much of the last step is in a velocity.
NEW_STEP = .5


@dataclass(frozen=True)
class Followed:
    """N people of one frame.

    Attributes:
        joints: (N, 17, 2) px. scores: (N, 17). By all that is known.
        first: (N, 17, 2) px. first_scores: (N, 17). By MoveNet, which looked at them now or some frames ago: then moved
            on with what BlazePose sees.
        offsets: (N, 17, 2) px, MoveNet's joints less BlazePose's when both looked last; nan where they disagreed.
        velocities: (N, 2) px a frame.
        fresh: (N) whether MoveNet saw them in this frame.
    """
    joints: np.ndarray
    scores: np.ndarray
    first: np.ndarray
    first_scores: np.ndarray
    offsets: np.ndarray
    velocities: np.ndarray
    fresh: np.ndarray

    @classmethod
    def new(cls, joints, scores):
        """People whom MoveNet sees, with joints (N, 17, 2) px and scores (N, 17), and of whom nothing else is known."""
        joints, scores = np.reshape(joints, (-1, 17, 2)).astype(float), np.reshape(scores, (-1, 17)).astype(float)
        return cls(joints, scores, joints, scores, np.full_like(joints, np.nan), np.zeros((len(joints), 2)),
                   np.ones(len(joints), bool))

    @classmethod
    def nobody(cls):
        return cls.new([], [])

    def __len__(self):
        return len(self.joints)

    def __getitem__(self, rows):
        return Followed(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def sizes(self):
        """(N) px, longer side of the box around the joints seen."""
        return extent(self.joints, self.scores >= SEEN_SCORE)

    def moved(self, shape):
        """Where they are a frame later in a picture of ``shape`` (H, W), as far as velocities tell."""
        joints = self.joints + self.velocities[:, None]
        return replace(self, joints=joints, first=joints, fresh=np.zeros(len(self), bool),
                       first_scores=np.where(outside(joints, shape), 0, self.first_scores))

    def seen_by_first(self, joints, scores):
        """They, and what MoveNet sees now, joints (M, 17, 2) and scores (M, 17); who is new comes last."""
        rows, theirs = matched(self, joints)
        others = Followed.new(np.delete(joints, theirs, 0), np.delete(scores, theirs, 0))
        both = Followed(*(np.concatenate([getattr(self, field.name), getattr(others, field.name)])
                          for field in fields(self)))
        both.first[rows], both.first_scores[rows], both.fresh[rows] = joints[theirs], scores[theirs], True
        return both

    def seen_by_second(self, second):
        """They, with what BlazePose sees (:class:`~.blazepose_look.Seen`) in the same frame."""
        stale = ~self.fresh
        present = (second.presence >= PRESENT) | (second.scores.mean(1) >= MIN_SCORE)
        agree = (second.scores > 0) & ~far_apart(self.first, self.first_scores, second.joints)
        now = np.where(agree[..., None], self.first - second.joints, np.nan)
        offsets = np.where(self.fresh[:, None, None], now, self.offsets)
        carried = second.joints + offsets
        usable = present[:, None] & np.isfinite(carried).all(-1)
        first = np.where(usable[..., None], carried, self.first)
        first_scores = self.first_scores * np.where(stale & ~present, KEEP, 1)[:, None]
        joints, scores = combine(first, first_scores, second.joints,
                                 np.where(in_domain(self.first_scores), second.scores, 0))
        return replace(self, joints=joints, scores=scores, first=first, first_scores=first_scores, offsets=offsets)

    def with_steps_from(self, before):
        """They, with velocities: the first ``len(before)`` rows are the people of the frame before."""
        velocities = self.velocities.copy()
        for row, seen in enumerate((self.scores[:len(before)] >= SEEN_SCORE) & (before.scores >= SEEN_SCORE)):
            if seen.any():
                step = np.median(self.joints[row, seen] - before.joints[row, seen], 0)
                velocities[row] += NEW_STEP * (step - velocities[row])
        return replace(self, velocities=velocities)


def matched(people, joints):
    """Rows of :class:`Followed` people and of joints (M, 17, 2) that are one person each."""
    distance, size = np.full((len(people), len(joints)), np.inf), people.sizes
    for row, seen in enumerate(people.scores >= SEEN_SCORE):
        if seen.any():
            apart = np.linalg.norm(joints[:, seen] - people.joints[row, seen], axis=-1)
            distance[row] = np.median(apart, 1) / max(size[row], 1)
    rows, theirs = linear_sum_assignment(np.minimum(distance, 2 * NEAR))
    near = distance[rows, theirs] < NEAR
    return rows[near], theirs[near]
