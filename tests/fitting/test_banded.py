"""The banded solver against the whole matrix."""
import pytest
import torch

from mmhuman_dto.fitting.banded import solve_chain


def whole(own, next_links, after_links):
    """The matrix (F Q, F Q) of its blocks."""
    count, size = own.shape[:2]
    matrix = torch.zeros(count, size, count, size, dtype=own.dtype)
    for row in range(count):
        matrix[row, :, row] = own[row]
        for apart, blocks in ((1, next_links), (2, after_links)):
            if row + apart < count:
                for group, block in enumerate(blocks[row]):
                    part = slice(3 * group, 3 * group + 3)
                    matrix[row, part, row + apart, part] = block
                    matrix[row + apart, part, row, part] = block.T
    return matrix.view(count * size, count * size)


@pytest.mark.parametrize('count', [1, 2, 3, 7])
@pytest.mark.parametrize('size', [6, 8])
def test_solution_is_that_of_the_whole_matrix(count, size):
    """Also with unknowns that are linked to no other row, with few rows, and nonsense in links beyond the last."""
    generator = torch.Generator().manual_seed(count)
    own, next_links, after_links, right = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in (
        (count, size, size), (count, 2, 3, 3), (count, 2, 3, 3), (count, size, 4)))
    own = own @ own.transpose(1, 2) + 12 * torch.eye(size, dtype=torch.float64)
    expected = torch.linalg.solve(whole(own, next_links, after_links), right.flatten(0, 1)).view_as(right)
    torch.testing.assert_close(solve_chain(own.tril(), next_links, after_links, right), expected)


def test_a_system_that_is_not_positive_is_refused():
    nothing = torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    with pytest.raises(ValueError, match='not positive: leading minor 1 of 6'):
        solve_chain(torch.zeros(2, 3, 3, dtype=torch.float64), nothing, nothing, torch.ones(2, 3, 1).double())
