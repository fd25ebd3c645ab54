"""Triangles between neighbours cover the surface that the points are of, outside out; ways along it grow with it."""
import numpy as np
import pytest
import torch

from mmhuman_dto.body_models.measuring import heights_along_surfaces
from mmhuman_dto.geometry import rasterize
from mmhuman_dto.geometry.point_surface import longest_way, triangles_of_points
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene


@pytest.fixture(scope='module')
def openbody():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def scene(openbody):
    return sample_scene(3, openbody, CrowdConfig((340, 510), people=(4, 4), child_share=.5))


def test_they_look_like_the_mesh(openbody, scene):
    faces, vertices = triangles_of_points(scene.vertices[0]), torch.as_tensor(scene.vertices)
    camera = torch.as_tensor(scene.intrinsics).float()
    guessed, true = (rasterize(vertices, one, camera, (340, 510)) for one in (faces, openbody.faces))
    covered, real = guessed.id_map > 0, true.id_map > 0
    assert (covered & real).sum() / (covered | real).sum() > .95
    both = covered & real & (guessed.id_map == true.id_map)
    assert (guessed.z_map - true.z_map)[both].abs().quantile(.95) < .02


def test_fronts_are_outside(openbody):
    rest = openbody(torch.zeros(24, 3), torch.zeros(11)).vertices.numpy()
    faces, true = triangles_of_points(rest).numpy(), openbody.faces.numpy()

    def normals(triangles):
        return np.cross(rest[triangles[:, 1]] - rest[triangles[:, 0]], rest[triangles[:, 2]] - rest[triangles[:, 0]])

    outside = np.zeros_like(rest)
    np.add.at(outside, true.reshape(-1), np.repeat(normals(true), 3, 0))
    areas = np.linalg.norm(normals(faces), axis=1)
    right = (normals(faces) * outside[faces[:, 0]]).sum(1) > 0
    assert areas[right].sum() > .9 * areas.sum()  # the others are within the mouth and between fingers


def test_ways_are_those_of_a_sphere_and_grow_with_it():
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(4000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    way = longest_way(ball)
    assert way == pytest.approx(np.pi, rel=.1)
    assert longest_way(1.7 * ball) == pytest.approx(1.7 * way)


def test_heights_are_within_what_is_stated(openbody):
    inside = []
    for index in range(6):
        scene = sample_scene(index, openbody, CrowdConfig((340, 510), people=(3, 4), child_share=.5), seed=12)
        heights, std = heights_along_surfaces(scene.vertices)
        inside += (np.abs(heights.numpy() - scene.heights) < 1.645 * std.numpy()).tolist()
    assert np.mean(inside) > .8
