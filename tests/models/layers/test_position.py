import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.models.layers.position import (
    inverse_sigmoid,
    moved_encoding,
    point_encoding,
    resample_dinov2_positions,
    resize_positions,
)

coordinates = st.floats(-1, 1).map(torch.tensor)


@given(coordinates, coordinates, coordinates, coordinates)
def test_moved_encoding_is_the_encoding_of_the_moved_point(x, y, right, down):
    here, there = torch.stack([x, y]), torch.stack([x + right, y + down])
    moved = moved_encoding((right, down), 32) @ point_encoding(here, 32)
    torch.testing.assert_close(moved, point_encoding(there, 32), rtol=0, atol=1e-4)


@given(st.floats(1e-5, 1 - 1e-5))
def test_inverse_sigmoid_inverts(p):
    p = torch.tensor(p, dtype=torch.float64)
    torch.testing.assert_close(inverse_sigmoid(p).sigmoid(), p)


def test_inverse_sigmoid_is_finite_at_the_ends():
    limit = math.log(1e5)
    ends = inverse_sigmoid(torch.tensor([0., 1.]))
    torch.testing.assert_close(ends, torch.tensor([-limit, limit]))


def test_resized_positions_keep_linear_ramps_inside():
    ramp = torch.arange(8.)[:, None, None].expand(8, 8, 2)
    half = resize_positions(ramp, 4)
    torch.testing.assert_close(half[1:3, 0, 0], torch.tensor([2.5, 4.5]))


def cubic(distance, a=-.75):
    """Keys' kernel with PyTorch's constant."""
    d = abs(distance)
    return (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0


def test_dinov2_positions_are_sampled_with_its_offset():
    grid = torch.randn(37, 1, 1, generator=torch.Generator().manual_seed(0)).expand(37, 37, 1)
    out = resample_dinov2_positions(grid, 92)
    assert out.shape == (92, 92, 1)
    place = 60.5 * 37 / 92.1 - .5
    expected = sum(cubic(place - i) * grid[i, 0, 0].item() for i in range(22, 27))
    assert math.isclose(out[60, 5, 0], expected, abs_tol=1e-5)
