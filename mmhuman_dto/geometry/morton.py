"""Z order (Morton 1966) of the cells of a grid."""
import torch


def morton_code(x, y, bits=16):
    """Z-order code of integer cells (*), the bits of ``x`` at even places and those of ``y`` at odd ones."""
    code = torch.zeros_like(x)
    for bit in range(bits):
        code |= ((x >> bit & 1) << 2 * bit) | ((y >> bit & 1) << 2 * bit + 1)
    return code


def morton_order(height, width, device=None):
    """Row-major indices (height * width) of a grid's cells in Z order."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing='ij')
    return morton_code(x.reshape(-1), y.reshape(-1)).argsort()
