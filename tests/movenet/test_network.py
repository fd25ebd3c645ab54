"""The bundled network's features: where they are and that the maps are made of them."""
import pytest
import torch

from mmhuman_dto.movenet import FEATURES, STRIDE, published_movenet


@pytest.fixture(scope='module')
def network():
    return published_movenet()


def test_features_have_the_stated_sizes_and_the_maps_are_made_of_them(network):
    images = torch.rand(2, 3, 128, 192, generator=torch.Generator().manual_seed(0)) * 255
    maps, features = network.look(images)
    assert {name: tuple(value.shape) for name, value in features.items()} == {
        name: (2, channels, 128 // stride, 192 // stride) for name, (channels, stride) in FEATURES.items()}
    assert all(torch.equal(*pair) for pair in zip(maps, network(images)))
    torch.testing.assert_close(network.heads['heat'][1](features['hidden_heat']).sigmoid(), maps.heat)
    assert maps.heat.shape[-2:] == (128 // STRIDE, 192 // STRIDE)


def test_nothing_of_it_learns(network):
    assert not any(parameter.requires_grad for parameter in network.parameters()) and not network.training
