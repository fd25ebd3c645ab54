"""Banded equations against the same as dense matrices."""
import numpy as np
import pytest

from mmhuman_dto.dto.temporal.equations import BlockMatrix, Factored, Form, positive_inverse

FORM = Form(5, 4, 3)
SIZE = FORM.local + FORM.shared


@pytest.fixture
def residuals():
    """Index (R, m), Jacobian (R, m), precision (R) of residuals, each of two blocks in a row and shared variables."""
    rng = np.random.default_rng(0)
    index = np.stack([np.concatenate([4 * rng.integers(0, 4) + rng.choice(8, 4, replace=False),
                                      FORM.local + rng.choice(3, 2, replace=False)]) for _ in range(60)])
    return index, rng.normal(size=index.shape), rng.uniform(.5, 2, len(index))


@pytest.fixture
def dense(residuals):
    index, jacobian, precision = residuals
    rows = np.zeros((len(index), SIZE))
    np.add.at(rows, (np.arange(len(index))[:, None], index), jacobian)
    return rows, rows.T @ (precision[:, None] * rows) + .1 * np.eye(SIZE)


@pytest.fixture
def matrix(residuals):
    index, jacobian, precision = residuals
    matrix = BlockMatrix(FORM)
    matrix.add(FORM.pairs(index), jacobian, precision)
    matrix.add_diagonal(np.full(SIZE, .1))
    return matrix


def test_solution_is_that_of_the_dense_system(matrix, dense):
    right = np.random.default_rng(1).normal(size=SIZE)
    factored = Factored(matrix)
    local, shared = factored.eliminated(right)
    shared = positive_inverse(factored.schur) @ shared
    found = np.concatenate([factored.local_solution(local, shared).ravel(), shared])
    np.testing.assert_allclose(found, np.linalg.solve(dense[1], right), atol=1e-12)


def test_covariance_is_the_inverse_where_residuals_need_it(matrix, dense, residuals):
    index, jacobian, _ = residuals
    inverse, factored = np.linalg.inv(dense[1]), Factored(matrix)
    spread = positive_inverse(factored.schur)
    np.testing.assert_allclose(spread, inverse[FORM.local:, FORM.local:], atol=1e-13)
    covariance = factored.covariance(spread)
    np.testing.assert_allclose(covariance.diagonal(), inverse.diagonal(), atol=1e-12)
    np.testing.assert_allclose(covariance.variance(FORM.pairs(index), jacobian),
                               np.einsum('ra,ab,rb->r', dense[0], inverse, dense[0]), atol=1e-12)


def test_shared_variables_that_are_known_leave_the_others_their_spread_around_them(matrix, dense):
    covariance = Factored(matrix).covariance(np.zeros((3, 3)))
    alone = np.linalg.inv(dense[1][:FORM.local, :FORM.local])
    np.testing.assert_allclose(covariance.diagonal()[:FORM.local], alone.diagonal(), atol=1e-12)


def test_one_block_and_none():
    for form in (Form(1, 2, 1), Form(0, 1, 2)):
        matrix = BlockMatrix(form)
        matrix.add_diagonal(np.arange(1., 1 + form.local + form.shared))
        factored = Factored(matrix)
        local, shared = factored.eliminated(np.ones(form.local + form.shared))
        shared = positive_inverse(factored.schur) @ shared
        found = np.concatenate([factored.local_solution(local, shared).ravel(), shared])
        np.testing.assert_allclose(found, 1 / np.arange(1., 1 + form.local + form.shared))


def test_residuals_reach_over_two_blocks_at_most():
    with pytest.raises(ValueError, match='do not follow each other'):
        FORM.pairs([[0, 9]])


def test_a_matrix_of_no_curvature_or_of_nan_has_no_inverse():
    np.testing.assert_allclose(positive_inverse(np.diag([1., 4.])), np.diag([1., .25]))
    for broken in (np.diag([1., -1.]), np.diag([1., np.nan])):
        with pytest.raises(FloatingPointError, match='without a solution'):
            positive_inverse(broken)
