"""Where there is room for what people do, so that nobody goes through anybody: one person after the other."""
import numpy as np

from .roles import Role

#: Room around the middle of a body, parts of its height; nobody comes nearer to the camera than this, m.
_ROOM, _TO_CAMERA = .24, 1.2
#: How far from the middle of a seat bodies are that pass by, m more than their room, and its sitter, parts of its room.
_TO_SEAT, _TO_OWN_SEAT = .3, 1.
#: Places are compared this often, 1/s.
_CHECKS = 8.
#: Everybody is in view for this part of a clip at least.
_SEEN = .25


class Planner:
    """Plans people one after the other for a clip of a camera.

    Args:
        camera: :class:`~mmhuman_dto.synthetic.clips.cameras.CameraPath`. config: :class:`ClipConfig`.
    """

    def __init__(self, camera, config, rng):
        self.camera, self.config, self.rng = camera, config, rng
        self.duration = config.frames / config.fps
        self.times = np.arange(-1, self.duration + 1, 1 / _CHECKS)
        self.others, self.rooms, self.seats = np.zeros((0, len(self.times), 2)), np.zeros(0), np.zeros((0, 2))
        frames = np.clip(np.round(self.times * config.fps).astype(int), 0, config.frames - 1)
        self.lens, self.turns = camera.positions[frames], camera.rotations[frames]

    def add(self, anatomy, style, height):
        """The :class:`~mmhuman_dto.synthetic.clips.timeline.Timeline` of one more person; None without room for it."""
        room = _ROOM * height
        for _ in range(25):
            timeline = Role(self, anatomy, style, room).planned()
            if timeline is None:
                continue
            places = timeline.places(self.times)
            if self._seen(places, height) >= _SEEN:
                self.others, self.rooms = np.concatenate([self.others, places[None]]), np.append(self.rooms, room)
                self.seats = np.concatenate([self.seats, np.reshape([seat for seat, _ in timeline.seats], (-1, 2))])
                return timeline
        return None

    def free(self, segments, start, room, own_seats=()):
        """Whether segments, one after the other from a time on, keep away from all who are planned and the camera."""
        for segment in segments:
            rows = np.flatnonzero((self.times >= start) & (self.times < start + segment.duration))
            place = segment.place_at(self.times[rows] - start)
            apart = (np.linalg.norm(self.others[:, rows] - place, axis=-1) - self.rooms[:, None] - room,
                     _distances(place, self.lens[rows][:, None, [0, 2]]) - _TO_CAMERA,
                     _distances(place, self.seats) - _TO_SEAT - room,
                     _distances(place, np.reshape(own_seats, (-1, 2))) - _TO_OWN_SEAT * room)
            if any((gap < 0).any() for gap in apart):
                return False
            start += segment.duration
        return True

    def free_seat(self, seat, timeline, room):
        """Whether a seat (2) is away from everybody's ways and seats, its sitter's until now among them."""
        apart = (np.linalg.norm(self.others - seat, axis=-1) - self.rooms[:, None] - _TO_SEAT,
                 np.linalg.norm(self.seats - seat, axis=-1) - 1.,
                 np.linalg.norm([other - seat for other, _ in timeline.seats] or np.ones((1, 2)), axis=-1) - .7,
                 np.linalg.norm(self.lens[:, [0, 2]] - seat, axis=-1) - _TO_CAMERA)
        before = self.times[self.times < timeline.end]
        own = timeline.places(before) if len(before) else np.zeros((0, 2)) + 99
        return all((gap > 0).all() for gap in apart) and (
            np.linalg.norm(own - seat, axis=-1) > _TO_OWN_SEAT * room).all()

    def inside(self, time):
        """A place (2) that the camera sees at a time."""
        return self._spot(time, self.rng.uniform(.08, .92))

    def outside(self, time):
        """A place (2) beside what the camera sees at a time."""
        left = self.rng.random() < .5
        return self._spot(time, -.12 if left else 1.12, -.9 if left else .9)

    def _spot(self, time, column, beyond=0.):
        camera, frame = self.camera, int(np.clip(round(time * self.config.fps), 0, self.config.frames - 1))
        depth = camera.near + (camera.far - camera.near) * self.rng.random()
        return camera.spot(frame, depth, column + beyond * camera.intrinsics[0, 0] / camera.size[1] / depth)

    def _seen(self, places, height):
        """In what part of the clip the middle of a body over places (F, 2) is in the picture."""
        points = np.stack([places[:, 0], np.full(len(places), .5 * height), places[:, 1]], 1)
        points = np.einsum('fij,fj->fi', self.turns, points - self.lens)
        pixels = points @ self.camera.intrinsics.T
        inside = (pixels[:, :2] > 0) & (pixels[:, :2] < pixels[:, 2:] * self.camera.size[::-1])
        during = (self.times >= 0) & (self.times < self.duration)
        return (inside.all(1) & (points[:, 2] > 0))[during].mean()


def _distances(places, points):
    """From places (F, 2) to each of points (M, 2) or (F, 1, 2); (F, M)."""
    return np.linalg.norm(places[:, None] - points, axis=-1)
