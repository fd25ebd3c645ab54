"""The place of a clip: what stands around the ways of people and camera."""
import numpy as np

from ..layout import Ground
from ..places import build_place
from ..viewpoints import Stage, Viewpoint

#: Boxes are kept clear of places that people and cameras are at so often, s, by this much to all sides, m.
_EVERY, _AROUND, _LENS = .4, .5, .8


class Ways:
    """Where people and the camera are in the course of a clip, as what ``places`` takes for a placed crowd.

    ``placed`` numbers, ``offsets`` (3) m of what is there, stage frame (the floor frame around the first camera).
    """

    def __init__(self, actors, camera, fps):
        step = max(1, round(_EVERY * fps))
        start = camera.positions[0]
        self._solids, self.offsets = [], []
        for actor in actors:
            for x, _, z in actor.root[::step] * [1, -1, -1] - start:
                self._add(x, z, _AROUND, actor.height, start)
            for seat in actor.seats:
                corners = seat * [1, -1, -1] - start
                self._solids.append(corners)
                self.offsets.append(np.zeros(3))
        for x, _, z in camera.positions[::step] - start if camera.kind == 'walking' else ():
            self._add(x, z, _LENS, 1., start)
        self.placed = range(len(self._solids))

    def _add(self, x, z, half, height, start):
        self._solids.append(np.array([[-half, 0, -half], [half, height, half]]))
        self.offsets.append(np.array([x, -start[1], z]))

    def solid(self, i):
        """Points (P, 3) m that bound what is there."""
        return self._solids[i]


def sample_place(actors, camera, config, rng):
    """The :class:`~mmhuman_dto.synthetic.places.Place` of a clip, and its boxes (B, 8, 3) in the clip's world, m."""
    kind = 'open' if config.version == 1 else _kind(camera, config, rng)
    view = Viewpoint(camera.intrinsics, camera.rotations[0], camera.size)
    height = float(camera.positions[0, 1])
    stage = Stage(Ground(np.array([0., 1, 0]), height), view, camera.near, camera.far, 0.)
    place = build_place(kind, stage, Ways(actors, camera, config.fps), rng)
    boxes = (np.reshape(place.boxes, (-1, 8, 3)) + camera.positions[0]) * [1, -1, -1]
    return place, boxes


def _kind(camera, config, rng):
    kinds, shares = zip(*config.places)
    shares = np.array([share * (kind != 'room' or camera.kind == 'still') for kind, share in zip(kinds, shares)])
    return str(rng.choice(kinds, p=shares / shares.sum())) if shares.any() else 'open'
