"""Depth networks: conventions told apart, maps at the image's size, batches equal to single images."""
import types

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from mmhuman_dto.perception import SourceError, TransformersDepth
from mmhuman_dto.perception.depth_kinds import to_disparity
from mmhuman_dto.perception.transformers_depth import _Predicted, depth_kind
from mmhuman_dto.registry import SOURCES


@pytest.mark.parametrize('config, kind', [
    (dict(model_type='depth_anything', depth_estimation_type='relative'), 'disparity'),
    (dict(model_type='depth_anything', depth_estimation_type='metric'), 'metres'),
    (dict(model_type='zoedepth'), 'metres'),
    (dict(model_type='glpn'), 'metres'),
    (dict(model_type='depth_pro', use_fov_model=True), 'metres'),
    (dict(model_type='depth_pro', use_fov_model=False), 'disparity'),
])
def test_the_config_says_what_is_predicted(config, kind):
    assert depth_kind(types.SimpleNamespace(**config), 'some/model') == kind


def test_a_config_that_does_not_say_is_asked_about():
    with pytest.raises(ValueError, match=r"some/dpt: its config \(dpt\) does not say .* kind .*'disparity' .*'metres'"):
        depth_kind(types.SimpleNamespace(model_type='dpt'), 'some/dpt')


def test_kinds_to_disparity():
    values = torch.tensor([4., .5, 0, -1, torch.nan, torch.inf])
    for kind in ('depth', 'metres'):
        assert to_disparity(values, kind).tolist() == [250, 2000, 0, 0, 0, 0]
    assert to_disparity(values, 'disparity').tolist() == [4, .5, 0, 0, 0, 0]


def test_unknown_kind_is_refused_before_anything_is_loaded():
    with pytest.raises(ValueError, match="got 'inverse'"):
        TransformersDepth('nothing', kind='inverse')


def by_hand(transformers, folder, image):
    """What the network says of one image, at its own size, without the adapter."""
    processor = transformers.DPTImageProcessorPil.from_pretrained(folder)
    network = transformers.DepthAnythingForDepthEstimation.from_pretrained(folder)
    with torch.no_grad():
        return network(**processor(image, return_tensors='pt')).predicted_depth


def test_relative_and_metric_depth_anything(transformers, save_depth, photo):
    sample = photo(60, 90)
    folder = save_depth(depth_estimation_type='relative')
    relative, = TransformersDepth(folder)([sample])
    raw = by_hand(transformers, folder, sample.image)
    assert raw.shape[1] * 3 == raw.shape[2] * 2 and raw.min() >= 0 and raw.std() > 0
    expected = interpolate(raw[None], (60, 90), mode='bilinear')[0, 0]
    torch.testing.assert_close(relative, expected)
    folder = save_depth(depth_estimation_type='metric', max_depth=20)
    metric, = TransformersDepth(folder)([sample])
    expected = interpolate(1000 / by_hand(transformers, folder, sample.image)[None], (60, 90), mode='bilinear')[0, 0]
    torch.testing.assert_close(metric, expected)
    assert 50 < metric.min() < metric.max()  # nothing beyond 20 m
    half, = TransformersDepth(folder, scale=2.)([sample])  # twice as far
    torch.testing.assert_close(half, metric / 2)


@pytest.fixture(scope='session')
def save_depth_pro(transformers, saved):
    """save_depth_pro(use_fov_model) -> folder of a Depth Pro; its pictures are prepared without torchvision."""
    def make(use_fov_model):
        encoder = dict(model_type='dinov2', hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=16,
                       patch_size=4, mlp_ratio=2)
        config = transformers.DepthProConfig(
            fusion_hidden_size=8, patch_size=16, intermediate_hook_ids=[3, 1], intermediate_feature_dims=[8, 8],
            scaled_images_feature_dims=[16, 8, 8], merge_padding_value=1, use_fov_model=use_fov_model,
            image_model_config=encoder, patch_model_config=encoder, fov_model_config=encoder)
        return saved('DepthProForDepthEstimation', config, transformers.DPTImageProcessorPil(
            size=dict(height=64, width=64), image_mean=[.5] * 3, image_std=[.5] * 3))

    return make


def test_depth_pro_becomes_metres_by_its_own_field_of_view(transformers, save_depth_pro, photo):
    """As its post-processing has it: focal length = width / 2 / tan(fov / 2), depth = focal length / width / answer."""
    source, sample = TransformersDepth(save_depth_pro(True)), photo(60, 90)
    raw = source.network(pixel_values=source.processor(sample.image, return_tensors='pt').pixel_values)
    raw = raw.predicted_depth.detach()
    source.network = Answering(raw, torch.tensor([50.]))
    (disparity, focal), = source.with_focals([sample])
    assert source.kind == 'metres' and focal == pytest.approx(45 / np.tan(np.radians(25)), rel=1e-6)
    inverse = (raw * (90 / focal)).clamp(1e-4, 1e4)
    expected = interpolate(1000 * inverse[None], (60, 90), mode='bilinear')[0, 0]
    torch.testing.assert_close(disparity, expected, rtol=1e-4, atol=1e-3)
    assert raw.std() > 0 and source([sample])[0].shape == (60, 90)


class Answering(torch.nn.Module):
    """A network that always says the same."""
    device = torch.device('cpu')

    def __init__(self, depth, angle):
        super().__init__()
        self.answer = types.SimpleNamespace(predicted_depth=depth, field_of_view=angle)

    def forward(self, pixel_values):
        return self.answer


def test_depth_pro_answers_for_a_batch(save_depth_pro, photo):
    source = TransformersDepth(save_depth_pro(True))
    together = source.with_focals([photo(60, 90, 0), photo(120, 90, 1)])
    for (disparity, focal), sample in zip(together, (photo(60, 90, 0), photo(120, 90, 1))):
        (alone, its), = source.with_focals([sample])
        torch.testing.assert_close(disparity, alone, rtol=1e-3, atol=1e-3)
        assert focal == pytest.approx(its, rel=1e-4)


def test_depth_pro_without_field_of_view_is_disparity(save_depth_pro, photo):
    folder, sample = save_depth_pro(False), photo(60, 90)
    source = TransformersDepth(folder)
    (disparity, focal), = source.with_focals([sample])
    assert source.kind == 'disparity' and np.isnan(focal)
    with pytest.raises(ValueError, match="this Depth Pro has no use_fov_model, .* kind='disparity', not 'metres'"):
        TransformersDepth(folder, kind='metres')


def test_zoedepth_is_asked_without_its_padding(transformers, saved, photo):
    """Its own padding would shift the map unless it is cut off again, for which post-processing wants the sizes."""
    backbone = transformers.BeitConfig(
        image_size=64, patch_size=16, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16,
        use_relative_position_bias=True, reshape_hidden_states=False,
        out_features=['stage1', 'stage2', 'stage3', 'stage4'])
    folder = saved('ZoeDepthForDepthEstimation', transformers.ZoeDepthConfig(
        backbone_config=backbone, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, bottleneck_features=8,
        reassemble_factors=[4, 2, 1, .5], num_relative_features=8, num_attractors=[4, 2, 2, 1], bin_embedding_dim=8),
        transformers.ZoeDepthImageProcessorPil(size=dict(height=64, width=64), do_pad=True))
    source = TransformersDepth(folder)
    asked = source.network.forward
    shapes = []
    source.network.forward = lambda pixel_values: (shapes.append(tuple(pixel_values.shape)), asked(pixel_values))[1]
    sample = photo(60, 90)
    (disparity, focal), = source.with_focals([sample])
    assert source.kind == 'metres' and disparity.shape == (60, 90) and np.isnan(focal)
    plain = source.processor(sample.image, do_pad=False, return_tensors='pt').pixel_values.shape
    assert shapes == [tuple(plain)] and plain != source.processor(sample.image, return_tensors='pt').pixel_values.shape


def test_images_of_many_sizes_at_once(save_depth, photo):
    source = TransformersDepth(save_depth(), batch_size=2)
    samples = [photo(*size, seed) for seed, size in enumerate([(60, 90), (90, 60), (60, 90), (600, 900), (57, 91)])]
    together = source(samples)
    assert [tuple(values.shape) for values in together] == [sample.ori_shape for sample in samples]
    for sample, values in zip(samples, together):
        torch.testing.assert_close(values, source([sample])[0], rtol=1e-4, atol=1e-5)
    assert source([]) == []


def test_a_picture_comes_through_where_it_is(save_depth, photo):
    """With a network that repeats what it is shown the map is the picture."""
    source = TransformersDepth(save_depth())

    class Repeat(torch.nn.Module):
        device = torch.device('cpu')

        def forward(self, pixel_values):
            return types.SimpleNamespace(predicted_depth=pixel_values[:, 0] * .229 + .485)

    source.network = Repeat()
    sample = photo(112, 168)
    values, = source([sample])
    assert np.abs(values.numpy() * 255 - sample.image[..., 0]).mean() < 2


@pytest.mark.parametrize('value', [0., -1., torch.nan, torch.inf])
def test_maps_that_say_nothing_are_an_error_of_the_image(save_depth, photo, value):
    source = TransformersDepth(save_depth())
    source._predict = lambda pixels: _Predicted(torch.full((len(pixels), 4, 6), value), torch.ones(len(pixels)))
    with pytest.raises(SourceError, match=r'0\.jpg: the depth network gave no positive, finite disparity'):
        source([photo(40, 60)])


def test_dpt_and_glpn_load(transformers, saved, photo):
    dpt = saved('DPTForDepthEstimation', transformers.DPTConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        reassemble_factors=[4, 2, 1, .5], is_hybrid=False),
        transformers.DPTImageProcessorPil(size=dict(height=32, width=32)))
    glpn = saved('GLPNForDepthEstimation', transformers.GLPNConfig(
        hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=8),
        transformers.GLPNImageProcessorPil(size_divisor=32))
    for folder, kind in ((dpt, 'disparity'), (glpn, None)):
        values, = SOURCES.build(dict(type='TransformersDepth', model=folder, kind=kind))([photo(64, 96)])
        assert values.shape == (64, 96) and values.min() >= 0
