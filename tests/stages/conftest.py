"""Three known people in a picture, as stages get them."""
import pytest
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture
def scene(body_model):
    """A sample with three meshes that stand apart, their exact keypoints and masks, and their camera."""
    pose = torch.zeros(3, 24, 3)
    pose[:, 0, 0] = torch.pi
    transl = torch.tensor([[-1.5, .2, 5], [0, .3, 6], [1.5, .1, 7]])
    intrinsics = torch.tensor([[500., 0, 320], [0, 500, 240], [0, 0, 1]])
    meshes = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.zeros(3, 11), transl=transl)
    joints = project(body_model.select_joints(body_model(pose, meshes.betas, transl), 'coco17'), intrinsics)
    masks = torch.zeros(3, 480, 640, dtype=torch.bool)
    for mask, row in zip(masks, joints.int()):
        (x0, y0), (x1, y1) = row.amin(0).tolist(), row.amax(0).tolist()
        mask[max(y0, 0):y1, max(x0, 0):x1] = True
    found = People(bboxes=torch.cat([joints.amin(1), joints.amax(1)], 1), scores=torch.tensor([.9, .8, .7]),
                   masks=masks, keypoints_2d=joints, keypoints_2d_valid=torch.ones(3, 17, dtype=torch.bool))
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640), keypoint_set='coco17'))
    sample.pred_instances, sample.detected_instances = meshes, found
    sample.pred_camera = Camera(intrinsics=intrinsics)
    return sample
