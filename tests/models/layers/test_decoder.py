from types import SimpleNamespace

import torch

from mmhuman_dto.models.backbones import PackedTokens
from mmhuman_dto.models.layers import BoxQueryDecoder, Packing
from mmhuman_dto.models.layers.decoder_layer import MemoryCrossAttention
from mmhuman_dto.models.layers.position import point_encoding


def build(num_levels=3, parts=None):
    torch.manual_seed(0)
    decoder = BoxQueryDecoder(in_dims=12, num_queries=5, num_layers=3, dims=16, num_heads=2, ffn_dims=32,
                              num_levels=num_levels, parts=parts)
    for head in decoder.box_heads:
        torch.nn.init.normal_(head.layers[-1].weight, std=.3)
    return decoder


def tokens(lens=(7, 4), dims=12):
    gen = torch.Generator().manual_seed(1)
    total = sum(lens)
    return PackedTokens(
        torch.randn(total, dims, generator=gen), Packing(lens), torch.arange(total) % 3, torch.zeros(total, 2),
        torch.rand(total, 2, generator=gen), torch.zeros(len(lens), dims))


def test_gradient_of_a_box_reaches_its_own_head_and_the_one_before():
    decoder = build()
    contents, boxes = decoder(tokens())
    for values, reached in [(boxes[0], [0]), (boxes[1], [0, 1]), (boxes[2], [1, 2]), (contents.sum(), [])]:
        grads = [torch.autograd.grad(values.sum(), head.layers[-1].bias, retain_graph=True, allow_unused=True)[0]
                 for head in decoder.box_heads]
        assert [i for i, grad in enumerate(grads) if grad is not None and grad.any()] == reached


def test_masked_queries_in_front_change_nothing_for_the_learned_ones():
    decoder, batch = build(), tokens()
    mask = torch.ones(9, 9, dtype=torch.bool)
    mask[4:, :4] = False
    extra = SimpleNamespace(content=torch.randn(2, 4, 16), boxes=torch.rand(2, 4, 4) * .5 + .2, mask=mask)
    contents, boxes = decoder(batch, extra)
    expected, expected_boxes = decoder(batch)
    assert contents.shape == (3, 2, 9, 16)
    torch.testing.assert_close(contents[:, :, 4:], expected)
    torch.testing.assert_close(boxes[:, :, 4:], expected_boxes)


def test_parts_are_read_in_all_layers_but_the_first():
    """Nothing is added to published decoders, whose weights have no such names."""
    plain, decoder = build(), build(parts=(3, 2))
    extra = {name for name in decoder.state_dict() if name not in plain.state_dict()}
    assert {name.split('.')[1] for name in extra} == {'1', '2'} and all('.parts.join.' in name for name in extra)
    contents, _ = decoder(tokens())
    for layer in decoder.layers[1:]:
        for weight in layer.parts.parameters():
            torch.nn.init.zeros_(weight)
    without, _ = decoder(tokens())
    torch.testing.assert_close(contents[0], without[0])
    assert (contents[1:] - without[1:]).abs().mean() > .1


def test_heads_start_looking_at_places_of_their_own():
    """Two columns around the reference point, as many rows as it takes; the mean over random turns is looked at."""
    torch.manual_seed(0)
    dims, heads, spread = 64, 4, .2
    grid = torch.cartesian_prod(torch.linspace(0, 1, 41), torch.linspace(0, 1, 41))
    reference, sums = point_encoding(torch.tensor([.5, .5]), dims), 0
    for _ in range(200):
        attention = MemoryCrossAttention(dims, heads, first=False)
        attention.look_near(spread=spread)
        query = attention.query_sine(reference).unflatten(-1, (heads, -1))
        keys = attention.key_position(point_encoding(grid, dims)).unflatten(-1, (heads, -1))
        sums = sums + (keys * query).sum(-1)
    seen = grid[sums.argmax(0)]
    expected = torch.tensor([[x, y] for y in (.4, .6) for x in (.425, .575)])
    torch.testing.assert_close(seen, expected, rtol=0, atol=.026)
