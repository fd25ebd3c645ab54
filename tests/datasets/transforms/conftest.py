import numpy as np
import pytest
import torch

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets.transforms import JointsFromMeshes
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People


@pytest.fixture(scope='session')
def body():
    return OpenBody()


@pytest.fixture(scope='session')
def make_sample(body):
    """A sample with people in random poses, cut off by no picture's edge; cameras off centre and not square."""
    joints_of = JointsFromMeshes(dict(type='OpenBody'))

    def make(seed=0, count=3, size=(90, 120)):
        rng = np.random.default_rng(seed)
        pose = torch.from_numpy(rng.normal(0, .25, (count, 24, 3))).float()
        pose[:, 0] = torch.tensor([np.pi, 0, 0]) + pose[:, 0] / 2
        transl = rng.uniform((-1, -.3, 5), (1, .3, 7), (count, 3))
        people = People(
            global_orient=pose[:, 0], body_pose=pose[:, 1:], transl=torch.from_numpy(transl).float(),
            betas=torch.from_numpy(rng.normal(0, .5, (count, body.num_betas))).float(),
            heights=torch.full((count, ), 1.7), ages=torch.full((count, ), 30.))
        sample = HumanDataSample(metainfo=dict(img_id=f'{seed}.png', ori_shape=size, img_shape=size))
        sample.gt_instances = people
        height, width = size
        focal = 1.3 * height
        intrinsics = [[focal, 0, .45 * width], [0, 1.1 * focal, .55 * height], [0, 0, 1]]
        sample.gt_camera = Camera(intrinsics=torch.tensor(intrinsics), fov=torch.tensor(.8))
        sample = joints_of(sample)
        points = sample.gt_instances.keypoints_2d
        people.bboxes = torch.cat([points.amin(1), points.amax(1)], -1).clamp(min=0).minimum(
            torch.tensor([width, height, width, height]))
        people.masks = torch.zeros(count, *size, dtype=torch.bool)
        people.masks[:, 20:40, 30:50] = True
        sample.image = np.zeros((*size, 3), np.uint8)
        ids = torch.zeros(size, dtype=torch.int32)
        ids[20:40, 30:50] = 1
        sample.gt_maps = Maps(depth=torch.full(size, 4.), id_map=ids)
        return sample

    return make
