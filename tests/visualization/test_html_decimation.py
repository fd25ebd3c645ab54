import numpy as np
import pytest

from mmhuman_dto.visualization.html_decimation import decimate


def ball(rings=24, columns=32):
    """Closed unit ball: (V, 3), (F, 3) counterclockwise from outside."""
    theta, phi = np.meshgrid(np.pi * np.arange(1, rings) / rings, 2 * np.pi * np.arange(columns) / columns,
                             indexing='ij')
    side = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1).reshape(-1, 3)
    vertices = np.concatenate([side, [[0, 0, 1], [0, 0, -1]]])
    a = np.arange((rings - 1) * columns).reshape(rings - 1, columns)
    b = np.roll(a, -1, 1)
    top, bottom = len(side), len(side) + 1
    quads = [np.stack([a[:-1], a[1:], b[1:]], -1), np.stack([a[:-1], b[1:], b[:-1]], -1)]
    caps = [np.stack([np.full(columns, top), a[0], b[0]], -1), np.stack([np.full(columns, bottom), b[-1], a[-1]], -1)]
    return vertices, np.concatenate([part.reshape(-1, 3) for part in [*quads, *caps]])


def volume(vertices, faces):
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return (np.cross(a, b) * c).sum() / 6


def edge_uses(faces):
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    return np.unique(edges, axis=0, return_counts=True)[1]


@pytest.mark.parametrize('target', [800, 200])
def test_a_ball_stays_a_closed_ball(target):
    vertices, faces = ball()
    stretched = vertices * [1, 2, .5]
    kept, fewer = decimate(np.stack([vertices, stretched]), faces, target)
    assert target - 2 <= len(fewer) <= target and fewer.max() == len(kept) - 1
    assert (edge_uses(fewer) == 2).all() and len(kept) - len(fewer) / 2 == 2  # closed, and Euler's number of a ball
    for shape in (vertices, stretched):
        assert volume(shape[kept], fewer) == pytest.approx(volume(shape, faces), rel=.02 if target == 800 else .08)


def test_flat_parts_go_first_and_borders_stay():
    side = np.arange(11)
    x, y = np.meshgrid(side, side, indexing='ij')
    vertices = np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3).astype(float)
    vertices[5 * 11 + 5, 2] = 3  # a peak in a square
    a = (x * 11 + y)[:-1, :-1].ravel()
    faces = np.concatenate([np.stack([a, a + 11, a + 12], -1), np.stack([a, a + 12, a + 1], -1)])
    kept, _ = decimate(vertices[None], faces, 60)
    border = np.flatnonzero((vertices[:, :2] % 10 == 0).any(1))
    assert len(kept) < 60 and set(border) | {5 * 11 + 5} <= set(kept)


def test_what_cannot_go_stays():
    strip = np.array([[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5]])  # all border
    points = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [2, 0, 0], [2, 1, 0]])
    kept, faces = decimate(points[None], strip, 1)
    assert len(kept) == 6 and len(faces) == 4
