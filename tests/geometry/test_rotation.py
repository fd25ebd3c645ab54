import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry import axis_angle_to_matrix, geodesic_distance, matrix_to_axis_angle, rotation_6d_to_matrix
from mmhuman_dto.geometry.rotation import matrix_to_euler, matrix_to_quaternion, matrix_to_rotation_6d

SEEDS = st.integers(0, 2**32 - 1)


def axis_angles(seed, *shape, largest=math.pi - 1e-3):
    generator = torch.Generator().manual_seed(seed)
    axis = torch.nn.functional.normalize(torch.randn(*shape, 3, generator=generator, dtype=torch.float64), dim=-1)
    return axis * largest * torch.rand(*shape, 1, generator=generator, dtype=torch.float64)


def test_a_quarter_turn_by_hand():
    matrix = axis_angle_to_matrix(torch.tensor([0, 0, math.pi / 2]))
    torch.testing.assert_close(matrix, torch.tensor([[0., -1, 0], [1, 0, 0], [0, 0, 1]]), atol=1e-6, rtol=0)
    # The first two columns, row by row.
    torch.testing.assert_close(matrix_to_rotation_6d(matrix), torch.tensor([0., -1, 1, 0, 0, 0]), atol=1e-6, rtol=0)


def test_gram_schmidt_by_hand():
    columns = torch.tensor([[3., 5], [0, 2], [0, 0]])
    torch.testing.assert_close(rotation_6d_to_matrix(columns.flatten()), torch.eye(3))


@given(SEEDS)
def test_round_trips(seed):
    vectors = axis_angles(seed, 2, 5)
    matrices = axis_angle_to_matrix(vectors)
    identity = torch.eye(3, dtype=torch.float64).expand(2, 5, 3, 3)
    torch.testing.assert_close(matrices.mT @ matrices, identity)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(2, 5, dtype=torch.float64))
    torch.testing.assert_close(matrix_to_axis_angle(matrices), vectors)
    torch.testing.assert_close(rotation_6d_to_matrix(matrix_to_rotation_6d(matrices)), matrices)


@given(SEEDS, st.floats(0, math.pi))
def test_distance_is_the_angle_between(seed, angle):
    first = axis_angle_to_matrix(axis_angles(seed, 4))
    axis = torch.nn.functional.normalize(axis_angles(seed + 1, 4), dim=-1)
    second = first @ axis_angle_to_matrix(axis * angle)
    expected = torch.full((4, ), angle, dtype=torch.float64)
    torch.testing.assert_close(geodesic_distance(first, second), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(geodesic_distance(second, first), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize('vector', [[0., 0, 0], [1e-9, 0, 0], [math.pi, 0, 0], [0, math.pi - 1e-7, 0],
                                    [-math.pi / math.sqrt(2), 0, math.pi / math.sqrt(2)]])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_gradients_are_finite_at_zero_and_half_a_turn(vector, dtype):
    vector = torch.tensor(vector, dtype=dtype, requires_grad=True)
    matrix = axis_angle_to_matrix(vector)
    weights = torch.arange(9., dtype=dtype).view(3, 3)
    assert torch.autograd.grad((matrix * weights).sum(), vector)[0].isfinite().all()

    matrix = matrix.detach().requires_grad_()
    back = matrix_to_axis_angle(matrix)
    assert back.isfinite().all() and torch.autograd.grad(back.sum(), matrix)[0].isfinite().all()
    distance = geodesic_distance(matrix, torch.eye(3, dtype=dtype))
    assert distance.item() == pytest.approx(vector.detach().norm().item(), abs=1e-6 if dtype == torch.float32 else 1e-9)
    assert torch.autograd.grad(distance, matrix)[0].isfinite().all()


def test_gradients_are_right_between():
    vectors = axis_angles(0, 3).requires_grad_()
    assert torch.autograd.gradcheck(axis_angle_to_matrix, vectors)
    assert torch.autograd.gradcheck(lambda v: matrix_to_axis_angle(axis_angle_to_matrix(v)), vectors)
    assert torch.autograd.gradcheck(rotation_6d_to_matrix, torch.randn(2, 6, dtype=torch.float64, requires_grad=True))


def test_degenerate_6d_vectors_stay_finite():
    six = torch.tensor([[0., 0, 0, 0, 0, 0], [1, 2, 1, 2, 1, 2]], requires_grad=True)
    matrices = rotation_6d_to_matrix(six)
    assert matrices.isfinite().all()
    assert torch.autograd.grad(matrices.sum(), six)[0].isfinite().all()


def test_empty_and_dtype():
    for dtype in (torch.float32, torch.float64):
        vectors = torch.zeros(2, 0, 3, dtype=dtype)
        matrices = axis_angle_to_matrix(vectors)
        assert matrices.shape == (2, 0, 3, 3) and matrices.dtype == dtype
        assert matrix_to_axis_angle(matrices).shape == (2, 0, 3)
        assert rotation_6d_to_matrix(matrix_to_rotation_6d(matrices)).shape == (2, 0, 3, 3)
        assert geodesic_distance(matrices, torch.eye(3, dtype=dtype)).shape == (2, 0)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3))
@example([math.pi, 0, 0])
@example([0, math.pi, 0])
@example([0, 0, 0])
@example([math.pi / 2, 0, 0])
@example([-math.pi / 2, 0, 0])
def test_quaternions_and_angles_are_the_rotations_they_stand_for(axis_angle):
    matrix = Rotation.from_rotvec(axis_angle).as_matrix()
    quaternion = matrix_to_quaternion(torch.from_numpy(matrix)).numpy()
    assert np.linalg.norm(quaternion) == pytest.approx(1)
    np.testing.assert_allclose(Rotation.from_quat(quaternion).as_matrix(), matrix, atol=1e-7)
    z, x, y = matrix_to_euler(torch.from_numpy(matrix), 'ZXY').tolist()
    product = Rotation.from_euler('z', z) * Rotation.from_euler('x', x) * Rotation.from_euler('y', y)
    np.testing.assert_allclose(product.as_matrix(), matrix, atol=1e-6)
