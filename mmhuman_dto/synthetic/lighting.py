"""Sun, sky light and soft shadows, and dark contact under what stands on the ground.

Shadows on bodies are variance shadow maps (Donnelly and Lauritzen 2006): mean and mean square of what is nearest to the
sun, blurred, and Chebyshev's inequality for the share of the sun that is left.
"""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from mmhuman_dto.geometry import rasterize_meshes

from .appearance import remap

#: Finest cell of the shadow map, m.
_CELL = .015
#: Distance of the stand-in sun, m; how much nearer to it than a point something must be to shade it, m; blur, cells.
_SUN_DISTANCE, _BIAS, _BLUR = 1000., .04, 1.5
#: Contact shadow: height below which a body darkens the ground, and its reach, m.
_CONTACT_HEIGHT, _CONTACT_REACH = .12, .06


class Mood(NamedTuple):
    """How strong the light of the sky and of the sun is, and ranges of where the sun stands, rad."""
    ambient: float = .56
    sun: float = .60
    elevation: tuple[float, float] = (.55, 1.15)
    azimuth: tuple[float, float] = (-1.5, 1.5)  # 0 behind the camera


def sample_mood(indoors, rng):
    """The :class:`Mood` of a scene of version 2: lamps at the ceiling, or a clear, a covered or an evening's sky."""
    if indoors:
        return Mood(rng.uniform(.6, .95), rng.uniform(.1, .4), (1.1, 1.5), (-np.pi, np.pi))
    ambient, sun, elevation = (((.42, .6), (.5, .75), (.45, 1.3)), ((.7, .98), (.03, .2), (.7, 1.3)),
                               ((.35, .5), (.35, .65), (.3, .5)))[rng.choice(3, p=[.45, .4, .15])]
    return Mood(rng.uniform(*ambient), rng.uniform(*sun), elevation, (-np.pi, np.pi))


class Light:
    """Light of one scene, everything in the camera frame, m.

    Args:
        scene: :class:`~mmhuman_dto.synthetic.scenes.Scene`, for its ground and, in clips, what the light is fixed to.
        meshes: [(vertices (V, 3), faces (F, 3)), ...] that cast shadows.
        touching: (P, 3) points of what stands on the ground.
        cells: most cells of the shadow map.
        mood: :class:`Mood`.
    """

    def __init__(self, scene, meshes, touching, cells, rng, mood):
        elevation, azimuth = rng.uniform(*mood.elevation), rng.uniform(*mood.azimuth)
        self.mood = mood
        ground, up = scene.ground, scene.up
        back = -np.array([0, 0, 1]) + up * up[2]  # towards the viewer, level
        back = back / np.linalg.norm(back) if scene.cast is None else scene.cast.back
        side = np.cross(up, back)
        self.up, self.ground = up, ground
        self.sun = np.sin(elevation) * up + np.cos(elevation) * (np.cos(azimuth) * back + np.sin(azimuth) * side)
        self.axes = np.stack([np.cross(ground.normal, back), back - ground.normal * (back @ ground.normal)])
        self.start = self.axes @ (np.zeros(3) if scene.cast is None else scene.cast.floor)
        self._draw_maps(meshes, cells)
        self.contact = self._contact_map(self._above_ground(touching))

    def plane(self, points):
        """Coordinates x, y (*) m, along the ground, of where the sun would throw the shadow of points (*, 3)."""
        # Linear in the point: (p - above(p) / (n . sun) * sun) . axis
        lean = self.axes @ self.sun / (self.ground.normal @ self.sun)
        rows = self.axes - lean[:, None] * self.ground.normal
        x, y = (points @ rows.T.astype(points.dtype) - (lean * self.ground.height + self.start).astype(points.dtype)).T
        return x, y

    def on(self, points, normals):
        """Light (P) on surfaces at points (P, 3) with normals (P, 3)."""
        lit = np.clip(normals @ self.sun.astype(np.float32), 0, None)
        # Looked up a little off the surface, which would else shade itself.
        raised = points + np.float32(_BIAS) * normals
        x, y = self.plane(raised)
        mean, square = (self._sample(m, x, y) for m in self.lift)
        below, variance = mean - self._lift(raised) - np.float32(_BIAS), np.maximum(square - mean**2, 1e-4)
        shaded = np.where(below > 0, 1 - variance / (variance + below**2), 0)
        sky = self.mood.ambient * (.72 + .28 * normals @ self.up.astype(np.float32))
        return sky + self.mood.sun * lit * (1 - .85 * shaded)

    def on_ground(self, x, y):
        """Light (P) on the ground at plane coordinates x, y (P)."""
        shadow, contact = (self._sample(m, x, y) for m in (self.shadow, self.contact))
        direct = float(self.mood.sun * (self.ground.normal @ self.sun))
        return (self.mood.ambient + direct * (1 - .85 * shadow)) * (1 - .45 * contact)

    def _lift(self, points):
        """How far from the ground, towards the sun, points (*, 3) are; (*) m."""
        towards = self.ground.normal / (self.ground.normal @ self.sun)
        height = self.ground.height / (self.ground.normal @ self.sun)
        return points @ towards.astype(points.dtype) + points.dtype.type(height)

    def _draw_maps(self, meshes, cells):
        points = [self._above_ground(vertices.double().numpy()) for vertices, _ in meshes]
        flat = [np.stack(self.plane(p), -1) for p in points]
        low, high = (f(np.concatenate(flat), axis=0) for f in (np.min, np.max))
        low, high = low - .3, high + .3
        self.cell, self.low = max(_CELL, np.sqrt((high - low).prod() / cells)), low
        size = tuple(int(n) for n in np.ceil((high - low)[::-1] / self.cell))
        # A pinhole that sees plane coordinates: what is at distance d from the sun is drawn at d times them.
        intrinsics = torch.tensor([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, self.cell]]).double() / self.cell
        drawn = []
        for (_, faces), p, xy in zip(meshes, points, flat):
            distance = _SUN_DISTANCE - self._lift(p)[:, None]
            drawn.append((torch.as_tensor(np.concatenate([xy * distance, distance], 1)), faces))
        raster = rasterize_meshes(drawn, intrinsics, size)
        covered = (raster.id_map > 0).numpy()
        lift = np.where(covered, _SUN_DISTANCE - raster.z_map.numpy(), 0).astype(np.float32)
        self.lift = [cv2.GaussianBlur(m, (0, 0), _BLUR) for m in (lift, lift**2)]
        self.shadow = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), max(.02 / self.cell, .8))

    def _above_ground(self, points):
        above = self.ground.above(points)
        return points - np.minimum(above, 0)[:, None] / (self.ground.normal @ self.up) * self.up

    def _contact_map(self, points):
        contact = np.zeros_like(self.shadow)
        points = points[self.ground.above(points) < _CONTACT_HEIGHT]
        column, row = ((points @ axis - start - low) / self.cell
                       for axis, start, low in zip(self.axes, self.start, self.low))
        inside = (column >= 0) & (row >= 0) & (column < contact.shape[1]) & (row < contact.shape[0])
        contact[row[inside].astype(int), column[inside].astype(int)] = 1
        reach = max(_CONTACT_REACH / self.cell, 1)
        return np.clip(cv2.GaussianBlur(cv2.dilate(contact, np.ones((3, 3))), (0, 0), reach) * 1.6, 0, 1)

    def _sample(self, texture, x, y):
        columns, rows = (np.clip((v - v.dtype.type(low)) / self.cell - .5, -2, side + 2)
                         for v, low, side in zip((x, y), self.low, texture.shape[::-1]))
        return remap(texture, columns, rows, cv2.BORDER_CONSTANT)
