"""2D joints of people in pictures that are never drawn, with exact truth and no end."""
import numpy as np
import torch
from torch.utils.data import Dataset

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fitting.kinematics import JointTables
from mmhuman_dto.registry import BODY_MODELS, DATASETS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors
from mmhuman_dto.synthetic.keypoints import KeypointConfig, KeypointScenes

from .mixing import ENDLESS


@DATASETS.register_module()
class SyntheticKeypoints(Dataset):
    """Pictures of joints as networks of 2D joints give them, item i always the same: nothing is on disk, nothing drawn.

    An item is ``dict(data_samples=sample)`` with a :class:`HumanDataSample` whose ``gt_instances`` have
    ``keypoints_2d`` px with ``keypoints_2d_valid`` (scores 0..1), both with a network's errors, the exact
    ``keypoints_3d`` of the same joints, pose, betas, transl, heights and ages; and ``gt_camera``. All people of a
    picture are on one ground.

    Args:
        body_model: config of a body model.
        joint_set: of the keypoints.
        scenes: arguments of :class:`~mmhuman_dto.synthetic.keypoints.KeypointConfig` that differ from its defaults.
        errors: those of :class:`~mmhuman_dto.synthetic.keypoint_errors.KeypointErrors`.
        seed: other seeds give other pictures; training and test sets take different ones.
        num_scenes: length.
    """

    METAINFO = dict(dataset_name='synthetic_keypoints')

    def __init__(self, body_model=None, joint_set='coco17', scenes=None, errors=None, seed=0, num_scenes=ENDLESS):
        body_model = body_model or dict(type='OpenBody')
        body = BODY_MODELS.build(body_model)
        config = KeypointConfig(errors=KeypointErrors(**(errors or {})), **(scenes or {}))
        self.tables = JointTables(body, joint_set, dtype=torch.float32)
        self.scenes = KeypointScenes(body, self.tables, config, joint_set, seed)
        self.num_scenes = num_scenes
        self.metainfo = dict(self.METAINFO, body_model=body_model['type'], joint_set=JOINT_SETS[joint_set].names)

    def __len__(self):
        return self.num_scenes

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f'scene {index} of {len(self)}')
        scene = self.scenes(index)
        rest = self.tables.rest_pelvis.numpy()
        people = dict(
            keypoints_2d=scene.keypoints, keypoints_2d_valid=scene.scores, keypoints_3d=scene.joints,
            global_orient=scene.pose[:, 0], body_pose=scene.pose[:, 1:], betas=scene.betas,
            transl=scene.pelvis - scene.betas @ rest[:-1] - rest[-1], heights=scene.heights, ages=scene.ages)
        sample = HumanDataSample(metainfo=dict(
            img_id=f'{self.scenes.seed}/{index:08d}', ori_shape=scene.size, img_shape=scene.size,
            body_model=self.metainfo['body_model'], joint_set=self.metainfo['joint_set']))
        sample.gt_instances = People(**{name: _tensor(value) for name, value in people.items()})
        sample.gt_camera = Camera(intrinsics=_tensor(scene.intrinsics))
        return dict(data_samples=sample)


def _tensor(value):
    return torch.from_numpy(np.asarray(value, np.float32))
