import pytest
import torch

from mmhuman_dto.models.backbones import ScaleAdaptiveViT, VisionTransformer
from mmhuman_dto.models.backbones.scale_adaptive_vit import morton_cells
from mmhuman_dto.models.backbones.vit import ARCHITECTURES, ConvPatchEmbed, PatchEmbed, StandardizedConv2d
from mmhuman_dto.registry import MODELS

ARCH = dict(embed_dims=16, depth=4, num_heads=2)
SIZES = ((224, 336), (336, 168), (112, 112))


def images(sizes=SIZES, seed=0):
    gen = torch.Generator().manual_seed(seed)
    return [torch.randn(3, *size, generator=gen) for size in sizes]


def adaptive(bias=(-5., 4.), spread=10., **kwargs):
    """A small encoder whose scale map varies from cell to cell around ``bias`` (logits of confidence, scale)."""
    torch.manual_seed(0)
    model = ScaleAdaptiveViT(ARCH, input_size=336, num_additional_blocks=2, layer_scale=1., **kwargs).eval()
    last = model.scale_head.layers[-1]
    torch.nn.init.normal_(last.weight, std=spread)
    last.bias.data = torch.tensor(bias)
    return model


def plain():
    torch.manual_seed(0)
    return VisionTransformer(ARCH, input_size=336, layer_scale=1.).eval()


def tokens_of(tokens, i):
    """Features, levels and cells of image i."""
    parts = (x.split(tokens.packing.lens)[i] for x in (tokens.features, tokens.level, tokens.cells))
    return tuple(parts)


def test_z_order_interleaves_bits():
    cells = morton_cells(4, 6)
    assert cells[:8].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2], [0, 3], [1, 2], [1, 3]]
    assert cells[8:12].tolist() == [[2, 0], [2, 1], [3, 0], [3, 1]]
    assert sorted(cells.tolist()) == [[y, x] for y in range(4) for x in range(6)]
    quads = cells.view(-1, 4, 2)
    assert torch.equal(quads // 2, (quads[:, :1] // 2).expand_as(quads))


def test_convolutional_patches_follow_the_picture():
    """A picture moved by two patches has the same features two patches on, away from the rim."""
    torch.manual_seed(0)
    embed, picture = ConvPatchEmbed(16), torch.rand(3, 224, 336)
    picture[:, :, :84] = picture[:, :, -84:] = .5
    features = embed(*embed.grids([picture]))
    assert features.shape == (16, 24, 16)
    moved = embed(*embed.grids([picture.roll(28, 2)]))
    torch.testing.assert_close(moved[:, 8:19], features[:, 6:17], rtol=1e-3, atol=1e-3)
    assert (moved[:, 8:19] - features[:, 8:19]).abs().mean() > 10 * (moved[:, 8:19] - features[:, 6:17]).abs().mean()


def test_standardized_filters_have_no_mean_and_no_size():
    torch.manual_seed(0)
    conv, picture = StandardizedConv2d(3, 8), torch.rand(1, 3, 16, 16)
    before = conv(picture)
    with torch.no_grad():
        conv.weight.mul_(5).add_(.3)
    torch.testing.assert_close(conv(picture), before, rtol=1e-3, atol=1e-3)
    inside = conv(torch.full((1, 3, 16, 16), 7.))[..., 1:, 1:]  # the border's pixels see beyond it
    torch.testing.assert_close(inside, conv.bias.view(1, 8, 1, 1).expand_as(inside), rtol=0, atol=1e-4)


@pytest.mark.parametrize('embed', [PatchEmbed(16), ConvPatchEmbed(16)])
def test_patches_do_not_depend_on_the_other_pictures(embed):
    pictures = [torch.rand(3, 56, 112), torch.rand(3, 112, 56), torch.rand(3, 56, 112)]
    for picture, grid in zip(pictures, embed.grids(pictures)):
        torch.testing.assert_close(grid, *embed.grids([picture]))


def test_unknown_patches_are_named():
    with pytest.raises(ValueError, match="'fourier'.*linear"):
        VisionTransformer(ARCH, input_size=336, patch_embed='fourier')


def test_levels_follow_the_scale_map_and_cover_every_pixel_once():
    tokens = adaptive()(images())
    assert set(tokens.level.tolist()) == {0, 1, 2}
    maps = tokens.scale_map.split(tokens.scale_map_packing.lens)
    map_cells = tokens.scale_map_cells.split(tokens.scale_map_packing.lens)
    for i, (height, width) in enumerate(SIZES):
        _, level, cells = tokens_of(tokens, i)
        covered = torch.zeros(height // 14, width // 14)
        for lvl, (y, x) in zip(level.tolist(), cells.tolist()):
            covered[y << lvl:(y + 1) << lvl, x << lvl:(x + 1) << lvl] += 1
        assert (covered == 1).all()
        split = {(y, x) for (y, x), (conf, scale) in zip(map_cells[i].tolist(), maps[i].tolist())
                 if conf > .3 and scale < .5}
        assert {(y // 2, x // 2) for lvl, (y, x) in zip(level.tolist(), cells.tolist()) if lvl == 0} == split
        valid = {tuple(cell) for cell, (conf, _) in zip(map_cells[i].tolist(), maps[i].tolist()) if conf > .3}
        joined = {(2 * y + dy, 2 * x + dx) for lvl, (y, x) in zip(level.tolist(), cells.tolist()) if lvl == 2
                  for dy in (0, 1) for dx in (0, 1)}
        assert not joined & valid


@pytest.mark.parametrize('bias, counts, kwargs', [
    ((-9., 0.), {2: 24}, {}), ((9., 9.), {1: 96}, {}), ((9., -9.), {0: 384}, {}),
    ((-9., 0.), {1: 96}, dict(num_levels=2)), ((9., -9.), {0: 384}, dict(num_levels=2, batch_dependent=True)),
    ((-9., 0.), {2: 24}, dict(batch_dependent=True)), ((9., -9.), {0: 384, 1: 96}, dict(batch_dependent=True))])
def test_all_cells_alike(bias, counts, kwargs):
    model = adaptive(bias, spread=1e-3, **kwargs)
    tokens = model(images()[:1])
    assert {lvl: (tokens.level == lvl).sum().item() for lvl in tokens.level.unique().tolist()} == counts
    assert tokens.packing.lens == [sum(counts.values())]
    assert torch.isfinite(tokens.features).all()


@pytest.mark.parametrize('bias', [(-9., 0.), (9., -9.), (-5., 4.)], ids=['nobody', 'small', 'mixed'])
@pytest.mark.parametrize('with_cp', [False, True])
def test_every_parameter_gets_a_finite_gradient(bias, with_cp):
    model = adaptive(bias, with_cp=with_cp).train()
    tokens = model(images())
    (tokens.features.square().mean() + tokens.scale_map.mean() + tokens.camera.mean()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_recomputed_activations_give_the_same_gradients():
    grads = []
    for with_cp in (False, True):
        model = adaptive(with_cp=with_cp).train()
        model(images()).features.square().mean().backward()
        grads.append([p.grad for p in model.parameters() if p.grad is not None])
    for first, second in zip(*grads):
        torch.testing.assert_close(first, second)


@pytest.mark.parametrize('arch, millions', [('tiny', 5.3), ('small', 21), ('base', 85), ('large', 302), ('huge', 629)])
def test_sizes_on_the_meta_device(arch, millions):
    with torch.device('meta'):
        model = MODELS.build(dict(type='VisionTransformer', arch=arch, input_size=518))
    assert len(model.blocks) == ARCHITECTURES[arch][1]
    count = sum(p.numel() for p in model.blocks.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=.02)


@pytest.mark.parametrize('kwargs, message', [
    (dict(arch='giant'), "unknown ViT arch 'giant'"), (dict(arch=ARCH, input_size=500), 'not a multiple of 14'),
    (dict(arch=ARCH, input_size=336, num_levels=1), 'num_levels 1'),
    (dict(arch=ARCH, input_size=336, num_additional_blocks=4), 'num_additional_blocks 4')])
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ScaleAdaptiveViT(**kwargs)


@pytest.mark.parametrize('model', [plain(), adaptive()], ids=['plain', 'adaptive'])
def test_images_that_are_not_padded_are_refused(model):
    with pytest.raises(ValueError, match='image 1 of the batch is 112 x 140 px'):
        model(images(((112, 112), (112, 140))))


def test_cells_of_padding_beyond_the_position_grid():
    torch.manual_seed(0)
    model = ScaleAdaptiveViT(ARCH, input_size=308, num_additional_blocks=2).eval()
    tokens = model(images(((336, 336), )))
    assert torch.isfinite(tokens.features).all() and tokens.scale_map_packing.lens == [144]
