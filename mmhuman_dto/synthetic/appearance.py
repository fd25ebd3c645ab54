"""Colours of a scene: clothes by where a point lies on the rest body, textured ground, sky and houses. RGB in 0..1."""
from typing import NamedTuple

import cv2
import numpy as np

SKIN = np.array([[.96, .80, .70], [.90, .70, .57], [.80, .58, .44], [.63, .44, .32], [.45, .30, .22], [.33, .22, .17]])
HAIR = np.array([[.10, .08, .07], [.22, .14, .09], [.38, .24, .13], [.62, .45, .24], [.78, .64, .40], [.42, .17, .09]])
GREY = np.array([.58, .57, .56])
_TROUSERS = np.array([[.16, .20, .32], [.25, .33, .48], [.12, .12, .14], [.48, .42, .33], [.35, .35, .36],
                      [.28, .30, .22]])
_SHOES = np.array([[.12, .10, .10], [.90, .90, .88], [.36, .24, .16], [.70, .20, .18], [.25, .28, .38]])
_GROUNDS = {'paving': (.62, .60, .57), 'grass': (.38, .50, .25), 'sand': (.78, .70, .55), 'asphalt': (.42, .42, .43),
            'tiles': (.70, .62, .54)}
_WALLS = np.array([[.72, .64, .56], [.62, .45, .38], [.80, .78, .74], [.55, .58, .62], [.76, .70, .50]])
HAZE = np.float32([.80, .86, .92])
_ZENITHS = np.array([[.36, .56, .86], [.46, .64, .86], [.60, .70, .80]])


class Landmarks(NamedTuple):
    """Places on the rest body (arms along x, y up, facing +z), m, that clothes end at."""
    ankle: float
    knee: float
    waist: float
    neck: float
    neck_z: float
    head: np.ndarray
    shoulder: float
    elbow: float
    wrist: float
    eyes: np.ndarray
    top: float


def landmarks(vertices, joints, joint_names):
    """:class:`Landmarks` of a rest body; ``joints`` (J, 3) as named, with left_eye and right_eye."""
    at = dict(zip(joint_names, joints))
    return Landmarks(
        ankle=at['left_ankle'][1], knee=at['left_knee'][1], waist=at['pelvis'][1] + .06, neck=at['neck'][1],
        neck_z=at['neck'][2], head=at['head'], shoulder=at['left_shoulder'][0], elbow=at['left_elbow'][0],
        wrist=at['left_wrist'][0], eyes=np.stack([at['left_eye'], at['right_eye']]), top=vertices[:, 1].max())


class Outfit(NamedTuple):
    """Colours (3) of a person and where clothes end: ``sleeve`` from the middle, ``leg`` and ``shirt`` in height, m."""
    skin: np.ndarray
    hair: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    shoes: np.ndarray
    sleeve: float
    leg: float
    shirt: float
    long_hair: bool
    striped: bool


def sample_outfit(age, male, marks, rng):
    """An :class:`Outfit` for a person of an age in years."""
    hue, vivid = rng.uniform(42, 350), rng.uniform(.25, .8)  # no skin colours
    top = cv2.cvtColor(np.float32([[[hue, vivid, rng.uniform(.45, .95)]]]), cv2.COLOR_HSV2RGB)[0, 0]
    dress = not male and rng.random() < .3
    shorts = rng.random() < (.25 if age >= 15 else .45)
    hair = GREY if age > 50 and rng.random() < .7 else HAIR[rng.integers(len(HAIR))]
    upper_arm, thigh = marks.elbow - marks.shoulder, marks.waist - marks.knee
    return Outfit(
        skin=SKIN[rng.integers(len(SKIN))], hair=hair, top=top,
        bottom=_TROUSERS[rng.integers(len(_TROUSERS))], shoes=_SHOES[rng.integers(len(_SHOES))],
        sleeve=marks.wrist - .02 if rng.random() < .4 else marks.shoulder + rng.uniform(.4, .8) * upper_arm,
        leg=np.inf if dress else marks.knee + rng.uniform(0, .2) * thigh if shorts else marks.ankle,
        shirt=marks.knee + rng.uniform(.1, .35) * thigh if dress else marks.waist - .07,
        long_hair=not male and rng.random() < .7, striped=rng.random() < .2)


class Regions(NamedTuple):
    """Which of P points (P) bool of the body are covered by what; where several are true, the last counts."""
    bottom: np.ndarray
    top: np.ndarray
    shoes: np.ndarray
    hair: np.ndarray
    eyes: np.ndarray


def regions_of(rest, outfit, marks):
    """:class:`Regions` of points given by their place ``rest`` (P, 3) on the rest body."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    collar = marks.neck - .015 + .25 * (marks.neck_z - z).clip(-.12, .05) + .3 * (x - .04).clip(0, .02)
    face = marks.top - marks.head[1]  # head joint to crown
    hairline = marks.top - .34 * face - .95 * (marks.head[2] + .10 - z).clip(0, .3)
    hair = (y > hairline) & (y > marks.neck + (0 if outfit.long_hair else .35 * face))
    return Regions(
        bottom=(y > outfit.leg) & (y < marks.waist + .02),
        top=(y > outfit.shirt) & (y < np.where(x < marks.shoulder * .75, collar, np.inf)) & (x < outfit.sleeve),
        shoes=(y < marks.ankle + .015) & (x < marks.shoulder * 1.5), hair=hair & (x < marks.shoulder),
        eyes=np.min([np.linalg.norm(rest - eye, axis=1) for eye in marks.eyes], axis=0) < .011)


def clothe(rest, outfit, marks):
    """Colours (P, 3) of points given by their place ``rest`` (P, 3) on the rest body."""
    colour = np.broadcast_to(np.float32(outfit.skin), rest.shape).copy()
    regions = regions_of(rest, outfit, marks)
    for name in ('bottom', 'top', 'shoes', 'hair'):
        colour[getattr(regions, name)] = getattr(outfit, name)
        if name == 'top' and outfit.striped:
            colour[regions.top & (np.mod(rest[:, 1], .09) < .035)] = .35 + .6 * outfit.top
    colour[regions.eyes] = .12
    return colour


def noise_tile(rng, size=256):
    """A tile (size, size) of smooth noise in about -1..1 that repeats without a seam."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    spectrum = np.fft.rfft2(rng.normal(size=(size, size)))
    layers = [np.fft.irfft2(spectrum * np.exp(-2 * (np.pi * sigma * frequency)**2)) for sigma in (.8, 3, 10)]
    return sum(layer / layer.std() / 2 for layer in layers).astype(np.float32)


class Surroundings:
    """Ground texture, sky and walls of one scene, drawn from a generator."""

    def __init__(self, rng, noise=noise_tile):
        self.style = str(rng.choice(list(_GROUNDS)))
        self.ground = np.float32(_GROUNDS[self.style]) * np.float32(rng.uniform(.9, 1.05))
        self.zenith = np.float32(_ZENITHS[rng.integers(len(_ZENITHS))])
        self.walls = np.float32(_WALLS[rng.permutation(len(_WALLS))])
        self.turn = rng.uniform(0, np.pi)
        self.noise, self.haze = noise(rng), HAZE

    def ground_colour(self, x, y, footprint):
        """Colours (P, 3) at metres x, y (P) on the plane; detail finer than ``footprint`` m fades out."""
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        x, y = x * cos - y * sin, x * sin + y * cos
        shade = .07 * self._sample(x, y, .04, footprint) + .05 * self._sample(x, y, .35, footprint)
        if self.style in ('paving', 'tiles'):
            size, joint = (.6, .02) if self.style == 'paving' else (.4, .015)
            line = (np.mod(x, size) < joint) | (np.mod(y, size) < joint)
            checker = np.mod(np.floor(x / size) + np.floor(y / size), 2) - .5
            detail = np.clip(1.3 - footprint / (size * .25), 0, 1)
            shade += (np.float32(.06) * checker - np.float32(.22) * line) * detail
        return self.ground * (1 + shade[:, None])

    def _sample(self, x, y, cell, footprint):
        value = remap(self.noise, x / cell, y / cell, cv2.BORDER_WRAP)
        return value * np.clip(1.5 - footprint / cell, 0, 1)

    def sky_colour(self, up):
        """Colours (*, 3) of rays by the vertical part ``up`` (*) of their unit direction."""
        return self.haze + (self.zenith - self.haze) * (np.clip(up, 0, 1)**.6)[..., None]

    def wall_colour(self, building, local, normal):
        """Colours (P, 3) of house number ``building``, at ``local`` (P, 3) m from a corner of its roof."""
        along = np.where(np.abs(normal[:, 2]) > .5, local[:, 0], local[:, 2])
        window = (np.abs(np.mod(along / 2.6, 1) - .5) < .2) & (np.abs(np.mod(local[:, 1] / 3.1, 1) - .5) < .24)
        colour = np.tile(self.walls[building % len(self.walls)], (len(local), 1))
        colour[window & (np.abs(normal[:, 1]) < .5)] *= np.float32(.55)
        return colour


def remap(texture, columns, rows, border):
    """A texture at P places (P), bilinear, by ``cv2.remap`` in rows of the length it can take; (P)."""
    width = 8192
    padding = width - len(columns) % width  # at least one row: OpenCV refuses none
    columns, rows = (np.pad(np.asarray(v, np.float32), (0, padding)).reshape(-1, width) for v in (columns, rows))
    values = cv2.remap(texture, columns, rows, cv2.INTER_LINEAR, borderMode=border)
    return values.ravel()[:values.size - padding]
