"""Steps: feet that stand on footprints, roll over heel and ball, and swing to the next one, along any path.

Everything is in the *floor* frame: x right, y up, z towards the viewer, the ground y = 0; a body of heading 0 faces z,
and headings, rad, turn z towards x.

A walk is counted in steps by its phase: foot j lands on footprint j shortly before phase j - 0.5 and carries the body,
which passes above it at phase j, until shortly after j + 0.5. Feet that stand rest on the ball of the foot: from where
the sole is down until the toes leave, the ball does not move, and the leg is bent to reach it (see ``legs``).
"""
from dataclasses import dataclass

import numpy as np

from .anatomy import double_support, speed_unit, step_length

#: Pitch of feet, rad, of a full step: heel first, and as the toes leave.
_STRIKE, _PUSH = np.radians([18, 64])
#: Parts of a step: from heel to sole at most, and from sole to toes.
_LOADING, _ROLLING = .2, .6
#: Where feet stand: ankles are this part of a leg behind the body's place; how far a walking body leads, in legs.
BEHIND, _LEAD = .033, .09
#: How high the ball swings, in legs: at least, and of a full step besides.
_LIFT, _SWING = .02, .055
#: Half the distance of walking feet, in that of standing ones.
_NARROW = .5


def smooth(x):
    """0 up to 0, 1 from 1 on, with no slope at both."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


@dataclass
class Moves:
    """How a body goes over the ground in F frames; rows of two are left and right."""
    place: np.ndarray  # (F, 2) x, z under the pelvis, m
    heading: np.ndarray  # (F) rad
    balls: np.ndarray  # (F, 2, 3) joints of the balls of the feet, m
    yaw: np.ndarray  # (F, 2) heading of the feet, rad
    pitch: np.ndarray  # (F, 2) rad, > 0 with the heel up
    bend: np.ndarray  # (F, 2) how far the toes are bent up against the foot, rad
    contact: np.ndarray  # (F, 2) bool, whether the ball is on the ground and does not move
    stride: np.ndarray  # (F) -1 as the left foot lands, 1 as the right one does, times how long the step is
    support: np.ndarray  # (F) 1 over the left foot, -1 over the right one, times how much the body moves
    sunk: np.ndarray  # (F) from 0, on the feet, to 1, on a seat

    @classmethod
    def joined(cls, parts):
        """One after the other."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__})


class Steps:
    """A walk or turn from standing to standing.

    Args:
        path: has ``place(u)`` (*, 2) and ``heading(u)`` (*) for u from 0 to 1.
        count: number of steps. cadence: steps/s. width: m between standing feet. first: the side, 0 left, that starts.
        speed: m/s, for the name and the roll of the foot. toe_out: rad.
    """

    def __init__(self, path, count, cadence, speed, anatomy, first, name, width, toe_out):
        self.path, self.count, self.cadence, self.speed, self.anatomy = path, count, cadence, speed, anatomy
        self.first, self.name = first, name
        self.both = double_support(speed, anatomy.leg) if speed else .3
        self.loading = min(_LOADING, .95 * self.both)  # the sole is down before the other foot leaves
        # From where the first foot begins to roll until the last one is down.
        self.begin, end = -.5 + self.both / 2 - _ROLLING, count + .5 + max(0, self.loading - self.both / 2)
        self.duration = (end - self.begin) / cadence
        self._lay_footprints(width, toe_out)

    def _lay_footprints(self, width, toe_out):
        rows = np.arange(-1, self.count + 2)
        u = np.clip(rows, 0, self.count) / self.count
        side = np.where((self.first + rows) % 2 == 0, 1, -1)  # left is towards x
        inner = (rows > 0) & (rows < self.count) & (self.speed > 0)
        heading = self.path.heading(u)
        self.prints = self.path.place(u) + turned(heading, side * width / 2 * np.where(inner, _NARROW, 1), 0)
        self.print_yaw = heading + side * toe_out
        # How much of a full step leads to each footprint, from the same foot's last one.
        full = 2 * .78 * self.anatomy.leg
        before = np.concatenate([self.prints[:2], self.prints[:-2]])
        self.ratio = np.clip(np.linalg.norm(self.prints - before, axis=1) / full, 0, 1.1)

    def at(self, times):
        """:class:`Moves` at times (F), s, from the start."""
        phase = self._phase(times)
        place, heading, moving = self.body(phase)
        feet = [self._foot(side, phase) for side in (0, 1)]
        balls, yaw, pitch, bend, contact = (np.stack(values, 1) for values in zip(*feet))
        sign = (-1.)**self.first
        length = moving * min(1, 2 * self.ratio.max()) if self.speed else 0 * moving
        return Moves(place, heading, balls, yaw, pitch, bend, contact,
                     sign * -np.cos(np.pi * (phase + .5)) * length, sign * np.cos(np.pi * phase) * moving,
                     np.zeros(len(phase)))

    def names(self, times):
        """What the person does at times (F)."""
        return [self.name] * len(times)

    def place_at(self, times):
        """Places (F, 2), as those of :meth:`at`."""
        return self.body(self._phase(times))[0]

    def _phase(self, times):
        return self.begin + self.cadence * np.asarray(times)

    def body(self, phase):
        """Place (F, 2), heading (F), and how fast it goes, 0..1 (F), at phases (F)."""
        u, moving = self.progress(phase)
        heading = self.path.heading(u)
        lead = _LEAD * self.anatomy.leg * self.speed / (.45 * speed_unit(self.anatomy.leg))
        return self.path.place(u) + turned(heading, 0, lead * moving), heading, moving

    def progress(self, phase):
        """Part of the path that the body is along, and its slope in steps a step; speed grows and falls in one step."""
        from_start, to_end = np.maximum(phase + .5, 0), np.maximum(self.count + .5 - phase, 0)
        done = np.where(from_start < to_end, _eased(from_start), self.count - _eased(to_end))
        return done / self.count, smooth(np.minimum(from_start, to_end))

    def _foot(self, side, phase):
        """Ball (F, 3), yaw, pitch, bend and contact (F) of a foot."""
        mine = np.arange(-1, self.count + 2)
        mine = mine[(self.first + mine) % 2 == side]
        lifts, lands = mine[1:] - 1.5 + self.both / 2, mine[1:] - .5 - self.both / 2
        now = np.searchsorted(lifts, phase, 'right')
        land = np.append(-np.inf, lands)[now]
        leave = np.append(lifts, np.inf)[now]  # of the step after
        row, last = mine[now] + 1, mine[np.maximum(now - 1, 0)] + 1
        after = mine[np.minimum(now + 1, len(mine) - 1)] + 1
        strike, push, next_push = _STRIKE * self.ratio[row], _PUSH * self.ratio[row], _PUSH * self.ratio[after]

        swinging = phase < land
        s = np.where(swinging, 1 + (phase - land) / (1 - self.both), 1)
        loaded = (phase - land) / self.loading
        rolled = smooth(1 - (leave - phase) / _ROLLING)
        pitch = np.where(swinging, push - (push + strike) * smooth(s),
                         next_push * rolled - strike * (1 - smooth(loaded)))
        bend = np.where(swinging, push * (1 - smooth(2 * s)), next_push * rolled)
        yaw = np.where(swinging, _between(self.print_yaw[last], self.print_yaw[row], smooth(s)), self.print_yaw[row])
        ball = np.where(swinging[:, None], self._swing(side, s, last, row, strike),
                        self._standing(side, row, np.minimum(pitch, 0)))
        return ball, yaw, pitch, bend, ~swinging & (loaded >= 1)

    def _standing(self, side, row, pitch):
        """Ball (F, 3) over footprints, with the toes up by rolling over the heel for pitches (F) below 0."""
        a = self.anatomy
        prints, yaw = self.prints[row], self.print_yaw[row]
        ahead = a.ball[side] - a.heel[side]
        ankle = prints - turned(yaw, 0, BEHIND * a.leg)
        c, s = np.cos(pitch), np.sin(pitch)
        across, up, along = a.ball[side, 0], c * ahead[1] - s * ahead[2], s * ahead[1] + c * ahead[2] + a.heel[side, 2]
        flat = ankle + turned(yaw, across, along)
        return np.stack([flat[:, 0], up, flat[:, 1]], 1)

    def _swing(self, side, s, last, row, strike):
        start = self._standing(side, last, np.zeros(len(s)))
        end = self._standing(side, row, -strike)
        ball = _between(start, end, smooth(s)[:, None])
        ball[:, 1] += (_LIFT + _SWING * self.ratio[row]) * self.anatomy.leg * 6.75 * s * (1 - s)**2
        return ball


class Standing:
    """Both feet side by side at a place (2) with a heading, for a duration, s."""
    name, speed = 'standing', 0.

    def __init__(self, place, heading, duration, anatomy, width, toe_out):
        self.place, self.duration = np.asarray(place), duration
        self._steps = Steps(Spot(place, heading), 1, 1., 0., anatomy, 0, self.name, width, toe_out)

    def at(self, times):
        """As of :meth:`Steps.at`."""
        return self._steps.at(np.zeros(len(times)))

    def names(self, times):
        return [self.name] * len(times)

    def place_at(self, times):
        return np.broadcast_to(self.place, (len(times), 2))


class Sitting(Standing):
    """Sit down, stay on a seat, stand up; the feet stay where they stood."""

    def __init__(self, place, heading, duration, anatomy, width, toe_out):
        super().__init__(place, heading, duration, anatomy, width, toe_out)
        #: how long sitting down and standing up take, s
        self.change = 1.7 * np.sqrt(anatomy.leg / .9)

    def at(self, times):
        times, moves = np.asarray(times), super().at(times)
        moves.sunk = smooth(times / self.change) * smooth((self.duration - times) / self.change)
        return moves

    def names(self, times):
        return ['sitting down' if time < self.change else 'sitting' if time < self.duration - self.change else
                'standing up' for time in times]


class Spot:
    """A path that turns on the spot from one heading to another."""

    def __init__(self, spot, heading, end=None):
        self.spot, self.headings = np.asarray(spot, float), (heading, heading if end is None else end)

    def place(self, u):
        return np.broadcast_to(self.spot, (*np.shape(u), 2))

    def heading(self, u):
        return _between(*self.headings, np.asarray(u, float))


def turned(heading, across, along):
    """(*, 2) x, z of what is so far to the left and ahead of a heading (*)."""
    c, s = np.cos(heading), np.sin(heading)
    return np.stack([across * c + along * s, along * c - across * s], -1)


def _between(a, b, part):
    return a + (b - a) * part


def _eased(x):
    """Steps made by a phase x from standing: speed grows smoothly in one step, then stays."""
    start = np.clip(x, 0, 1)
    return start**3 - start**4 / 2 + np.maximum(x - 1, 0)


def walk(path, length, speed, anatomy, first, width, toe_out):
    """:class:`Steps` along a path of a length, m, at a speed, m/s."""
    count = max(2, round(length / step_length(speed, anatomy.leg)))
    return Steps(path, count, speed * count / length, speed, anatomy, first, 'walking', width, toe_out)


def turn(place, heading, end, anatomy, width, toe_out):
    """:class:`Steps` from one heading to another on the spot; the inner foot is first."""
    count = max(2, int(np.ceil(abs(end - heading) / np.radians(42))))
    cadence = 1.95 * np.sqrt(.9 / anatomy.leg)
    return Steps(Spot(place, heading, end), count, cadence, 0., anatomy, 1 if end > heading else 0, 'turning', width,
                 toe_out)
