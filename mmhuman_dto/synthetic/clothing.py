"""Clothes and hair as surfaces around the body: the body's own, moved outwards, and pieces that hang on it.

A dressed mesh replaces the body's in pictures and maps, so these show cloth, a few centimetres before the skin; the
truth (vertices, joints, heights) stays that of the body.
"""
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array

from .appearance import regions_of
from .attire import BAG, HAT, LOCKS, SKIRT, hat_region

#: Points around a skirt; metres from one of its rings to the next; how far it is from the legs, m.
_AROUND, _STEP, _EASE = 24, .06, .012
#: Points of each leg, or half of the hips, that hold a ring.
_HELD_BY = 20


class Dressed(NamedTuple):
    """What is drawn of one person."""
    vertices: torch.Tensor  # (V', 3) m, camera frame; the body's come first
    faces: torch.Tensor  # (F', 3)
    attributes: torch.Tensor  # (V', 7): normal, place on the rest body, part (see ``attire``)


class Wardrobe:
    """Dresses bodies of one model, by its rest body (V, 3), faces (F, 3) and :class:`appearance.Landmarks`."""

    def __init__(self, rest, faces, marks):
        self.rest, self.faces, self.marks = rest, faces, marks
        self._head = np.flatnonzero((rest[:, 1] > marks.head[1]) & (np.abs(rest[:, 0]) < marks.shoulder))[::7]
        self._chest = np.flatnonzero((np.abs(rest[:, 1] - .08) < .12) & (np.abs(rest[:, 0]) < .12))[::3]
        corners = faces.numpy().ravel()
        self._corner_of = csr_array((np.ones(len(corners), np.float32), (corners, np.arange(len(corners)) // 3)))
        heights = np.arange(marks.waist + .03, marks.ankle + .12, -_STEP)
        self._bands = np.stack([[_spread(rest, y, side) for side in (1, -1)] for y in heights])
        self._heights = heights
        self._pieces = _pieces(marks)

    def dress(self, mesh, attire, height):
        """:class:`Dressed` person of a body (V, 3), float32, of a height in m."""
        scale, normals = np.float32(height / 1.7), self._body_normals(mesh)
        moved = mesh + (scale * self._thickness(attire))[:, None] * normals
        parts = [(moved, normals, self.rest, 0, self.faces)]
        if attire.skirt is not None:
            parts.append(self._skirt(mesh, attire, scale))
        for name, part, anchor in self._hung(attire):
            piece = self._pieces[name]
            points = _carried(self.rest[anchor], mesh[anchor], piece.points)
            parts.append((points, _normals(points, piece.faces), piece.points, part, piece.faces))
        return _joined(parts)

    def _body_normals(self, mesh):
        """Outward unit normals (V, 3), area weighted."""
        a, b, c = torch.as_tensor(mesh)[self.faces].unbind(1)
        return _unit(self._corner_of @ torch.linalg.cross(b - a, c - a).numpy())

    def _thickness(self, attire):
        """How far (V) from the skin what covers it is, m, on a grown-up."""
        regions, (top, trousers, hem) = regions_of(self.rest, attire.outfit, self.marks), attire.loose
        far = np.zeros(len(self.rest), np.float32)
        down = np.clip((self.marks.waist - self.rest[:, 1]) / (self.marks.waist - self.marks.ankle), 0, 1)**2
        far[regions.bottom] = (trousers + (hem - trousers) * down)[regions.bottom]
        far[regions.top] = top
        far[regions.hair] = attire.volume
        if attire.hat is not None:
            far[hat_region(self.rest, self.marks)] = max(.02, attire.volume)
        return far

    def _skirt(self, mesh, attire, scale):
        """Rings around the hull of hips and legs, down to where the skirt ends or the legs bend too much for it."""
        bands = self._bands[:max(int((self._heights > attire.skirt).sum()), 2)]
        halves = mesh[bands].mean(2)  # (K, 2, 3): of either leg
        centre, across = halves.mean(1), (halves[:3, 0] - halves[:3, 1]).mean(0)
        down = _unit(np.gradient(centre, axis=0))
        straight = np.cumprod((down[1:] * down[:-1]).sum(-1) > .5)
        rings = max(1 + int(straight.sum()), 2)
        centre, down, points = centre[:rings], down[:rings], mesh[bands[:rings]].reshape(rings, -1, 3)
        across = _unit(across - (down @ across)[:, None] * down)
        axes = np.stack([across, np.cross(down, across)], 1)  # (K, 2, 3)
        flat = np.einsum('kpc,kac->kpa', points - centre[:, None], axes)
        radius = _hull_radius(flat) + scale * (_EASE + attire.flare * np.linspace(0, 1, rings)[:, None]**1.5)
        surface = centre[:, None] + radius[..., None] * np.einsum('ta,kac->ktc', _DIRECTIONS, axes)
        surface = surface.astype(np.float32).reshape(-1, 3)
        faces = _grid_faces(rings, _AROUND, True)
        rest = np.stack(np.broadcast_arrays(.2 * _DIRECTIONS[None, :, 0], self._heights[:rings, None],
                                            .15 * _DIRECTIONS[None, :, 1]), -1).reshape(-1, 3)
        return surface, _normals(surface, faces), rest, SKIRT, faces

    def _hung(self, attire):
        """(piece, part, points that carry it) of what is fixed to head and back."""
        if attire.hat in ('cap', 'brim'):
            yield attire.hat, HAT, self._head
        if attire.cut in ('bob', 'long', 'tail', 'bun') and not (attire.cut == 'bun' and attire.hat):
            yield attire.cut, LOCKS, self._head
        if attire.bag is not None:
            yield 'bag', BAG, self._chest


class _Piece(NamedTuple):
    points: np.ndarray  # (P, 3) on the rest body
    faces: torch.Tensor


_ANGLES = np.arange(_AROUND) * 2 * np.pi / _AROUND
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)


def _hull_radius(points):
    """How far (K, T) the convex hull of points (K, P, 2) reaches from the origin, in T directions."""
    support = (points @ _DIRECTIONS.T).max(1)
    towards = _DIRECTIONS @ _DIRECTIONS.T
    limits = np.where(towards > .05, support[:, None] / np.maximum(towards, .05), np.inf)
    return limits.min(2)


def _spread(rest, height, side):
    """Points of the left or right (``side`` 1, -1) half of the hips, or leg, at a height: spread around it."""
    elsewhere = (side * rest[:, 0] < 0) | (np.abs(rest[:, 0]) > .25)
    near = np.argsort(np.abs(rest[:, 1] - height) + 10 * elsewhere, kind='stable')[:40]
    x, z = (rest[near][:, [0, 2]] - rest[near][:, [0, 2]].mean(0)).T
    return near[np.argsort(np.arctan2(z, x))][::40 // _HELD_BY]


def _carried(before, after, points):
    """Points (P, 3) moved as A points (A, 3) were: turned, scaled and shifted (Umeyama 1991)."""
    middle, now = before.mean(0), after.mean(0)
    u, size, vt = np.linalg.svd((after - now).T @ (before - middle))
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (size * sign).sum() / ((before - middle)**2).sum()
    return ((points - middle) @ (u * sign @ vt).T * scale + now).astype(np.float32)


def _pieces(marks):
    """Pieces of hair, hats and a rucksack around the rest body."""
    head = marks.head + np.float32([0, .05, .01])  # middle of the skull
    sides = np.linspace(np.radians(68), np.radians(292), 15)

    def curtain(bottom, widest):
        """Hair that hangs from the crown around the back of the head."""
        rows = np.linspace(0, 1, 8)[:, None]
        y = head[1] + .095 + (bottom - head[1] - .095) * rows
        wide = np.interp(rows, [0, .15, .45, 1], [.3, .8, 1, widest])
        back = np.where(y < marks.neck + .05, .03, 0)  # behind the shoulders
        return np.stack(np.broadcast_arrays(
            head[0] + .098 * wide * np.sin(sides), y, head[2] + .112 * wide * np.cos(sides) - back), -1), False

    def disc(inner, outer, start, end, height, drop):
        """The brim of a hat from angle to angle, 0 in front."""
        angles, rows = np.linspace(start, end, 17), np.linspace(0, 1, 3)[:, None]
        radius = inner + (outer - inner) * rows
        return np.stack(np.broadcast_arrays(.85 * radius * np.sin(angles), head[1] + height - drop * rows,
                                            head[2] + radius * np.cos(angles)), -1), False

    grids = dict(
        bob=curtain(marks.neck + .02, 1.05), long=curtain(marks.neck - .17, 1.0),
        tail=_ellipsoid(head + [0, -.06, -.15], [.035, .13, .035]),
        bun=_ellipsoid(head + [0, .09, -.09], [.045, .045, .045]),
        cap=disc(.10, .19, -1., 1., .045, .02), brim=disc(.09, .20, 0, 2 * np.pi, .05, .03),
        bag=_ellipsoid([0, .06, -.17], [.15, .22, .09]))
    return {name: _Piece(np.float32(grid).reshape(-1, 3), _grid_faces(*grid.shape[:2], closed))
            for name, (grid, closed) in grids.items()}


def _ellipsoid(middle, half):
    """A grid (9, 24, 3) around a box with round corners."""
    tilt = np.linspace(0, np.pi, 9)[:, None]
    x, y = np.sin(tilt) * np.cos(_ANGLES), np.sin(tilt) * np.sin(_ANGLES)
    unit = np.stack(np.broadcast_arrays(x, np.cos(tilt), y), -1)
    return np.array(middle) + np.array(half) * np.sign(unit) * np.abs(unit)**.7, True


def _grid_faces(rows, columns, closed):
    """Triangles (F, 3) of a grid of points, its last column joined to the first where it is ``closed``."""
    index = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(index, -1, 1) if closed else index[:, 1:]
    left = index if closed else index[:, :-1]
    a, b, c, d = left[:-1], right[:-1], left[1:], right[1:]
    return torch.as_tensor(np.stack([a, b, c, b, d, c], -1).reshape(-1, 3))


def _normals(points, faces):
    """Unit normals (P, 3) of a small mesh."""
    faces = faces.numpy()
    a, b, c = points[faces].swapaxes(0, 1)
    across, normals = np.cross(b - a, c - a), np.zeros_like(points)
    for corner in faces.T:
        np.add.at(normals, corner, across)
    return _unit(normals)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _joined(parts):
    """One mesh of (points, normals, rest, part, faces) of several."""
    attributes = [np.column_stack([normals, rest, np.full(len(rest), part)]) for _, normals, rest, part, _ in parts]
    starts = np.cumsum([0] + [len(points) for points, *_ in parts])
    return Dressed(torch.as_tensor(np.concatenate([points for points, *_ in parts])),
                   torch.cat([faces + int(start) for (*_, faces), start in zip(parts, starts)]),
                   torch.as_tensor(np.concatenate(attributes).astype(np.float32)))
