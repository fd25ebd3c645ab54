"""ViTPose: joints come back where they are in the image, of this person only."""
import types

import numpy as np
import pytest
import torch

from mmhuman_dto.perception import SourceError, TransformersKeypoints, WeightsError
from mmhuman_dto.perception.crops import TopDownKeypoints


class RedDot(torch.nn.Module):
    """A stand-in for the network: every joint is where the crop is reddest."""
    device = torch.device('cpu')

    def forward(self, pixel_values, dataset_index=None):
        red = pixel_values[:, :1] - pixel_values[:, 1:2]
        blurred = torch.nn.functional.avg_pool2d(red.clamp(min=0), 5, 1, 2)
        # Corners on corners, as the network's heat maps lie on its input.
        heat = torch.nn.functional.interpolate(blurred, (16, 12), mode='bilinear', align_corners=True)
        return types.SimpleNamespace(heatmaps=heat.expand(-1, 17, -1, -1))


def dots(sample, *centres):
    """Grey pictures with red dots of 6 px radius around (x, y)."""
    sample.image[:] = 90
    y, x = np.mgrid[:sample.image.shape[0], :sample.image.shape[1]] + .5
    for cx, cy in centres:
        sample.image[np.hypot(x - cx, y - cy) < 6] = 255, 0, 0


def test_joints_are_found_where_they_are_in_the_image(vitpose, photo, detected):
    source = TransformersKeypoints(vitpose, batch_size=2)
    source.network = RedDot()
    size = 300, 400
    first, second = photo(*size, 1), photo(*size, 2)
    dots(first, (100, 80), (310, 200))
    dots(second, (220, 150))
    first.detected_instances = detected([[60, 20, 140, 180], [260, 100, 380, 290]], size)
    second.detected_instances = detected([[170, 60, 260, 260]], size)
    (a, scores), (b, _) = source([first, second])
    assert a.shape == (2, 17, 2) and scores.shape == (2, 17) and b.shape == (1, 17, 2)
    # A heat map's cell is about 12 px here; its peak is refined to a part of that.
    assert torch.allclose(a, torch.tensor([[100., 80], [310, 200]])[:, None], atol=3)
    assert torch.allclose(b, torch.tensor([220., 150]), atol=3)


class FirstPixel(TopDownKeypoints):
    """Finds every joint in the centre of the first pixel that it is shown."""
    masked, batch_size = True, 2

    def _predict(self, views, boxes):
        return [(np.zeros((17, 2)), np.ones(17))] * len(views)


def test_joints_count_from_the_images_corner(photo, detected):
    sample = photo(80, 120)
    sample.detected_instances = detected([[5, 6, 50, 70], [40.8, 10, 110, 75]], (80, 120))
    (joints, _), = FirstPixel()([sample])
    assert joints[:, 0].tolist() == [[5.5, 6.5], [40.5, 10.5]]


def test_other_peoples_pixels_are_not_shown(vitpose, photo, detected):
    source = TransformersKeypoints(vitpose)
    source.network = RedDot()
    sample = photo(200, 200)
    dots(sample, (60, 100), (100, 100))
    sample.image[90:110, 40:70] //= 2  # the person's own dot is the darker one
    sample.detected_instances = detected([[30, 40, 130, 160]], (200, 200))
    sample.detected_instances.masks[:, :, 80:] = False
    (own, _), = source([sample])
    assert torch.allclose(own, torch.tensor([60., 100]), atol=3)
    source.masked = False
    (other, _), = source([sample])
    assert torch.allclose(other, torch.tensor([100., 100]), atol=3)


def test_people_without_masks(vitpose, photo, detected):
    sample = photo(80, 120)
    sample.detected_instances = detected([[5, 6, 50, 70]], (80, 120))
    del sample.detected_instances.masks
    with pytest.raises(SourceError, match='0.jpg: the people have boxes but no masks; set masked=False'):
        TransformersKeypoints(vitpose)([sample])
    (joints, _), = TransformersKeypoints(vitpose, masked=False)([sample])
    assert joints.shape == (1, 17, 2)


def test_the_network_itself_batched_and_one_by_one(vitpose, assert_batches_as_alone):
    assert_batches_as_alone(TransformersKeypoints(vitpose))


def test_other_joints_than_cocos_are_refused(save_vitpose):
    with pytest.raises(WeightsError, match='predicts 14 joints, expected the 17 of COCO'):
        TransformersKeypoints(save_vitpose(14))
