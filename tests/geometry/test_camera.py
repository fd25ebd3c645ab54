import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.geometry import focal_from_fov, fov_from_focal, intrinsics_from_fov, project, unproject
from mmhuman_dto.geometry.camera import crop_intrinsics, flip_intrinsics, resize_intrinsics

K = torch.tensor([[800., 0, 330], [0, 820, 250], [0, 0, 1]], dtype=torch.float64)
SKEWED = torch.tensor([[800., 4, 330], [0, 820, 250], [0, 0, 1]], dtype=torch.float64)
MIRROR_X = torch.tensor([-1., 1, 1], dtype=torch.float64)


def cloud(seed, *shape):
    """Points 0.2 to 10 m in front of the camera."""
    random = torch.rand(*shape, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return random * torch.tensor([8., 6, 9.8]) - torch.tensor([4., 3, -.2])


def test_project_by_hand():
    points = torch.tensor([[0., 0, 2], [1, -.5, 2], [.5, .5, 1]], dtype=torch.float64)
    expected = torch.tensor([[330., 250], [730, 45], [730, 660]], dtype=torch.float64)
    torch.testing.assert_close(project(points, K), expected)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_project_broadcasts_and_keeps_dtype(dtype):
    points = cloud(0, 3, 2, 5).to(dtype)
    cameras = torch.stack([K, SKEWED]).to(dtype)
    pixels = project(points, cameras)
    assert pixels.shape == (3, 2, 5, 2) and pixels.dtype == dtype
    torch.testing.assert_close(pixels[1, 1], project(points[1, 1], SKEWED.to(dtype)))
    assert project(points[:0], cameras).shape == (0, 2, 5, 2)
    assert project(points[..., :0, :], cameras).shape == (3, 2, 0, 2)


def test_project_is_finite_at_and_behind_the_camera():
    points = torch.tensor([[1., 1, 0], [0, 0, 0], [1, 2, -3], [5, 5, 1e-30]], requires_grad=True)
    pixels = project(points, K.float())
    gradient, = torch.autograd.grad(pixels.sum(), points)
    assert pixels.isfinite().all() and gradient.isfinite().all()
    # Such a point leaves the image on the side where it is, not on the opposite one.
    assert (pixels[2] > 1e6).all()


def test_project_gradients():
    points = cloud(1, 2, 4).requires_grad_()
    cameras = torch.stack([K, SKEWED]).requires_grad_()
    assert torch.autograd.gradcheck(project, (points, cameras))
    pixels = project(points, cameras).detach().requires_grad_()
    assert torch.autograd.gradcheck(unproject, (pixels, points.detach()[..., 2].requires_grad_(), cameras))


@given(seed=st.integers(0, 2**32 - 1), skewed=st.booleans())
def test_unproject_inverts_project(seed, skewed):
    camera = SKEWED if skewed else K
    points = cloud(seed, 2, 6)
    torch.testing.assert_close(unproject(project(points, camera), points[..., 2], camera), points)


@given(seed=st.integers(0, 2**32 - 1), sx=st.floats(.1, 5), sy=st.floats(.1, 5))
def test_resizing_commutes_with_projecting(seed, sx, sy):
    points = cloud(seed, 6)
    torch.testing.assert_close(project(points, resize_intrinsics(SKEWED, sx, sy)),
                               project(points, SKEWED) * torch.tensor([sx, sy], dtype=torch.float64))


@given(seed=st.integers(0, 2**32 - 1), left=st.floats(-500, 500), top=st.floats(-500, 500))
def test_cropping_commutes_with_projecting(seed, left, top):
    points = cloud(seed, 6)
    torch.testing.assert_close(project(points, crop_intrinsics(SKEWED, left, top)),
                               project(points, SKEWED) - torch.tensor([left, top], dtype=torch.float64))


@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 4000))
def test_flipping_commutes_with_projecting(seed, width):
    points = cloud(seed, 6)
    u, v = project(points, SKEWED).unbind(-1)
    flipped = flip_intrinsics(SKEWED, width)
    torch.testing.assert_close(project(points * MIRROR_X, flipped), torch.stack([width - u, v], -1))
    assert (flipped[[0, 1], [0, 1]] > 0).all()
    torch.testing.assert_close(flip_intrinsics(flipped, width), SKEWED)


def test_intrinsics_change_in_batches():
    cameras = torch.stack([K, SKEWED])
    sx = torch.tensor([.5, 2.])
    resized = resize_intrinsics(cameras, sx, 1)
    for i in range(2):
        torch.testing.assert_close(resized[i], resize_intrinsics(cameras[i], float(sx[i]), 1))
    assert crop_intrinsics(K, torch.tensor([1., 2, 3]), 0)[:, 0, 2].tolist() == [329, 328, 327]
    assert resize_intrinsics(cameras[:0], 2, 2).shape == (0, 3, 3)


def test_field_of_view_by_hand():
    assert float(focal_from_fov(math.radians(90), 480)) == pytest.approx(240)
    assert float(fov_from_focal(240, 480)) == pytest.approx(math.radians(90))
    camera = intrinsics_from_fov(math.radians(60), 640, 480)
    expected = torch.tensor([[240 / math.tan(math.radians(30)), 0, 320], [0, 240 / math.tan(math.radians(30)), 240],
                             [0, 0, 1]])
    torch.testing.assert_close(camera, expected)


@given(fov=st.floats(.01, 3.13), width=st.integers(16, 4000), height=st.integers(16, 4000))
def test_the_field_of_view_reaches_the_image_border(fov, width, height):
    fov = torch.tensor([fov], dtype=torch.float64)
    camera = intrinsics_from_fov(fov, width, height)
    assert camera.shape == (1, 3, 3) and camera.dtype == torch.float64
    top = torch.stack([torch.zeros(1), -torch.tan(fov / 2), torch.ones(1)], -1)[None].to(torch.float64)
    torch.testing.assert_close(project(top, camera)[0, 0], torch.tensor([width / 2, 0], dtype=torch.float64),
                               atol=1e-6, rtol=0)
    torch.testing.assert_close(fov_from_focal(focal_from_fov(fov, height), height), fov)
