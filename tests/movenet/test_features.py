"""Features side by side: read at places and put on a grid, with the stated statistics."""
import pytest
import torch

from mmhuman_dto.movenet import FEATURES
from mmhuman_dto.movenet.features import CHANNELS, MoveNetFeatures

SIDE = 128


@pytest.fixture
def reader():
    return MoveNetFeatures()


def planes(shift=0.):
    """Features whose every channel is x + 2 y + shift, px, at the cells' centres, of a picture of 128 x 128 px."""
    features = {}
    for name, (channels, stride) in FEATURES.items():
        place = (torch.arange(SIDE // stride) + .5) * stride
        plane = place + 2 * place[:, None] + shift
        features[name] = torch.stack([plane, -plane])[:, None].expand(-1, channels, -1, -1)
    return features


def raw(reader, values):
    return values * reader.std + reader.mean


def test_features_are_read_where_they_are(reader):
    points = torch.tensor([[40.3, 70.], [64., 64.], [100., 33.3]])
    values = raw(reader, reader.at(planes(), torch.tensor([0, 0, 1]), points))
    assert values.shape == (3, CHANNELS)
    expected = (points[:, 0] + 2 * points[:, 1]) * torch.tensor([1, 1, -1])
    torch.testing.assert_close(values, expected[:, None].expand_as(values), rtol=1e-4, atol=1e-3)


def test_outside_of_the_picture_is_its_border(reader):
    inside = reader.at(planes(), torch.zeros(1, dtype=torch.long), torch.tensor([[0., 64.]]))
    outside = reader.at(planes(), torch.zeros(1, dtype=torch.long), torch.tensor([[-50., 64.]]))
    torch.testing.assert_close(inside, outside)


@pytest.mark.parametrize('stride', [16, 32])
def test_a_grid_holds_means_of_the_finer_ones(reader, stride):
    values = raw(reader, reader.grid(planes(), stride))
    assert values.shape == (2, SIDE // stride, SIDE // stride, CHANNELS)
    place = (torch.arange(SIDE // stride) + .5) * stride
    expected = place + 2 * place[:, None]
    finer = torch.cat([torch.full((channels, ), own <= stride) for channels, own in FEATURES.values()])
    torch.testing.assert_close(values[0, ..., finer], expected[..., None].expand(-1, -1, int(finer.sum())), rtol=1e-4,
                               atol=1e-3)


def test_statistics_are_of_pictures_and_kept_in_no_checkpoint(reader):
    assert reader.mean.shape == reader.std.shape == (CHANNELS, ) and (reader.std > 0).all()
    assert not reader.state_dict()
