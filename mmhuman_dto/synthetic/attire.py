"""What people of version 2 wear and how their hair is cut, drawn by chance, and the colours of it. RGB in 0..1."""
from typing import NamedTuple

import cv2
import numpy as np

from .appearance import GREY, HAIR, SKIN, Outfit, noise_tile, regions_of, remap

#: What a drawn point belongs to.
BODY, SKIRT, LOCKS, HAT, BAG = range(5)
HATS, CUTS = ('cap', 'beanie', 'brim'), ('bald', 'short', 'full', 'bob', 'long', 'tail', 'bun')
#: How often hair of women and girls, and of men and boys, is cut so.
_WOMEN, _MEN = (0, .12, .1, .24, .28, .16, .1), (.1, .6, .2, .05, .03, .02, 0)
_PATTERNS = ('plain', 'stripes', 'upright stripes', 'checks', 'print', 'halves')
_PATTERN_SHARES = (.56, .1, .05, .09, .13, .07)
#: Light and shade of creased cloth, a tile that repeats, and its cell, m.
TILE, _CREASE = noise_tile(np.random.default_rng(0)), .012


class Attire(NamedTuple):
    """An :class:`Outfit` and what lies around the body; lengths in m on a grown-up."""
    outfit: Outfit
    loose: tuple  # how far the cloth of top, trousers' top and trousers' hem is from the body
    skirt: float | None  # rest height where a skirt or a coat ends
    flare: float  # how much wider it is there
    coat: np.ndarray | None  # colour (3) of what is worn open over the top
    cut: str  # one of CUTS
    volume: float  # how far hair is from the head
    hat: str | None
    hat_colour: np.ndarray
    bag: np.ndarray | None  # colour (3) of a rucksack
    pattern: str
    second: np.ndarray  # colour (3) of the pattern
    fineness: float  # m from one stripe to the next
    creases: np.float32  # how strong they are
    beard: bool
    glasses: bool


def sample_attire(age, male, marks, rng):
    """An :class:`Attire` for a person of an age in years."""
    upper_arm, thigh, shank = marks.elbow - marks.shoulder, marks.waist - marks.knee, marks.knee - marks.ankle
    skirted, coated = not male and rng.random() < .35, rng.random() < .3
    dress, shorts = skirted and rng.random() < .5, rng.random() < (.2 if age >= 15 else .4)
    bare_legs, long_sleeves = skirted and rng.random() < .6, coated or rng.random() < .45
    top = cloth_colour(rng)
    outfit = Outfit(
        skin=_skin(rng), hair=_hair_colour(age, rng), top=top, bottom=top if dress else cloth_colour(rng),
        shoes=cloth_colour(rng) * rng.uniform(.3, 1),
        sleeve=marks.wrist - .02 if long_sleeves else marks.shoulder + rng.uniform(-.1, .9) * upper_arm,
        leg=np.inf if bare_legs else marks.knee + rng.uniform(-.1, .3) * thigh if shorts
        else marks.ankle + rng.uniform(-.01, .04),
        shirt=marks.waist - rng.uniform(-.03, .14), long_hair=False, striped=False)
    hem = marks.knee + rng.uniform(0, .6) * thigh if rng.random() < .75 else marks.knee - rng.uniform(.1, .8) * shank
    if not skirted and coated and rng.random() < .5:
        skirted, hem = True, marks.knee + rng.uniform(.05, .8) * thigh  # a coat as long as that
    cut = str(rng.choice(CUTS, p=_MEN if male else _WOMEN))
    thick = rng.uniform(.012, .035) if coated else rng.uniform(.003, .02)
    return Attire(
        outfit=outfit, loose=(thick, rng.uniform(.002, .015), rng.uniform(.003, .045)), skirt=hem if skirted else None,
        flare=rng.uniform(0, .12), coat=cloth_colour(rng) if coated else None, cut=cut,
        volume=0. if cut == 'bald' else rng.uniform(.03, .075) if cut == 'full' else rng.uniform(.006, .025),
        hat=str(rng.choice(HATS)) if rng.random() < .18 else None, hat_colour=cloth_colour(rng),
        bag=cloth_colour(rng) if rng.random() < .1 else None, pattern=str(rng.choice(_PATTERNS, p=_PATTERN_SHARES)),
        second=cloth_colour(rng), fineness=rng.uniform(.03, .12), creases=np.float32(rng.uniform(.02, .13)),
        beard=bool(male and age > 18 and rng.random() < .3), glasses=bool(rng.random() < .15))


def cloth_colour(rng):
    """A colour (3) of cloth: half are black, white, grey or nearly so, the rest muted or, some, vivid."""
    kind, hue, u = rng.random(), rng.uniform(0, 360), rng.random(2)
    saturation, value = (.12 * u[0], .04 + .9 * u[1]) if kind < .45 else (
        (.15 + .4 * u[0], .15 + .7 * u[1]) if kind < .78 else (.55 + .4 * u[0], .35 + .6 * u[1]))
    return cv2.cvtColor(np.float32([[[hue, saturation, value]]]), cv2.COLOR_HSV2RGB)[0, 0]


def attire_colours(rest, part, attire, marks):
    """Colours (P, 3) of points by their place ``rest`` (P, 3) on the rest body and what they are of, ``part`` (P)."""
    u, v = (rest[:, 0] + 1.3 * rest[:, 2]) / _CREASE, rest[:, 1] / _CREASE
    creased = 1 + attire.creases * remap(TILE, u, v, cv2.BORDER_WRAP)[:, None]
    outfit, body = attire.outfit, part == BODY
    regions = regions_of(rest, outfit, marks)
    colour = np.broadcast_to(np.float32(outfit.skin), rest.shape).copy()
    _paint_face(colour, rest, attire, marks)
    colour[regions.bottom] = outfit.bottom
    colour[regions.top] = _patterned(rest[regions.top], outfit.top, attire)
    if attire.coat is not None:
        closed = np.abs(rest[:, 0]) > .045 + .25 * (rest[:, 1] - marks.waist).clip(0, 1)**2
        colour[regions.top & (closed | (rest[:, 2] < 0))] = attire.coat
    colour[regions.shoes] = outfit.shoes
    hair = regions.hair & (attire.cut != 'bald')
    colour[hair] = outfit.hair
    if attire.hat is not None:
        colour[hat_region(rest, marks)] = attire.hat_colour
    colour[regions.eyes] = .12
    if not body.all():
        skirt = part == SKIRT
        dressed = attire.coat is None
        colour[skirt] = _patterned(rest[skirt], outfit.bottom, attire) if dressed else attire.coat
        for kind, value in ((LOCKS, outfit.hair), (HAT, attire.hat_colour), (BAG, attire.bag)):
            if value is not None:
                colour[part == kind] = value
    return np.where((regions.bottom | regions.top | hair | ~body)[:, None], colour * creased, colour)


def hat_region(rest, marks):
    """Which points (P) of the head a hat covers."""
    return (rest[:, 1] > marks.head[1] + .075 - .12 * (rest[:, 2] - marks.head[2]).clip(-.1, .1)) & (
        np.abs(rest[:, 0]) < marks.shoulder)


def _patterned(rest, colour, attire):
    """Colours (P, 3) of cloth."""
    (x, y), fine = rest[:, :2].T, attire.fineness
    colours = np.broadcast_to(np.float32(colour), rest.shape).copy()
    if attire.pattern == 'plain':
        return colours
    rows, columns = np.mod(y, fine) < .45 * fine, np.mod(x, fine) < .45 * fine
    where = {'stripes': rows, 'upright stripes': columns, 'checks': rows ^ columns, 'halves': y > .1,
             'print': (np.abs(x) < 1.2 * fine) & (np.abs(y - .08) < fine) & (rest[:, 2] > 0)}[attire.pattern]
    colours[where] = attire.second
    return colours


def _paint_face(colour, rest, attire, marks):
    """Brows, lips, beard and glasses, where the face is."""
    (x, y, z), (eye_x, eye_y) = rest.T, marks.eyes[0, :2]
    x = np.abs(x)
    face = z > marks.head[2] + .03
    colour[face & (np.abs(y - eye_y + .072) < .006) & (x < .024)] *= np.float32([.85, .62, .62])
    if attire.beard:
        colour[face & (y < eye_y - .05) & (y > marks.neck + .03)] = attire.outfit.hair
    colour[face & (np.abs(y - eye_y - .02) < .004) & (np.abs(x - eye_x) < .018)] = attire.outfit.hair * np.float32(.8)
    if attire.glasses:
        colour[face & (np.abs(y - eye_y) < .015) & (np.abs(x - eye_x) < .024)] *= np.float32(.25)


def _skin(rng):
    """Between two neighbours of the known colours."""
    u = rng.uniform(0, len(SKIN) - 1)
    low = int(u)
    return ((1 + low - u) * SKIN[low] + (u - low) * SKIN[min(low + 1, len(SKIN) - 1)]) * rng.uniform(.92, 1.05)


def _hair_colour(age, rng):
    colour = GREY * rng.uniform(.7, 1.4) if age > 50 and rng.random() < .7 else HAIR[rng.integers(len(HAIR))]
    return colour * rng.uniform(.75, 1.2)
