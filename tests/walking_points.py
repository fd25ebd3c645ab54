"""People who walk about as stick figures, seen with the errors of networks; who is who is known exactly."""
from dataclasses import dataclass

import numpy as np

from mmhuman_dto.tracking import Observations
from mmhuman_dto.tracking.appearance import BINS, PARTS

FOCAL, SIZE, EYE = 1400., (1080, 1920), 1.5
#: COCO's joints of somebody who stands, facing the camera: to the side and above the ground, parts of the height.
STANDING = np.array([
    (0, .93), (.02, .95), (-.02, .95), (.045, .94), (-.045, .94), (.11, .82), (-.11, .82), (.13, .64), (-.13, .64),
    (.14, .48), (-.14, .48), (.06, .52), (-.06, .52), (.06, .28), (-.06, .28), (.06, .04), (-.06, .04)])
PELVIS = .52


@dataclass
class Walker:
    """Somebody's way: ``pelvis`` (F, 3) m, camera frame, in frames ``first`` .. first + F - 1."""
    height: float
    first: int
    pelvis: np.ndarray
    phase: float = 0.
    colours: np.ndarray = None


@dataclass
class Errors:
    """Errors of what is seen; that of the distance: a part that stays, one that drifts within a second, one a frame."""
    depth: tuple = (.03, .04, .03)
    height: tuple = (.03, .02)
    pixels: float = .01  # of joints and box sides, parts of the box's height
    missed: float = .05
    false: float = .01  # somebody who is not there, a frame
    colours: float = .25
    hidden: float = .7  # who is covered by more than this is missed

    @classmethod
    def none(cls):
        return cls((0, 0, 0), (0, 0), 0., 0., 0., 0., 2.)


@dataclass
class Frame:
    """What is seen at a time, whose it is (N; -1 nobody's), and everybody who can be seen: ids (P), boxes (P, 4)."""
    time: float
    observations: Observations
    owners: np.ndarray
    ids: np.ndarray
    boxes: np.ndarray


def straight(start, end, frames, first=0, height=1.7, colours=None, phase=0.):
    """A :class:`Walker` from one place (x, z) m to another, a camera at eye height."""
    way = np.linspace(start, end, frames)
    pelvis = np.stack([way[:, 0], np.full(frames, EYE - PELVIS * height), way[:, 1]], -1)
    return Walker(height, first, pelvis, phase, plain_colours(len(way) % 7) if colours is None else colours)


def plain_colours(number, rng=None):
    """(COLOURS) of clothes: mostly one bin a part."""
    rng = rng or np.random.default_rng(number)
    parts = np.full((PARTS, BINS), .01)
    parts[np.arange(PARTS), rng.integers(0, BINS, PARTS)] += .6
    parts[np.arange(PARTS), rng.integers(0, BINS, PARTS)] += .3
    return (parts / parts.sum(1, keepdims=True)).ravel()


def crowd(seed, seconds=12., people=6, fps=30.):
    """Walkers (list) who come, go, turn and meet."""
    rng = np.random.default_rng(seed)
    total, walkers = int(seconds * fps), []
    for _ in range(people):
        first = int(rng.uniform(0, .5) * total) if rng.random() < .5 else 0
        count = int(rng.uniform(.4, 1.) * (total - first))
        height = float(np.clip(rng.normal(1.68, .11), 1.1, 2.))
        place = np.array([rng.uniform(-2, 2), rng.uniform(4, 9)])
        goal, speed, ways = np.array([rng.uniform(-2, 2), rng.uniform(4, 9)]), rng.uniform(.5, 1.5), []
        heading = np.zeros(2)
        for _ in range(count):
            if np.linalg.norm(goal - place) < .3:
                goal = np.array([rng.uniform(-2.5, 2.5), rng.uniform(4, 9)])
            wanted = speed * (goal - place) / np.linalg.norm(goal - place)
            heading = heading + (wanted - heading) * min(1, 2 / fps)
            place = place + heading / fps
            ways.append(place)
        ways = np.array(ways)
        pelvis = np.stack([ways[:, 0], np.full(count, EYE - PELVIS * height), ways[:, 1]], -1)
        walkers.append(Walker(height, first, pelvis, rng.uniform(0, 6.), plain_colours(0, rng)))
    return walkers


def watch(walkers, frames, fps=30., errors=None, seed=0):
    """:class:`Frame` of each of the frames (count) of walkers."""
    rng, errors = np.random.default_rng([seed, 1]), errors or Errors()
    stays = errors.depth[0] * rng.standard_normal(len(walkers))
    drift = errors.depth[1] * rng.standard_normal(len(walkers))
    tall = errors.height[0] * rng.standard_normal(len(walkers))
    kept = np.exp(-1 / fps)
    for index in range(frames):
        drift = kept * drift + errors.depth[1] * np.sqrt(1 - kept**2) * rng.standard_normal(len(walkers))
        there = np.array([i for i, walker in enumerate(walkers)
                          if 0 <= index - walker.first < len(walker.pelvis)], dtype=int)
        pelvis = np.array([walkers[i].pelvis[index - walkers[i].first] for i in there]).reshape(-1, 3)
        shapes = [_figure(walkers[i], index / fps) for i in there]
        heights = np.array([walkers[i].height for i in there])
        pixels = np.array([_pixels(place + shape) for place, shape in zip(pelvis, shapes)]).reshape(-1, 17, 2)
        boxes = np.array([_box(place, height) for place, height in zip(pelvis, heights)]).reshape(-1, 4)
        inside = (np.abs(boxes.reshape(-1, 2, 2).mean(1) / SIZE[::-1] - .5) < .5).all(1)
        hidden, hider = _hidden(boxes, pelvis[:, 2])
        visible = inside & (hidden < errors.hidden)
        seen = visible & (rng.random(len(there)) >= errors.missed)
        size = (boxes[:, 3] - boxes[:, 1])[:, None]
        factor = 1 + stays[there] + drift[there] + errors.depth[2] * rng.standard_normal(len(there))
        clothes = np.array([walkers[i].colours for i in there]).reshape(-1, PARTS * BINS)
        over = np.where(hidden > .1, hidden, 0)[:, None]
        clothes = (1 - over) * clothes + over * clothes[hider] if len(there) else clothes
        clothes = clothes * np.exp(errors.colours * rng.standard_normal(clothes.shape))
        clothes = (clothes.reshape(-1, PARTS, BINS) / clothes.reshape(-1, PARTS, BINS).sum(-1, keepdims=True))
        observations = Observations(
            boxes + errors.pixels * size * rng.standard_normal(boxes.shape), pelvis * factor[:, None],
            heights=heights * np.exp(tall[there] + errors.height[1] * rng.standard_normal(len(there))),
            joints=pixels + errors.pixels * size[..., None] * rng.standard_normal(pixels.shape),
            scores=np.clip(.9 - hidden + .05 * rng.standard_normal(len(there)), .05, 1),
            colours=clothes.reshape(-1, PARTS * BINS))[seen]
        owners = there[seen]
        if rng.random() < errors.false:
            observations, owners = Observations.cat([observations, _nobody(rng)]), np.append(owners, -1)
        order = rng.permutation(len(owners))
        yield Frame(index / fps, observations[order], owners[order], there[visible], boxes[visible])


def _figure(walker, time):
    """(17, 3) m about the pelvis, legs and arms that swing."""
    swing = .18 * np.sin(2 * np.pi * time + walker.phase)
    shape = np.zeros((17, 3))
    shape[:, 0] = STANDING[:, 0]
    shape[:, 1] = PELVIS - STANDING[:, 1]
    for joints, sign in (((13, 15), 1), ((14, 16), -1), ((7, 9), -1), ((8, 10), 1)):
        shape[joints, 0] += sign * swing * np.array([.5, 1])
    return shape * walker.height


def _pixels(points):
    return points[:, :2] / points[:, 2:] * FOCAL + np.array(SIZE[::-1]) / 2


def _box(place, height):
    """xyxy of a cylinder as tall as the person and .5 m wide."""
    corners = place + np.array([(-.25, -(1 - PELVIS) * height, 0), (.25, PELVIS * height, 0)])
    return _pixels(corners).ravel()


def _hidden(boxes, distance):
    """Largest part of each box that a nearer one covers, and the row of that."""
    if not len(boxes):
        return np.zeros(0), np.zeros(0, int)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    part = np.clip(high - low, 0, None).prod(-1) / (boxes[:, 2:] - boxes[:, :2]).prod(-1)[:, None]
    part = np.where(distance[None] < distance[:, None], part, 0)
    return part.max(1), part.argmax(1)


def _nobody(rng):
    """A box where nobody is."""
    place, height = np.array([rng.uniform(-2, 2), EYE - .9, rng.uniform(3, 9)]), rng.uniform(1., 1.9)
    return Observations(_box(place, height)[None], place[None], heights=np.array([height]),
                        joints=_pixels(place + rng.normal(0, .3, (17, 3)))[None], colours=plain_colours(0, rng)[None],
                        scores=np.array([rng.uniform(.2, .6)]))
