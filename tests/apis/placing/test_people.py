"""Heights of people of results: as told, else measured, else an adult's; how sure they are goes into their size."""
import pytest
import torch

from mmhuman_dto.apis.placing.people import completed
from mmhuman_dto.body_models.measuring import heights_along_surfaces, measured_heights
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import People


@pytest.fixture(scope='module')
def people():
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    pose, betas = torch.zeros(3, 24, 3), torch.zeros(3, 11)
    betas[1, 0] = 1.5
    joints = body_model.skeleton(pose, betas)
    joints[2] = torch.nan
    return People(vertices=body_model(pose, betas).vertices, pelvis=joints[:, 0], smpl_joints=joints,
                  heights=torch.tensor([1.5, torch.nan, torch.nan]),
                  heights_std=torch.tensor([.15, torch.nan, torch.nan])), body_model.faces


def test_told_heights_stay_and_others_are_measured(people):
    given, faces = people
    done = completed(given, faces)
    heights, stds = measured_heights(joints=given.smpl_joints, vertices=given.vertices, faces=faces)
    torch.testing.assert_close(done.heights, torch.tensor([1.5, heights[1], heights[2]]))
    torch.testing.assert_close(done.heights_std, torch.tensor([.15, stds[1], stds[2]]))
    assert torch.isnan(given.heights[1:]).all()
    torch.testing.assert_close(done.sizes_std[0], torch.tensor(.1**2 + .02**2).sqrt())


def test_of_guessed_triangles_bones_count_and_else_ways_along_the_surface(people):
    given, faces = people
    done = completed(given, faces, faces_are_guess=True)
    assert done.heights[1] == measured_heights(joints=given.smpl_joints)[0][1]
    assert done.heights[2] == heights_along_surfaces(given.vertices[2:])[0]


def test_of_whom_nothing_is_known_is_an_adult():
    nan = torch.full((1, ), torch.nan)
    points = People(vertices=torch.zeros(1, 4, 3), pelvis=torch.zeros(1, 3), heights=nan, heights_std=nan)
    done = completed(points, torch.zeros(0, 3, dtype=torch.long))
    assert done.heights.item() == pytest.approx(1.715) and done.heights_std.item() == pytest.approx(.1)
