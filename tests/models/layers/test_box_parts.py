import pytest
import torch

from mmhuman_dto.models.layers import Packing
from mmhuman_dto.models.layers.box_parts import BoxParts


def square(side):
    """Centres (side^2, 2) of a picture's cells, x and y in [0, 1]."""
    line = (torch.arange(side) + .5) / side
    return torch.cartesian_prod(line, line).flip(-1)


def passing(dims, grid):
    """Parts that are handed on as they are read."""
    parts = BoxParts(dims, grid)
    parts.join = torch.nn.Identity()
    return parts


def test_each_place_reads_its_part_of_the_box():
    """Tokens that hold where they are: what is read are the places, rows of a box first."""
    centers = square(64)
    box = torch.tensor([[[.4, .5, .2, .4]]])
    read = passing(2, (4, 2))(box, centers, centers, Packing([64 * 64])).view(4, 2, 2)
    torch.testing.assert_close(read[..., 0], torch.tensor([.35, .45]).expand(4, 2), rtol=0, atol=2e-3)
    torch.testing.assert_close(read[..., 1], torch.tensor([[.35], [.45], [.55], [.65]]).expand(4, 2), rtol=0, atol=2e-3)


def test_a_moved_and_larger_person_reads_the_same():
    torch.manual_seed(0)
    pattern = torch.rand(1, 3, 6, 6)
    resize = torch.nn.functional.interpolate
    small, large = torch.zeros(3, 128, 128), torch.zeros(3, 128, 128)
    small[:, 16:64, 40:88] = resize(pattern, size=(48, 48), mode='bilinear')[0]
    large[:, 24:120, 8:104] = resize(pattern, size=(96, 96), mode='bilinear')[0]
    boxes = torch.tensor([[[64, 40, 24, 24]], [[56, 72, 48, 48]]]) / 128
    memory = torch.cat([picture.flatten(1).T for picture in (small, large)])
    read = passing(3, (4, 4))(boxes, memory, square(128).repeat(2, 1), Packing([128 * 128] * 2))
    torch.testing.assert_close(read[0], read[1], rtol=0, atol=.01)
    assert read[0].std() > .05


def test_images_and_queries_are_read_apart():
    torch.manual_seed(0)
    parts, lens = BoxParts(6, (3, 2)), (9, 16)
    memory, centers = torch.randn(25, 6), torch.cat([square(3), square(4)])
    boxes = torch.rand(2, 5, 4) * .3 + .3
    together = parts(boxes, memory, centers, Packing(lens))
    assert together.shape == (2, 5, 6)
    for image, (rows, centers_i) in enumerate(zip(memory.split(lens), centers.split(lens))):
        for query in range(5):
            alone = parts(boxes[image, query][None, None], rows, centers_i, Packing([len(rows)]))
            torch.testing.assert_close(together[image, query], alone[0, 0])


@pytest.mark.parametrize('side', [1e-6, 1e-3])
def test_vanishing_boxes_are_finite(side):
    memory = torch.randn(16, 4, requires_grad=True)
    out = BoxParts(4)(torch.tensor([[[.5, .5, side, side]]]), memory, square(4), Packing([16]))
    out.sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(memory.grad).all()
