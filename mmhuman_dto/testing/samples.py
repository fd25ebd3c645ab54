"""Scenes as the samples that flow through the rest of the package."""
import numpy as np
import torch

from ..structures import Camera, HumanDataSample, People


def truth_sample(scene, img_id):
    """The exact people and camera of a scene as the ``pred_instances`` and ``pred_camera`` of a sample."""
    to_tensor = lambda value: torch.as_tensor(np.asarray(value), dtype=torch.float32)  # noqa: E731
    people = People(global_orient=to_tensor(scene.pose[:, 0]), body_pose=to_tensor(scene.pose[:, 1:]), betas=to_tensor(scene.betas),
                    transl=to_tensor(scene.transl), heights=to_tensor(scene.heights), ages=to_tensor(scene.ages),
                    male_probs=to_tensor(scene.male))
    sample = HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=scene.size))
    sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=to_tensor(scene.intrinsics))
    return sample
