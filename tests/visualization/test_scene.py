from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.visualization import Ground, Placement, Scene


class Output(NamedTuple):
    vertices: torch.Tensor


class Stick:
    """Two vertices at transl, the second beta[0] m higher."""
    num_betas, num_body_joints, faces = 11, 23, torch.zeros(0, 3)

    def __call__(self, pose, betas, transl):
        up = torch.stack([torch.zeros_like(betas[:, 0]), -betas[:, 0], torch.zeros_like(betas[:, 0])], -1)
        return Output(torch.stack([transl, transl + up], 1))

    def height(self, betas):
        return betas[:, 0]


def sample_of(transl, **fields):
    count = len(transl)
    transl = torch.as_tensor(transl, dtype=torch.float64).reshape(-1, 3)
    people = People(global_orient=torch.zeros(count, 3), body_pose=torch.zeros(count, 23, 3),
                    betas=torch.ones(count, 11), transl=transl, **fields)
    return HumanDataSample(pred_instances=people, pred_camera=Camera(intrinsics=torch.eye(3)))


def test_placement_of_a_sample():
    placement = Placement.from_sample(sample_of([(1, 2, 3), (0, 0, 5)]), Stick())
    np.testing.assert_allclose(placement.vertices[0], [[1, 2, 3], [1, 1, 3]])
    np.testing.assert_allclose(placement.depths, [3, 5])
    np.testing.assert_allclose(placement.heights, [1, 1])
    assert placement.ids.tolist() == [0, 1] and placement.intrinsics.tolist() == np.eye(3).tolist()


def test_truth_and_meshes_that_are_not_finite():
    sample = sample_of([(1, 2, np.nan), (0, 0, 5), (0, 0, np.inf), (0, 0, 1e39)])
    sample.gt_instances, sample.gt_camera = sample.pred_instances, Camera(intrinsics=2 * torch.eye(3))
    placement = Placement.from_sample(sample, Stick(), 'gt')
    assert placement.ids.tolist() == [1] and placement.depths.tolist() == [5] and placement.heights.tolist() == [1]
    assert placement.intrinsics[0, 0] == 2 and placement.sample is sample
    assert placement.field('transl').tolist() == [[0, 0, 5]] and placement.field('scores') is None


def test_before_and_after():
    before, after = (Placement.from_sample(sample_of([(0, 0, z)]), Stick()) for z in (5, 6))
    alone, both = Scene('', None, None, before), Scene('', None, None, before, after)
    assert alone.last is before and alone.panels == [('', before)]
    assert both.last is after and [title for title, _ in both.panels] == ['before', 'after DTO']
    assert [panel for _, panel in both.panels] == [before, after]
    level = before.level(Ground(np.array([0, -1., 0]), 1.5))
    np.testing.assert_allclose(level.vertices[0], [[0, -1.5, 5], [0, -2.5, 5]])


def test_people_keep_their_number_after_others_were_dropped():
    assert Placement.from_sample(sample_of([(0, 0, 5)], person_index=torch.tensor([3])), Stick()).ids.tolist() == [3]


def test_picking_people_by_id():
    placement = Placement.from_sample(sample_of([(0, 0, 5), (0, 0, 6), (0, 0, 7)]), Stick()).only([0, 2, 9])
    assert placement.ids.tolist() == [0, 2] and placement.depths.tolist() == [5, 7] and len(placement.heights) == 2


def test_placement_of_nobody():
    placement = Placement.from_sample(sample_of([]), Stick())
    assert placement.vertices.shape == (0, 2, 3) and placement.depths.shape == (0, )


