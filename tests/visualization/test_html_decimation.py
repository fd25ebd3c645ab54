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


@pytest.mark.parametrize('target', [800, 200])
def test_shapes_keep_their_volume_with_the_same_triangles(target):
    vertices, faces = ball()
    shapes = np.stack([vertices, vertices * [1, 2, .5] + [0, 0, 9]])
    fewer, triangles, origin = decimate(shapes, faces, target)
    assert len(triangles) == target and triangles.max() == fewer.shape[1] - 1
    for shape, small in zip(shapes, fewer):
        assert volume(small - shape.mean(0), triangles) == pytest.approx(
            volume(shape, faces), rel=.005 if target == 800 else .03)
    assert len(set(origin.tolist())) == fewer.shape[1]
    assert np.linalg.norm(vertices[origin] - fewer[0], axis=1).mean() < .1  # corners are .2 apart
    for few, count in ((faces, len(faces)), (faces[:0], 1)):
        np.testing.assert_array_equal(decimate(shapes, few, count)[1], few)
