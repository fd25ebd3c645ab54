import numpy as np
import pytest
import torch

from mmhuman_dto.geometry import rasterize
from mmhuman_dto.synthetic import Renderer, visible_share


def test_identity_map_is_where_the_people_are(body_model, scenes, pictures):
    """A joint deep inside a body that nobody stands before projects into that body's pixels."""
    checked = 0
    for scene, picture in zip(scenes, pictures):
        for i in np.flatnonzero(visible_share(scene, body_model.faces) > .98):
            if scene.pose_names[i].startswith(('sitting', 'squatting', 'bending')):
                continue
            point = scene.joints[i, 6]
            u, v = scene.project(point[None])[0].astype(int)
            if 0 <= u < scene.size[1] and 0 <= v < scene.size[0]:
                checked += picture.id_map[v, u] == i + 1
                assert picture.id_map[v, u] in (i + 1, *(np.flatnonzero(scene.joints[:, 0, 2] < point[2]) + 1))
    assert checked >= 10


def test_depth_is_the_mesh_depth_where_people_are(body_model, scenes, pictures):
    for scene, picture in zip(scenes, pictures):
        vertices, intrinsics = torch.as_tensor(scene.vertices), torch.as_tensor(scene.intrinsics)
        raster = rasterize(vertices, body_model.faces, intrinsics, scene.size)
        people = picture.id_map > 0
        assert people.sum() > 200
        # A seat or the ground may hide a person, but where a person is seen it is the nearest one.
        assert np.array_equal(picture.id_map[people], raster.id_map.numpy()[people])
        assert np.abs(picture.depth - raster.z_map.numpy())[people].max() < 1e-4
        assert (picture.depth <= raster.z_map.numpy() + 1e-4)[raster.z_map.numpy() > 0].all()


def test_ground_depth_lies_on_the_plane(scenes, pictures):
    for scene, picture in zip(scenes, pictures):
        bottom = picture.depth[-1]
        height, width = scene.size
        pixels = np.stack([np.arange(width) + .5, np.full(width, height - .5), np.ones(width)])
        rays = (np.linalg.inv(scene.intrinsics) @ pixels).T
        above = scene.ground.above(rays * bottom[:, None])
        assert (above > -1e-3).all()
        assert (np.abs(above) < 1e-3).mean() > .5


def test_pictures_are_neither_dark_nor_flat(pictures):
    for picture in pictures:
        assert picture.image.dtype == np.uint8 and picture.image.shape == (240, 360, 3)
        assert 60 < picture.image.mean() < 220
        people = picture.image[picture.id_map > 0]
        assert people.std() > 20


@pytest.mark.parametrize('supersample', [1, 3])
def test_maps_do_not_depend_on_supersampling(body_model, scenes, pictures, supersample):
    picture = Renderer(body_model, supersample)(scenes[1])
    assert np.array_equal(picture.id_map, pictures[1].id_map)
    difference = np.abs(picture.image.astype(int) - pictures[1].image)
    assert difference.mean() < 5
