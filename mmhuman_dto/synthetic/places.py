"""What is around the people of version 2: rooms, streets, parks and open ground, built of boxes around a placed crowd.

Everything is in the stage frame (see ``layout``) and keeps clear of people and camera; what a box looks like is a name
that ``scenery`` colours.
"""
from dataclasses import dataclass, field

import numpy as np

from .layout import BOX_CORNERS

#: Nothing stands nearer to a person, or before the camera, than this, m, and no tree: its crown would fill the picture.
_CLEAR, _BEFORE_LENS, _BEFORE_TREES = .08, 1.1, 5.

_UNIT_BOX = BOX_CORNERS * [1, 2, 1] - [0, 1, 0]


@dataclass
class Place:
    """Boxes (M, 8, 3) of a place, m, and what each looks like."""
    kind: str
    boxes: list = field(default_factory=list)
    looks: list = field(default_factory=list)
    heading: float = 0.  # rad, from straight ahead to the right, of a street
    kerbs: tuple = ()  # metres to the right of the camera, across a street, between which its road is

    def add(self, look, middle, half, turn=0.):
        """A box ``half`` (3) m around a point, turned by rad about the vertical."""
        (x, y, z), c, s = (_UNIT_BOX * half).T, np.cos(turn), np.sin(turn)
        self.boxes.append(np.stack([c * x + s * z, y, c * z - s * x], 1) + middle)
        self.looks.append(look)


class Plan:
    """Who and what stands where, seen from above: rectangles in x and z, m."""

    def __init__(self, stage, crowd):
        solids = [crowd.solid(i) + offset for i, offset in zip(crowd.placed, crowd.offsets)]
        bounds = [(points.min(0), points.max(0)) for points in solids] or [(np.array([-1, -1, -3.]),
                                                                           np.array([1, 1, -2.]))]
        self.low, self.high = np.min([low for low, _ in bounds], 0), np.max([high for _, high in bounds], 0)
        self.ground = stage.ground
        self.taken = [(low[[0, 2]] - _CLEAR, high[[0, 2]] + _CLEAR) for low, high in bounds]
        self.taken.append((np.array([-.5, -_BEFORE_LENS]), np.array([.5, 50.])))

    def floor(self, x, z):
        """The point (3) of the ground there."""
        return self.ground.drop(np.array([x, 0, z]))

    def take(self, x, z, half_x, half_z):
        """Whether a rectangle is free; it is taken from then on."""
        low, high = np.array([x - half_x, z - half_z]), np.array([x + half_x, z + half_z])
        if any((low < other_high).all() and (high > other_low).all() for other_low, other_high in self.taken):
            return False
        self.taken.append((low, high))
        return True


def build_place(kind, stage, crowd, rng):
    """The :class:`Place` of a kind, one of :data:`PLACES`, around a placed crowd."""
    place = Place(kind)
    PLACES[kind](place, Plan(stage, crowd), stage, rng)
    return place


def _room(place, plan, stage, rng):
    """Walls, a ceiling, furniture along the walls, tables and chairs among the people."""
    left, right = min(plan.low[0] - rng.uniform(.15, 2), -.7), max(plan.high[0] + rng.uniform(.15, 2), .7)
    back, floor = plan.low[2] - rng.uniform(.2, 2.5), -stage.ground.height
    tall = max(rng.uniform(2.4, 3.2), plan.high[1] - floor + .15, stage.ground.height + .4, -.25 * back)
    middle, half = floor + tall / 2, tall / 2
    place.add('wall', [(left + right) / 2, middle, back - .05], [(right - left) / 2 + .1, half, .05])
    for x in (left - .05, right + .05):
        place.add('wall', [x, middle, back / 2 + 1], [.05, half, 1.1 - back / 2])
    place.add('ceiling', [(left + right) / 2, floor + tall + .05, back / 2 + 1],
              [(right - left) / 2 + .1, .05, 1.2 - back / 2])
    for _ in range(rng.integers(2, 9)):
        wide, deep, high = rng.uniform(.25, .9), rng.uniform(.15, .35), min(rng.choice([.4, .45, .8, 1.8]), half - .1)
        look = str(rng.choice(['cupboard', 'shelf', 'cloth', 'metal']))
        if rng.random() < .5:
            x, z, half_x, half_z = _between(left + wide, right - wide, rng), back + deep, wide, deep
        else:
            side = rng.random() < .5
            x, z, half_x, half_z = (left + deep if side else right - deep), _between(back, -1, rng), deep, wide
        if plan.take(x, z, half_x, half_z):
            place.add(look, [x, floor + high / 2 * rng.uniform(.9, 1), z], [half_x, high / 2, half_z])
    for _ in range(rng.integers(0, 5)):
        z = _between(back + .6, min(plan.high[2] + .5, -1.4), rng)
        _furnish(place, plan, _between(left + .6, right - .6, rng), z, floor, rng)


def _between(a, b, rng):
    """A number between two, whichever is larger."""
    return a + (b - a) * rng.random()


def _furnish(place, plan, x, z, floor, rng):
    """A table or a chair where there is room for it."""
    table = rng.random() < .5
    half_x, half_z, high = (rng.uniform(.35, .9), rng.uniform(.3, .5), rng.uniform(.68, .78)) if table else (
        .21, .21, .45)
    if not plan.take(x, z, half_x, half_z):
        return
    look = str(rng.choice(['wood', 'metal', 'cupboard']))
    place.add(look, [x, floor + high, z], [half_x, .02, half_z])
    for a in (-1, 1):
        for b in (-1, 1):
            place.add(look, [x + a * (half_x - .03), floor + high / 2, z + b * (half_z - .03)], [.02, high / 2, .02])
    if not table:
        side = int(rng.integers(-1, 2))
        offset = np.array([side * .2, 0, 0 if side else -.2])
        place.add(look, [x, floor + high + .22, z] + offset, [.015 if side else .2, .22, .2 if side else .015])


def _street(place, plan, stage, rng):
    """Two rows of houses along a road, which leads away or passes by, cars, lamps and trees at the kerbs."""
    by = rng.random() < .4
    place.heading = (np.radians(90) if by else 0) + np.radians(rng.uniform(-30, 30))
    along = np.array([np.sin(place.heading), 0, -np.cos(place.heading)])
    across = np.array([np.cos(place.heading), 0, np.sin(place.heading)])
    corners = np.array([[x, 0, z] for x in (plan.low[0], plan.high[0]) for z in (plan.low[2], plan.high[2])])
    sides = np.append(corners @ across, 0)
    rows = sides.min() - rng.uniform(1.5, 6), sides.max() + rng.uniform(1.5, 6)
    pavement = rng.uniform(1.2, 3)
    place.kerbs = (rows[0] + pavement, rows[1] - pavement) if rng.random() < .7 else ()
    reach = max(60., 1.5 * -plan.low[2])
    for row, side in zip(rows, (-1, 1)):
        _houses(place, plan, row, side, along, across, reach, rng)
        for _ in range(rng.integers(2, 8)):
            t, s = rng.uniform(-8, reach / 2), row - side * (pavement + rng.choice([-.3, 1.1]))
            _beside_street(place, plan, along * t + across * s, rng)


def _houses(place, plan, row, side, along, across, reach, rng):
    t = -reach / 2 + rng.uniform(0, 8)
    while t < reach:
        wide, deep, tall = rng.uniform(3, 9), rng.uniform(4, 8), rng.uniform(2.5, 9)
        middle = along * (t + wide) + across * (row + side * (deep + rng.choice([0, 0, .4, 2])))
        foot = plan.floor(*middle[[0, 2]])
        # A house's x is along the street.
        _house(place, foot, wide, tall, deep, np.arctan2(-along[2], along[0]))
        t += 2 * wide + (rng.uniform(1, 6) if rng.random() < .3 else 0)


def _house(place, foot, wide, tall, deep, turn):
    """A house of half sizes, m, on a point, with 2 m more below it for where the ground slopes."""
    place.add('facade', foot + [0, tall - 1, 0], [wide, tall + 1, deep], turn)


def _beside_street(place, plan, spot, rng):
    """A car, a lamp, a tree, a bin or a bench, where there is room for it."""
    kind, turn = rng.choice(['car', 'lamp', 'tree', 'bin'], p=[.5, .15, .2, .15]), np.pi / 2 - place.heading
    if kind != 'car':
        return _small(kind, place, plan, spot[0], spot[2], rng)
    c, s = np.abs([np.cos(turn), np.sin(turn)])
    if not plan.take(spot[0], spot[2], 2.2 * c + .95 * s, 2.2 * s + .95 * c):
        return None
    foot, direction = plan.floor(spot[0], spot[2]), np.array([np.cos(turn), 0, -np.sin(turn)])
    tall, sideways = rng.uniform(.3, .42), np.array([np.sin(turn), 0, np.cos(turn)])
    place.add('car', foot + [0, .25 + tall, 0], [2.1, tall, .85], turn)
    place.add('cabin', foot + [0, .45 + 2 * tall, 0] - .2 * direction, [rng.uniform(.9, 1.5), .28, .75], turn)
    for a in (-1.3, 1.3):
        for b in (-.75, .75):
            place.add('tyre', foot + [0, .3, 0] + a * direction + b * sideways, [.3, .3, .12], turn)
    return None


def _small(kind, place, plan, x, z, rng):
    """What stands on a small spot: a lamp, a tree, a bin, a bench or a hedge."""
    half_x, half_z = {'bench': (.8, .22), 'hedge': (rng.uniform(1, 4), .3)}.get(kind, (.25, .25))
    if kind == 'tree' and np.hypot(x, z) < _BEFORE_TREES or not plan.take(x, z, half_x, half_z):
        return
    foot = plan.floor(x, z)
    if kind == 'tree':
        tall, crown = rng.uniform(1.6, 3.2), rng.uniform(.9, 2.)
        place.add('bark', foot + [0, tall / 2, 0], [.1, tall / 2 + .3, .1], rng.uniform(0, 3))
        for _ in range(5):
            shift = crown * rng.uniform(-.45, .45, 3)
            place.add('leaves', foot + [0, tall + .8 * crown, 0] + shift, crown * rng.uniform(.4, .75, 3),
                      rng.uniform(0, 3))
    elif kind == 'bench':
        place.add('wood', foot + [0, .43, 0], [.8, .03, .2])
        place.add('wood', foot + [0, .7, -.2], [.8, .15, .02])
        for a in (-.7, .7):
            place.add('metal', foot + [a, .2, 0], [.03, .22, .18])
    else:
        look, half = {'lamp': ('metal', [.06, 2.2, .06]), 'bin': ('metal', [.22, .45, .22]),
                      'hedge': ('leaves', [half_x, .5, half_z])}[kind]
        place.add(look, foot + [0, half[1], 0], half)


def _park(place, plan, stage, rng):
    """Trees, hedges and benches, houses far behind."""
    for _ in range(rng.integers(6, 20)):
        z = _between(min(plan.low[2] * 2.5, -25), -2, rng)
        x = rng.uniform(-1, 1) * (2 + .8 * -z)
        _small(str(rng.choice(['tree', 'hedge', 'bench', 'bin'], p=[.65, .15, .1, .1])), place, plan, x, z, rng)
    _far_houses(place, plan, stage, rng)


def _open(place, plan, stage, rng):
    """Houses far behind and nothing else."""
    _far_houses(place, plan, stage, rng)


def _far_houses(place, plan, stage, rng):
    back = 12 - plan.low[2]
    reach = stage.view.size[1] / 2 / stage.view.intrinsics[0, 0]
    for _ in range(rng.integers(0, 8)):
        depth = back * rng.uniform(1, 2)
        wide, deep, tall = depth * rng.uniform([.08, .08, .06], [.22, .2, .3])
        foot = plan.floor(rng.uniform(-1.3, 1.3) * depth * reach, -depth - deep)
        _house(place, foot, wide, tall, deep, np.radians(rng.uniform(-40, 40)))


PLACES = dict(open=_open, street=_street, room=_room, park=_park)
