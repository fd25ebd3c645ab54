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
