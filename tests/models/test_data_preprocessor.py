import numpy as np
import pytest
import torch

from mmhuman_dto.models.data_preprocessor import HMRDataPreprocessor
from mmhuman_dto.structures import HumanDataSample, People

MEAN, STD = (100., 50., 25.), (10., 20., 5.)


def run(*images, annotated=False, **kwargs):
    samples = [HumanDataSample() for _ in images]
    if annotated:
        samples[0].gt_instances = People(num_people=0)
    preprocessor = HMRDataPreprocessor(112, mean=MEAN, std=STD, **kwargs)
    data = preprocessor(dict(inputs=list(images), data_samples=samples))
    return data['inputs'], data['data_samples']


def test_pads_with_zeros_then_normalises():
    image = torch.full((3, 60, 112), 200, dtype=torch.uint8)
    (out, ), (sample, ) = run(image)
    assert out.shape == (3, 112, 112) and sample.img_shape == (60, 112)
    torch.testing.assert_close(out[:, 0, 0], torch.tensor([10., 7.5, 35.]))
    torch.testing.assert_close(out[:, 60, 0], torch.tensor([-10., -2.5, -5.]))


def test_sides_become_multiples_of_what_the_network_takes():
    (out, ), _ = run(torch.zeros(3, 60, 112), pad_multiple=32)
    assert out.shape == (3, 64, 128)


def test_images_of_a_batch_keep_their_sizes():
    outs, samples = run(torch.zeros(3, 112, 30), torch.zeros(3, 56, 112))
    assert [tuple(o.shape) for o in outs] == [(3, 112, 56), (3, 56, 112)]
    assert [s.img_shape for s in samples] == [(112, 30), (56, 112)]


def test_resizes_the_long_side_and_records_the_warp():
    ramp = torch.arange(224.).expand(3, 100, 224)
    (out, ), (sample, ) = run(ramp)
    assert sample.img_shape == (50, 112) and out.shape == (3, 56, 112) and sample.ori_shape == (100, 224)
    np.testing.assert_allclose(sample.warp, np.diag([.5, .5, 1.]))
    # Pixel 10 of the half-size image lies between pixels 20 and 21.
    assert out[0, 0, 10] * 10 + 100 == pytest.approx(20.5, abs=1e-3)


def test_annotations_are_not_resized_behind_the_pipelines_back():
    with pytest.raises(ValueError, match='long side 224 px, the network takes 112 px.*gt_instances'):
        run(torch.zeros(3, 100, 224), annotated=True)
    run(torch.zeros(3, 112, 112), annotated=True)


def test_channel_order():
    image = torch.tensor([1., 2., 3.])[:, None, None].expand(3, 56, 112)
    (out, ), _ = run(image, bgr_to_rgb=True)
    torch.testing.assert_close(out[:, 0, 0], (torch.tensor([3., 2., 1.]) - torch.tensor(MEAN)) / torch.tensor(STD))
