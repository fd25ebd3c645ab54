"""The imitated depth network: exact where it has no errors, the same for the same image."""
import pytest
import torch

from mmhuman_dto.perception import ImitatedDepth, SourceError
from mmhuman_dto.structures import HumanDataSample, Maps, People

NONE = dict.fromkeys(
    ('scale_noise', 'shift_noise', 'person_noise', 'relief_noise', 'row_bias', 'smoothing', 'pixel_noise'), 0.)


def crowd(img_id='2/00000001'):
    sample = HumanDataSample(metainfo=dict(img_id=img_id), gt_instances=People(num_people=2))
    depth = torch.linspace(2, 9, 64).view(8, 8).clone()
    depth[0] = 0
    ids = torch.zeros(8, 8, dtype=torch.int32)
    ids[2:4, 2:4], ids[5:7, 5:7] = 1, 2
    sample.gt_maps = Maps(depth=depth, id_map=ids)
    return sample


def test_without_errors_it_is_inverse_depth():
    sample = crowd()
    disparity, = ImitatedDepth(**NONE)([sample])
    assert disparity.dtype == torch.float32 and not disparity[0].any()
    torch.testing.assert_close(disparity[1:], 900 / sample.gt_maps.depth[1:])


def test_errors_are_those_asked_for_and_repeat():
    shown = [ImitatedDepth(**{**NONE, 'person_noise': .3})([crowd(name)])[0] for name in ('a', 'a', 'b')]
    assert torch.equal(shown[0], shown[1]) and not torch.equal(shown[0], shown[2])
    level = shown[0] * crowd().gt_maps.depth / 900
    for person in (1, 2):
        mine = level[crowd().gt_maps.id_map == person]
        assert float(mine.max() - mine.min()) < 1e-4 < abs(float(mine[0]) - 1)
    assert torch.allclose(level[1:][crowd().gt_maps.id_map[1:] == 0], torch.tensor(1.))


def test_needs_exact_depth():
    with pytest.raises(SourceError, match='2/00000001.*gt_maps'):
        ImitatedDepth()([HumanDataSample(metainfo=dict(img_id='2/00000001'))])
