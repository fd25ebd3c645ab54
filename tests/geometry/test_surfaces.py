"""Distances to surfaces and normals, against points whose distance is known."""
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.geometry.surfaces import distance_to_triangles, distances_to_surface, vertex_normals

TRIANGLE = torch.tensor([[0., 0, 0], [3, 0, 0], [0, 4, 0]])


@pytest.mark.parametrize('point, distance', [
    ((1, 1, 2), 2), ((1, 1, -2), 2), ((1, 1, 0), 0),  # above, below, in it
    ((1, -3, 4), 5), ((-3, 1, 4), 5), ((-3, -4, 12), 13),  # nearest to an edge, to another, to a corner
    ((3 / 2 + 4, 2 + 3, 0), 5), ((6, 0, 4), 5), ((0, 16, 5), 13)])
def test_points_and_a_triangle(point, distance):
    assert distance_to_triangles(torch.tensor(point).float(), TRIANGLE) == pytest.approx(distance, abs=1e-5)
    assert distance_to_triangles(torch.tensor(point).float(), TRIANGLE.flip(0)) == pytest.approx(distance, abs=1e-5)


def test_a_triangle_without_area():
    line = torch.tensor([[0., 0, 0], [1, 0, 0], [2, 0, 0]])
    assert distance_to_triangles(torch.tensor([1., 2, 0]), line) == pytest.approx(2)


@given(point=st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_points_and_a_box(point):
    corners = torch.tensor([[x, y, z] for x in (-1., 1) for y in (-1., 1) for z in (-1., 1)])
    faces = torch.tensor([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],
                          [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])
    beyond = np.abs(point) - 1
    known = np.linalg.norm(np.maximum(beyond, 0)) if (beyond > 0).any() else -beyond.max()
    assert distances_to_surface(torch.tensor([point]), corners, faces).item() == pytest.approx(known, abs=1e-5)
    outwards = torch.nn.functional.normalize(corners, dim=-1)
    assert ((vertex_normals(corners[None], faces)[0] * outwards).sum(-1) > .7).all()
