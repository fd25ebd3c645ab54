"""A body whose height and joints are known by hand, and pictures of such people with depth maps."""
import numpy as np
import torch

from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People

FOCAL, SIZE = 100., 40


class StickBody:
    """Joints above each other, 1.7 + .05 b0 - .8 b1 m tall, the first coefficient moving them sideways too."""
    num_betas, num_body_joints, child_coefficient = 2, 23, 1

    def height(self, betas):
        return 1.7 + .05 * betas[..., 0] - .8 * betas[..., 1]

    def skeleton(self, pose, betas, transl=None):
        along = torch.linspace(-.2, .4, 24)
        side = .1 * betas[..., :1] + .3 * betas[..., 1:]
        joints = torch.stack([side.expand(*betas.shape[:-1], 24), along * self.height(betas)[..., None],
                              torch.zeros(*betas.shape[:-1], 24)], -1) + pose[..., :1, :]
        return joints if transl is None else joints + transl[..., None, :]


def make_sample(z=(3., 4., 5.), distance=None, betas=None, name='a.jpg', dtype=torch.float32, **people):
    """People side by side whose meshes are at z, in a depth map that puts them at ``distance`` (m) times 1 / 300."""
    z, num = np.array(z), len(z)
    distance = z if distance is None else np.array(distance)
    id_map, z_map = torch.zeros(SIZE, SIZE, dtype=torch.int32), torch.zeros(SIZE, SIZE, dtype=dtype)
    disparity = torch.full((SIZE, SIZE), 20., dtype=dtype)
    width = SIZE // max(num, 1)
    relief = torch.linspace(-.05, .05, width - 2)
    for i in range(num):
        box = slice(5, 35), slice(i * width, i * width + width - 2)
        id_map[box], z_map[box], disparity[box] = i + 1, z[i] + relief, 300 / (float(distance[i]) + relief)
    betas = torch.zeros(num, 2) if betas is None else torch.tensor(betas)
    fields = dict(ages=torch.full((num, ), 30.), male_probs=torch.full((num, ), .5),
                  visible_vertices=torch.full((num, ), 1000))
    transl = torch.stack([torch.linspace(-1, 1, num), torch.zeros(num), torch.from_numpy(z).float()], -1)
    sample = HumanDataSample(metainfo=dict(img_path=name))
    sample.pred_instances = People(
        global_orient=torch.zeros(num, 3), body_pose=torch.zeros(num, 23, 3), betas=betas.to(dtype),
        transl=transl.to(dtype), **{**fields, **people})
    sample.pred_camera = Camera(intrinsics=torch.tensor([[FOCAL, 0, 20], [0, FOCAL, 20], [0, 0, 1]]))
    sample.pred_maps = Maps(disparity=disparity, id_map=id_map, z_map=z_map)
    return sample
