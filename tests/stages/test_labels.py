"""Labels to train on: seen joints stay with everybody, meshes count where they agree with them."""
import pytest
import torch
from bound_stage import bound

from mmhuman_dto.stages import SkipImage, TrainingLabels


def test_meshes_count_that_have_enough_joints_and_fit_them(scene, body_model):
    """Three exact meshes: of the first seven joints are seen, of the third all are elsewhere by 6 % of its size."""
    found = scene.detected_instances
    scores = torch.full((3, 17), .9)
    scores[0, 7:], scores[1, 9:] = .1, .1
    found.keypoints_2d_valid = scores
    size = (found.keypoints_2d[2].amax(0) - found.keypoints_2d[2].amin(0)).amax()
    found.keypoints_2d[2, :, 0] += .06 * size
    scene.pred_instances.bboxes = found.bboxes
    scene.pred_camera.focal_std = torch.tensor(.3)
    given = found.keypoints_2d.clone()
    people = bound(TrainingLabels(), body_model)([scene])[0].pred_instances
    assert people.has_mesh.tolist() == [False, True, False]
    assert torch.equal(people.keypoints_2d, given) and 'bboxes' not in people
    assert torch.equal(people.keypoints_2d_valid, torch.where(scores > .2, scores, 0))
    assert (scene.joint_set, scene.fully_annotated) == ('coco17', False)
    assert scene.focal_std == pytest.approx(.3)
    again = bound(TrainingLabels(min_joints=7, max_error=.07, fully_annotated=True), body_model)
    del people.has_mesh
    assert again([scene])[0].pred_instances.has_mesh.all() and scene.fully_annotated


def test_whom_dto_left_out_is_no_mesh_and_an_image_without_any_goes(scene, body_model):
    scene.pred_instances.has_mesh = torch.tensor([True, False, True])
    people = bound(TrainingLabels(), body_model)([scene])[0].pred_instances
    assert people.has_mesh.tolist() == [True, False, True] and scene.focal_std == 0
    scene.detected_instances.keypoints_2d_valid[:] = 0
    with pytest.raises(SkipImage, match='nobody whose mesh fits what was seen'):
        bound(TrainingLabels(min_joints=0), body_model)([scene])
