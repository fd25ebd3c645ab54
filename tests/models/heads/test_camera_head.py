import math

import pytest
import torch

from mmhuman_dto.models.heads import FixedFoV, FoVHead

SIZES = torch.tensor([[200., 336.], [336., 100.]])


def test_fixed_focal_sees_the_long_side_under_sixty_degrees():
    intrinsics = FixedFoV(input_size=336)(None, SIZES)
    focal = 336 / (2 * math.tan(math.radians(30)))
    torch.testing.assert_close(intrinsics[0], torch.tensor([[focal, 0, 168], [0, focal, 100], [0, 0, 1]]))
    assert intrinsics[1, :2, 2].tolist() == [50., 168.]


@pytest.mark.parametrize('fov', [.01, math.pi / 6, 2.])
def test_predicted_fov_is_vertical_and_not_too_small(fov):
    head = FoVHead(4)
    torch.nn.init.zeros_(head.mlp.layers[-1].weight)
    assert head.mlp.layers[-1].bias.item() == pytest.approx(math.pi / 6)
    head.mlp.layers[-1].bias.data.fill_(fov)
    intrinsics = head(torch.randn(2, 4), SIZES)
    focals = SIZES[:, 0] / (2 * math.tan(max(fov, .08) / 2))
    torch.testing.assert_close(intrinsics[:, 0, 0], focals)
    torch.testing.assert_close(intrinsics[:, 1, 1], focals)
    torch.testing.assert_close(intrinsics[:, :2, 2], SIZES.flip(-1) / 2)
