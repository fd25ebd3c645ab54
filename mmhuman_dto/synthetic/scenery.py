"""Colours of the places of version 2: grounds, skies, and the looks of boxes. RGB in 0..1."""
import numpy as np

from .appearance import HAZE, Surroundings
from .attire import TILE, cloth_colour

#: Colours of what has few of them; of the rest any.
_WOODS = np.array([[.58, .44, .30], [.36, .24, .15], [.75, .62, .45], [.25, .17, .12], [.82, .78, .72]])
_METALS = np.array([[.55, .56, .58], [.15, .15, .16], [.85, .85, .86], [.35, .38, .42]])
_CARS = np.array([[.75, .76, .78], [.08, .08, .09], [.85, .85, .84], [.35, .37, .40], [.55, .08, .08], [.10, .18, .40]])
_LEAVES = np.array([[.20, .34, .12], [.30, .40, .14], [.14, .26, .12], [.48, .40, .14]])
_FACADES = np.array([[.72, .64, .56], [.62, .45, .38], [.80, .78, .74], [.55, .58, .62], [.76, .70, .50],
                     [.45, .33, .28], [.86, .82, .76], [.40, .42, .45]])
_FLOORS = dict(parquet=(.55, .40, .26), planks=(.68, .55, .40), carpet=(.45, .42, .44), tiles=(.72, .70, .66),
               concrete=(.55, .55, .54))
_FIXED = dict(wood=_WOODS, cupboard=_WOODS, shelf=_WOODS, metal=_METALS, car=_CARS, cabin=_METALS, leaves=_LEAVES,
              facade=_FACADES, bark=np.array([[.28, .22, .17]]), tyre=np.array([[.06, .06, .06]]),
              ceiling=np.array([[1.5, 1.48, 1.42]]))


class Scenery(Surroundings):
    """Ground, sky and boxes of one :class:`~mmhuman_dto.synthetic.places.Place`, drawn from a generator.

    ``seats`` boxes to sit on come before those of the place.
    """

    def __init__(self, place, seats, rng):
        super().__init__(rng, lambda rng: np.roll(TILE, rng.integers(len(TILE), size=2), (0, 1)))
        self.place, looks = place, ['seat'] * seats + place.looks
        if place.kind == 'park':
            self.style, self.ground = 'grass', np.float32([.38, .50, .25]) * np.float32(rng.uniform(.7, 1.1))
        elif place.kind == 'room':
            self.style = str(rng.choice(list(_FLOORS)))
            self.ground = np.float32(_FLOORS[self.style]) * np.float32(rng.uniform(.85, 1.1, 3))
            self.noise = self.noise * np.float32(rng.uniform(.1, .7))
        elif place.kind == 'street' and self.style in ('grass', 'sand'):
            self.style, self.ground = 'paving', np.float32([.60, .58, .55])
        self.haze = HAZE * np.float32(rng.uniform(.75, 1.05))
        self.zenith = self.zenith + (self.haze - self.zenith) * np.float32(rng.random())  # from clear to overcast
        # A room's walls share a colour.
        walls = _pastel(rng)
        self.colours = np.float32([walls if look == 'wall' else self._base(look, rng) for look in looks]).reshape(-1, 3)
        self.panel = np.float32(_pastel(rng))
        self.second = np.float32([cloth_colour(rng) for _ in looks]).reshape(-1, 3)
        #: Pitch of windows and the like in metres, and numbers that make each box other than its neighbours.
        self.pitch = np.float32(rng.uniform([2., 2.7], [4., 3.6], (len(looks), 2)))
        self.odd = rng.uniform(0, 100, len(looks))
        self._kinds = np.array([_KINDS.get(look, -1) for look in looks])

    @staticmethod
    def _base(look, rng):
        fixed = _FIXED.get(look)
        colour = cloth_colour(rng) if fixed is None else fixed[rng.integers(len(fixed))]
        return colour * rng.uniform(.8, 1.1)

    def ground_colour(self, x, y, footprint):
        colour = super().ground_colour(x, y, footprint)
        if self.style in ('parquet', 'planks'):
            u, v = (y, x) if self.style == 'planks' else (x, y)
            row = np.floor(u / .12)
            shade = _scatter(row, np.floor(v / 1.1 + .37 * row), 3.) - .5
            return colour * (1 + .22 * shade * np.clip(1.3 - footprint / .1, 0, 1)).astype(np.float32)[:, None]
        if self.place.kerbs:
            self._paint_road(colour, x, y)
        return colour

    def _paint_road(self, colour, x, y):
        """Asphalt between the kerbs, a lighter kerb, a broken line in the middle."""
        heading, (low, high) = np.float32(self.place.heading), self.place.kerbs
        across, along = x * np.cos(heading) + y * np.sin(heading), x * np.sin(heading) - y * np.cos(heading)
        road = (across > low) & (across < high)
        colour[road] *= np.float32([.55, .56, .58])
        colour[(np.abs(across - low) < .09) | (np.abs(across - high) < .09)] = .62
        colour[(np.abs(across - (low + high) / 2) < .07) & (np.mod(along, 4) < 1.8)] = .85

    def box_colours(self, box, local, normal):
        """Colours (P, 3) of points of boxes.

        Args:
            box: (P) which box. local: (P, 3) m from its corner with the least x, y, z. normal: (P, 3) in its own axes.
        """
        colour, kinds = self.colours.take(box, 0), self._kinds.take(box)
        upright = np.abs(normal[:, 1]) < .5
        along = np.where(np.abs(normal[:, 2]) > .5, local[:, 0], local[:, 2])
        for look, paint in _PAINTERS.items():
            mine = np.flatnonzero((kinds == _KINDS[look]) & (upright | (look == 'ceiling')))
            if len(mine):
                u, v = (local[mine, 0], local[mine, 2]) if look == 'ceiling' else (along[mine], local[mine, 1])
                colour[mine] = paint(self, colour[mine], box[mine], u, v)
        grain = self._sample(11 * along + 7 * local[:, 2], 11 * local[:, 1], 1., np.float32(0))
        return colour * (1 + np.float32(.04) * grain)[:, None]

    def _facade(self, colour, box, u, v):
        """Windows in rows, lower ones larger and between shields of another colour; two metres are below the ground."""
        wide, high = self.pitch[box].T
        v = v - 2
        column, row = np.floor(u / wide), np.floor(v / high)
        x, y = np.abs(u / wide - column - .5), np.abs(v / high - row - .5)
        shop = row < 1
        colour[shop] = self.second[box[shop]]
        glass = (x < np.where(shop, .4, .21)) & (y < np.where(shop, .3, .26)) & (v > 0)
        colour[glass] = (.12 + .5 * _scatter(column, row, self.odd[box]))[glass, None] * np.float32([.8, .9, 1])
        colour[(x < .24) & (y < .3) & ~glass & ~shop] *= np.float32(1.15)
        return colour

    def _wall(self, colour, box, u, v):
        """Now and then a window, a door or a picture; sometimes panels below; a skirting board."""
        column = np.floor(u / 2.1)
        x, what = u - 2.1 * column - 1.05, _scatter(column, 0, self.odd[box])
        if self.odd[0] % 2 < 1:
            colour[v < .95] = self.panel
        # Each 2.1 m has one or none: shares from, to; half its width, bottom, top, m; its colour and its frame's.
        for low, high, half, bottom, top, value, frame in (
                (0, .3, .6, .9, 2.1, (1.25, 1.3, 1.4), .85), (.3, .42, .45, 0, 2.05, self.second[0], .85),
                (.42, .8, .4, 1.15, 1.8, None, .2)):
            inside = (what >= low) & (what < high) & (np.abs(x) < half) & (v > bottom) & (v < top)
            if value is None:
                patch = np.floor(x * 5), np.floor(v * 4)
                value = np.stack([_scatter(column + self.odd[box] + k, *patch)[inside] for k in range(3)], 1)
            colour[inside] = value
            colour[inside & ((np.abs(x) > half - .05) | (v < bottom + .05) | (v > top - .05))] = frame
        colour[v < .08] = .8
        return colour

    def _shelf(self, colour, box, u, v):
        """Boards, and books of all colours."""
        row, book = np.floor(v / .34), np.floor(u / .05)
        hues = np.stack([_scatter(book, row, self.odd[box] + k) for k in range(3)], 1)
        books = (v - .34 * row > .03) & (v - .34 * row < .2 + .12 * _scatter(book, row, 5.))
        colour[books] = hues[books] * np.float32(.7)
        colour[~books & (v - .34 * row > .03)] *= np.float32(.3)
        return colour

    def _cupboard(self, colour, _, u, v):
        """Doors with gaps between them."""
        colour[(np.mod(u, .5) < .015) | (np.mod(v, .6) < .015)] *= np.float32(.5)
        return colour

    def _leaves(self, colour, _, u, v):
        spots = self._sample(6 * u, 6 * v, 1., np.float32(0))
        return colour * (1 + np.float32(.45) * spots)[:, None]

    def _cabin(self, colour, _, u, v):
        """Panes, dark, below the roof."""
        colour[v < .46] = (.13, .15, .17)
        return colour

    def _ceiling(self, colour, _, u, v):
        """Lamps."""
        colour[(np.mod(u, 2.4) < .6) & (np.mod(v, 1.8) < .6)] = 3
        return colour


_PAINTERS = dict(facade=Scenery._facade, wall=Scenery._wall, shelf=Scenery._shelf, cupboard=Scenery._cupboard,
                 leaves=Scenery._leaves, cabin=Scenery._cabin, ceiling=Scenery._ceiling)
_KINDS = {look: number for number, look in enumerate(_PAINTERS)}


def _scatter(i, j, k):
    """Numbers in 0..1, as if at random, for three arrays of numbers."""
    return np.mod(np.sin(i * 12.9898 + j * 78.233 + k * 37.719) * 43758.5453, 1)


def _pastel(rng):
    """A light colour (3), seldom a strong one."""
    light = rng.uniform(.5, .95)
    tint = rng.uniform(-1, 1, 3) * (.06 if rng.random() < .7 else .25)
    return np.clip(light + tint, .05, 1)
