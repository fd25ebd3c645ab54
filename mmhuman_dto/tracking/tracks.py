"""What is known of the people who are followed: arrays with a row a person."""
from dataclasses import dataclass, fields

import numpy as np

from .appearance import COLOURS
from .motion import Motion, begin, predict, update
from .seeing import BOX_SPEED, PLACE_SPEED, scaled

#: Frames that a height, and colours, are the mean of; after these the last ones count most.
HEIGHT_MEMORY, COLOUR_MEMORY = 300, 60
_ROWS = dict(numbers=(), ids=(), hits=(), misses=(), seen=(), place_mean=(6, ), place_cov=(6, 6), box_mean=(8, ),
             box_cov=(8, 8), last_box=(4, ), joints=(17, 2), joint_scores=(17, ), pose=(24, 3), log_heights=(),
             height_counts=(), colours=(COLOURS, ), colour_counts=())
_INTEGERS = ('numbers', 'ids', 'hits', 'misses', 'height_counts', 'colour_counts')


@dataclass
class Tracks:
    """T people, at one time.

    Attributes:
        numbers: (T) int, of the tracklet. ids: (T) int, -1 not confirmed.
        hits, misses: (T) frames in which it was seen, and the last ones in which it was not.
        seen: (T) s, when it was seen last.
        place_mean, place_cov: :class:`~.motion.Motion` in m, world. box_mean, box_cov: of box states, px.
        last_box: (T, 4) box state when it was seen last, to which ``joints`` (T, 17, 2) with ``joint_scores`` belong.
        pose: (T, 24, 3) m, when it was seen last.
        log_heights: (T) mean of ``height_counts`` frames. colours: (T, COLOURS), of ``colour_counts``.
    """
    numbers: np.ndarray
    ids: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    seen: np.ndarray
    place_mean: np.ndarray
    place_cov: np.ndarray
    box_mean: np.ndarray
    box_cov: np.ndarray
    last_box: np.ndarray
    joints: np.ndarray
    joint_scores: np.ndarray
    pose: np.ndarray
    log_heights: np.ndarray
    height_counts: np.ndarray
    colours: np.ndarray
    colour_counts: np.ndarray

    @classmethod
    def nobody(cls):
        return cls(**{name: np.zeros((0, *row), np.int64 if name in _INTEGERS else np.float64)
                      for name, row in _ROWS.items()})

    @classmethod
    def born(cls, seen, numbers, time):
        """Tracks that begin with what was :class:`~.seeing.Seen` at a time."""
        count, people = len(seen), seen.observations
        place = begin(seen.places, seen.place_noise, np.broadcast_to(PLACE_SPEED, (count, 3)))
        box = begin(seen.boxes, seen.box_noise, scaled(BOX_SPEED, seen.boxes))
        return cls(np.asarray(numbers, np.int64), np.full(count, -1), np.ones(count, np.int64),
                   np.zeros(count, np.int64), np.full(count, float(time)), place.mean, place.cov, box.mean, box.cov,
                   seen.boxes.copy(), people.joints.copy(), people.joint_scores.copy(), seen.pose.copy(),
                   np.log(people.heights), np.isfinite(people.heights).astype(np.int64), people.colours.copy(),
                   np.ones(count, np.int64))

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, rows):
        return Tracks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def __add__(self, other):
        return Tracks(*(np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                        for field in fields(self)))

    @property
    def place(self):
        return Motion(self.place_mean, self.place_cov)

    @property
    def box(self):
        return Motion(self.box_mean, self.box_cov)

    def move(self, seconds):
        """Let time go by."""
        place = predict(self.place, seconds, np.broadcast_to(PLACE_SPEED, (len(self), 3)))
        box = predict(self.box, seconds, scaled(BOX_SPEED, self.box_mean))
        self.place_mean, self.place_cov, self.box_mean, self.box_cov = place.mean, place.cov, box.mean, box.cov

    def see(self, rows, seen, time):
        """``seen[i]`` is the person of ``rows[i]``."""
        people = seen.observations
        self._move_to(rows, 'place', seen.places, seen.place_noise, np.broadcast_to(PLACE_SPEED, seen.places.shape))
        self._move_to(rows, 'box', seen.boxes, seen.box_noise, scaled(BOX_SPEED, seen.boxes))
        self.hits[rows] += 1
        self.misses += 1
        self.misses[rows] = 0
        self.seen[rows] = time
        for name, values in (('last_box', seen.boxes), ('joints', people.joints),
                             ('joint_scores', people.joint_scores), ('pose', seen.pose)):
            getattr(self, name)[rows] = values
        self._average(rows, 'log_heights', 'height_counts', np.log(people.heights), HEIGHT_MEMORY)
        self._average(rows, 'colours', 'colour_counts', np.where(seen.clear[:, None], people.colours, np.nan),
                      COLOUR_MEMORY)

    def _move_to(self, rows, name, places, noise, speeds):
        """Correct one of the motions, or begin it where it was unknown."""
        mean, cov = getattr(self, f'{name}_mean'), getattr(self, f'{name}_cov')
        new = update(Motion(mean[rows], cov[rows]), places, noise)
        first = np.isnan(mean[rows]).any(1)
        started = begin(places, noise, speeds)
        mean[rows] = np.where(first[:, None], started.mean, new.mean)
        cov[rows] = np.where(first[:, None, None], started.cov, new.cov)

    def _average(self, rows, name, counts, values, memory):
        known = np.isfinite(values) if values.ndim == 1 else np.isfinite(values).any(1)
        getattr(self, counts)[rows] += known
        old, rate = getattr(self, name)[rows], 1 / np.clip(getattr(self, counts)[rows], 1, memory)
        mixed = old + (values - old) * (rate if values.ndim == 1 else rate[:, None])
        getattr(self, name)[rows] = np.where(np.isnan(values), old, np.where(np.isnan(old), values, mixed))
