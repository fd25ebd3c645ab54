"""Linear systems of many rows in time: each row's unknowns depend on each other and on a few of the next two rows'."""
import numpy as np
import torch
from scipy.linalg import lapack


def solve_chain(own, next_links, after_links, right):
    """Solve a symmetric positive system whose blocks are beside the diagonal.

    A banded Cholesky factorisation: linear in the number of rows.

    Args:
        own: (F, Q, Q) each row's block; the upper triangle is not read.
        next_links, after_links: (F, L, 3, 3) blocks of the row's first 3 L unknowns, in groups of three, with the same
            groups of the row after it, and of the one after that; those that reach beyond the last row are not read.
        right: (F, Q, M).

    Returns:
        (F, Q, M); ValueError where the system is not positive.
    """
    count, size = own.shape[:2]
    links = next_links.shape[1]
    width = min(2 * size + 3, count * size)
    band = np.zeros((count, size, max(width, 2 * size + 3)))  # band[f, c, d]: row d after column c of row f
    rows, columns = np.tril_indices(size)
    band[:, columns, rows - columns] = own.numpy()[:, rows, columns]
    group, one, other = (index.ravel() for index in np.meshgrid(range(links), range(3), range(3), indexing='ij'))
    for apart, blocks in ((1, next_links), (2, after_links)):
        if count > apart:
            # blocks[f, g, i, j] is the product of unknown i of row f and unknown j of the later row.
            band[:-apart, 3 * group + one, apart * size + other - one] = blocks.numpy()[:-apart, group, one, other]
    flat = band.reshape(count * size, -1)[:, :width]
    factor, fault = lapack.dpbtrf(flat.T, lower=1)
    if fault:
        raise ValueError(f'the system is not positive: leading minor {fault} of {count * size}')
    answer, _ = lapack.dpbtrs(factor, np.asfortranarray(right.numpy().reshape(count * size, -1)), lower=1)
    return torch.from_numpy(np.ascontiguousarray(answer)).view(count, size, -1)
