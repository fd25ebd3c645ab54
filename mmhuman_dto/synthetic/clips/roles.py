"""What one person does next: walks somewhere, stands, sits down, comes and goes."""
import numpy as np

from .anatomy import speed_unit
from .motion import seat_distance
from .paths import Curve
from .steps import Sitting, Standing, turn, turned, walk
from .timeline import Timeline

#: Nobody turns in less than this radius while walking, m; shortest walk, m.
_RADIUS, _SHORTEST = .9, 1.2
#: Who sits down comes along the seat and turns away from it by such an angle, rad.
_ASIDE = 1.3, 1.9


class Role:
    """The plan of one person as it grows.

    Args:
        planner: :class:`~mmhuman_dto.synthetic.clips.planning.Planner`, which knows where there is room.
        room: m around the middle of the body.
    """

    def __init__(self, planner, anatomy, style, room):
        self.planner, self.anatomy, self.style, self.room = planner, anatomy, style, room
        self.rng, self.config, self.line = planner.rng, planner.config, Timeline()
        self.pace = self.rng.uniform(*self.config.pace)

    def planned(self):
        """The :class:`~mmhuman_dto.synthetic.clips.timeline.Timeline`, or None where nothing was found."""
        rng, line, duration, often = self.rng, self.line, self.planner.duration, self.config.enter_leave / 2
        enters = rng.uniform(-.05, .35) * duration if rng.random() < often else None
        leaves = rng.uniform(.15, .7) * duration if rng.random() < often else None
        start, line.heading = min(enters or 0, 0) - 1.1 - rng.uniform(0, 4), rng.uniform(-np.pi, np.pi)
        line.place = self.planner.inside(0) if enters is None else self.planner.outside(enters)
        if enters is not None and not (self._add(start, [self._stand(enters - start)]) and self._enter()):
            return None
        for _ in range(60 + int(4 * duration)):
            now = line.end if line.segments else start
            if now > duration + 1:
                return line
            if leaves is None or now < leaves:
                self._next(now)
            elif self._go(now, self.planner.outside(now + 3)):
                return line if self._add(line.end, [self._stand(2 * duration)]) else None
        return None

    def _enter(self):
        return any(self._go(self.line.end, self.planner.inside(self.line.end + 3)) for _ in range(8))

    def _next(self, now):
        """One thing more; if there is no room for it, the last one is taken back."""
        kinds, shares = zip(*self.config.activities)
        for _ in range(8):
            kind = self.rng.choice(kinds, p=np.array(shares) / sum(shares))
            if getattr(self, f'_{kind}')(now):
                return
        if self.line.segments:
            self.line.take_back()

    def _walk(self, now):
        return self._go(now, self.planner.inside(now + 3))

    def _wait(self, now):
        return self._add(now, [self._stand(self.rng.uniform(1, 5))])

    def _sit(self, now):
        """Turn aside, so that a seat is behind, and sit on it for a while."""
        line, rng = self.line, self.rng
        aside = rng.uniform(*_ASIDE) * rng.choice([-1, 1]) if line.segments else 0.
        heading = line.heading + aside
        seat = line.place - turned(heading, 0, seat_distance(self.anatomy))
        if not self.planner.free_seat(seat, line, self.room):
            return False
        segments = [self._turn(heading)] if aside else []
        segments.append(Sitting(line.place, heading, rng.uniform(5, 12), *self._feet()))
        if not self.planner.free(segments, now, self.room + .1):
            return False
        line.add(now, segments, line.place, heading)
        line.seats.append((seat, len(line.segments) - 1))
        return True

    def _go(self, now, target):
        """Walk to a place (2), with a turn before it where it is not ahead; whether there was room."""
        line = self.line
        along = target - line.place
        if np.linalg.norm(along) < _SHORTEST:
            return False
        straight = line.heading + _within(np.arctan2(*along) - line.heading)
        segments, heading = [], line.heading
        if abs(straight - heading) > np.radians(60):
            heading = straight + self.rng.uniform(-.4, .4)
            segments = [self._turn(heading)]
        curve = Curve(line.place, target, heading, self.rng.uniform(-.3, .3))
        if curve.sharpest() < _RADIUS:
            return False
        speed = self.pace * self.rng.uniform(.9, 1.1) * speed_unit(self.anatomy.leg)
        segments.append(walk(curve, curve.length, speed, self.anatomy, int(self.rng.integers(2)), *self._feet()[1:]))
        return self._add(now, segments, target, float(curve.heading(1.)))

    def _stand(self, duration):
        return Standing(self.line.place, self.line.heading, duration, *self._feet())

    def _turn(self, heading):
        return turn(self.line.place, self.line.heading, heading, *self._feet())

    def _feet(self):
        return self.anatomy, self.style.width, self.style.toe_out

    def _add(self, start, segments, place=None, heading=None):
        if not self.planner.free(segments, start, self.room, [seat for seat, _ in self.line.seats]):
            return False
        self.line.add(start, segments, place, heading)
        return True


def _within(angle):
    """The same angle from -pi to pi, rad."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
