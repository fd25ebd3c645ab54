"""Cameras, the z-buffer and alignment at the ends of their ranges."""

import math

import pytest
import torch

from mmhuman_dto.geometry import intrinsics_from_fov, project, rasterize, visible_vertices
from mmhuman_dto.geometry.alignment import similarity_align
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle

FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
SQUARE = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
INTRINSICS = torch.tensor([[20.0, 0, 16], [0, 20, 12], [0, 0, 1]])
SIZE = 24, 32


def test_half_precision_is_projected_as_well_as_it_is_stored():
    points = torch.tensor([[0.3, -0.2, 5.0], [1.0, 1, 40], [1.0, 1, 0], [0.3, -0.2, -5.0]])
    exact = project(points.half().float(), INTRINSICS)
    torch.testing.assert_close(project(points.half(), INTRINSICS.half()).float(), exact)


@pytest.mark.parametrize('backend', ['numba', 'torch'])
class TestRasterize:
    def draw(self, vertices, backend, intrinsics=INTRINSICS, size=SIZE):
        raster = rasterize(vertices, FACES, intrinsics, size, backend)
        assert torch.isfinite(raster.z_map).all() and (raster.z_map >= 0).all()
        assert torch.equal(raster.id_map > 0, raster.z_map > 0)
        return raster

    @pytest.mark.parametrize('scale, shift', [
        (1, (0, 0, -4.0)), (1, (0, 0, 0)), (1, (0, 0, 1e7)), (1, (0, 0, 1e30)), (1, (1e30, 0, 4)),
        (1, (0, 0, math.inf)), (1, (math.nan, 0, 4)), (0, (0, 0, 2.0))])
    def test_meshes_behind_the_camera_at_infinity_not_finite_or_without_extent_show_nothing(
            self, backend, scale, shift):
        raster = self.draw((scale * SQUARE + torch.tensor(shift))[None], backend)
        assert not raster.id_map.any()
        assert visible_vertices(raster, FACES, 1, 4).tolist() == [0]

    def test_one_pixel_image_and_one_pixel_mesh(self, backend):
        mesh = (SQUARE * 0.05 + torch.tensor([0.01, 0.01, 2.0]))[None]
        assert self.draw(mesh, backend).id_map.sum() == 1
        one = torch.tensor([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        assert self.draw((SQUARE * 9 + torch.tensor([0, 0, 2.0]))[None], backend, one, (1, 1)).id_map.item() == 1

    @pytest.mark.parametrize('degrees', [1.0, 179.0])
    def test_extreme_field_of_view(self, backend, degrees):
        intrinsics = intrinsics_from_fov(math.radians(degrees), SIZE[1], SIZE[0])
        seen = self.draw((SQUARE + torch.tensor([0, 0, 4.0]))[None], backend, intrinsics).id_map
        assert seen.all() if degrees == 1 else not seen.any()  # it fills the picture, or a tenth of a pixel

    def test_half_precision(self, backend):
        mesh = (SQUARE + torch.tensor([0, 0, 4.0]))[None]
        assert torch.equal(self.draw(mesh.half(), backend).id_map, self.draw(mesh, backend).id_map)


@pytest.mark.parametrize('scale', [True, False])
class TestAlignment:
    @pytest.mark.parametrize('count', [1, 2, 3, 4])
    def test_few_points(self, scale, count):
        target = SQUARE[:count] + 1
        torch.testing.assert_close(similarity_align(SQUARE[:count], target, scale), target)

    def test_identical_points_have_no_extent(self, scale):
        moved = similarity_align(SQUARE * 0 + 3, SQUARE, scale)
        torch.testing.assert_close(moved, SQUARE.mean(0).expand(4, 3))
        assert torch.isfinite(similarity_align(SQUARE, SQUARE * 0 + 3, scale)).all()

    def test_half_precision(self, scale):
        moved = similarity_align(SQUARE.half(), SQUARE.half() * 2 + 1, scale)
        assert moved.dtype == torch.float16 and torch.isfinite(moved).all()

    def test_far_away_and_tiny(self, scale):
        for factor in (1e-18, 1e15):
            assert torch.isfinite(similarity_align(SQUARE * factor, SQUARE, scale)).all()

    def test_nobody(self, scale):
        assert similarity_align(torch.zeros(0, 4, 3), torch.zeros(0, 4, 3), scale).shape == (0, 4, 3)


@pytest.mark.parametrize('angle', [0.0, 1e-30, 1e-8, math.pi, -math.pi, 2 * math.pi, 1e4])
def test_rotations_at_their_seams(angle):
    pose = torch.tensor([[angle, 0, 0], [0, angle, 0], [angle / 2, 0, angle]], requires_grad=True)
    matrix = axis_angle_to_matrix(pose)
    assert torch.isfinite(matrix).all() and torch.isfinite(matrix_to_axis_angle(matrix)).all()
    matrix.sum().backward()
    assert torch.isfinite(pose.grad).all()
