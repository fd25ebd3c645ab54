"""The converter's parts that need no anny, on shapes with known answers."""
import sys
from pathlib import Path

import numpy as np
import pytest

CONVERTERS = Path(__file__).parents[2] / 'tools' / 'model_converters'


@pytest.fixture
def converters(monkeypatch):
    monkeypatch.syspath_prepend(CONVERTERS)
    import openbody_decimate
    import openbody_fit
    yield openbody_decimate, openbody_fit
    for name in ('openbody_decimate', 'openbody_fit'):
        del sys.modules[name]


def octasphere(levels):
    """Unit sphere from an octahedron: vertices (V, 3), faces (F, 3) outwards, mirror (V,); no face crosses x = 0."""
    points = [tuple(p) for p in np.concatenate([np.eye(3), -np.eye(3)])]
    faces = [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    index = {p: i for i, p in enumerate(points)}

    def middle(i, j):
        p = np.add(points[i], points[j])
        p = tuple((p / np.linalg.norm(p)).round(12) + 0.)
        if p not in index:
            index[p] = len(points)
            points.append(p)
        return index[p]

    for _ in range(levels):
        split = []
        for a, b, c in faces:
            ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
            split += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = split
    vertices = np.array(points)
    mirror = np.array([index[tuple((p * [-1, 1, 1]) + 0.)] for p in vertices])
    return vertices, np.array(faces), mirror


def test_decimation_keeps_a_symmetric_closed_sphere(converters):
    vertices, faces, mirror = octasphere(4)
    keep = np.array([0, 1, 7])
    kept, small = converters[0].decimate(vertices[None], faces, mirror, np.ones((len(vertices), 1)),
                                         np.ones(len(faces)), keep, 300)
    assert 250 < len(kept) <= 300 and np.isin(np.union1d(keep, mirror[keep]), kept).all()
    assert len(small) == 2 * len(kept) - 4  # Euler: a closed surface without handles
    np.testing.assert_array_equal(np.sort(mirror[kept]), kept)
    corners = vertices[kept][small]
    volume = np.linalg.det(corners).sum() / 6
    assert .94 * 4 / 3 * np.pi < volume < 4 / 3 * np.pi
    assert (np.linalg.det(corners) > 0).all(), 'no triangle turned over'


def test_decimation_spends_vertices_where_it_is_curved(converters):
    vertices, faces, mirror = octasphere(4)
    flat = vertices * [1, 1, .001]
    flat[:, 2] += 2 * (vertices[:, 1] > .3) * np.abs(vertices[:, 2]) * (vertices[:, 1] - .3)  # a bulge on one side
    kept, _ = converters[0].decimate(flat[None], faces, mirror, np.ones((len(vertices), 1)), np.ones(len(faces)),
                                     np.array([0]), 200)
    share = (vertices[kept, 1] > .3).mean() / (vertices[:, 1] > .3).mean()
    assert share > 1.3


def test_regressor_finds_points_that_are_combinations_of_vertices(converters):
    rng = np.random.default_rng(0)
    left = rng.uniform(.05, .3, (30, 3))
    mean = np.concatenate([left, left * [-1, 1, 1]])
    mirror = np.r_[30:60, 0:30]
    change = rng.normal(size=(40, 30, 3)) * .05
    bodies = mean + np.concatenate([change, change * [-1, 1, 1]], 1)
    points = np.stack([bodies[:, [2, 5]].mean(1), bodies[:, [32, 35]].mean(1),
                       bodies[:, [3, 33]].mean(1) * .4 + bodies[:, [8, 38]].mean(1) * .6], 1)
    matrix = converters[1].fit_regressor(bodies, points, (1, 0, 2), mirror, np.arange(60))
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix[0, [2, 5]], .5, atol=.01)
    np.testing.assert_allclose(matrix[2, [3, 33, 8, 38]], [.2, .2, .3, .3], atol=.01)
    np.testing.assert_array_equal(matrix[1], matrix[0][mirror])


def test_first_direction_is_height_and_the_others_are_not(converters):
    rng = np.random.default_rng(1)
    grow, widen = np.zeros((2, 5, 3))
    grow[:, 1], widen[:, 0] = np.linspace(0, .1, 5), [.02, -.02, .03, -.03, .04]
    mean = np.array([[.1, 0, 0], [-.1, .4, 0], [.1, .8, 0], [-.1, 1.2, 0], [.1, 1.7, 0]])
    amounts = rng.normal(size=(200, 2))
    bodies = mean + amounts[:, :1, None] * grow + amounts[:, 1:, None] * widen
    heights = np.ptp(bodies[..., 1], axis=1)
    centre, directions, coefficients, explained = converters[1].shape_directions(bodies, heights, 2)
    rebuilt = centre + np.einsum('sd,vcd->svc', coefficients, directions)
    np.testing.assert_allclose(rebuilt, bodies, atol=1e-9)
    assert explained == pytest.approx(1)
    assert directions[-1, 1, 0] - directions[0, 1, 0] == pytest.approx(heights.std())
    assert abs(directions[-1, 1, 1] - directions[0, 1, 1]) < 1e-9
    np.testing.assert_allclose(coefficients.std(0), 1, atol=.01)
    assert (directions[:, 0, 1] * mean[:, 0]).sum() > 0, 'positive is wider'
