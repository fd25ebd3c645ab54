"""Smooth curves over the ground, told by the part of their length."""
import numpy as np
from scipy.interpolate import CubicSpline

_SAMPLES = 120


class Curve:
    """A Bezier curve from one point (2) to another in ``u`` = 0..1 of its length; m.

    Args:
        depart: heading at the start, rad, from z towards x.
        bulge: how far the second control point is to the left of the straight line, in its lengths.
    """

    def __init__(self, start, end, depart, bulge=0.):
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = end - start
        p1 = start + np.linalg.norm(along) / 3 * np.array([np.sin(depart), np.cos(depart)])
        p2 = end - along / 3 + bulge * np.array([along[1], -along[0]])
        t = np.linspace(0, 1, _SAMPLES)[:, None]
        points = (1 - t)**3 * start + 3 * t * (1 - t)**2 * p1 + 3 * t * t * (1 - t) * p2 + t**3 * end
        length = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
        self.length = float(length[-1])
        self._place = CubicSpline(length / self.length, points)
        slope = (1 - t)**2 * (p1 - start) + 2 * t * (1 - t) * (p2 - p1) + t**2 * (end - p2)
        heading = np.unwrap(np.arctan2(slope[:, 0], slope[:, 1]))
        # Headings go on from that of the start, however often it was turned around before.
        heading += 2 * np.pi * np.round((depart - heading[0]) / (2 * np.pi))
        self._heading = CubicSpline(length / self.length, heading)

    def place(self, u):
        """(*, 2) m."""
        return self._place(u)

    def heading(self, u):
        """(*) rad, continuous along the curve."""
        return self._heading(u)

    def sharpest(self):
        """The smallest radius, m."""
        return self.length / max(np.abs(self._heading(np.linspace(0, 1, 50), 1)).max(), 1e-9)
