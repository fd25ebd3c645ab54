"""2D joints by top-down networks of mmpose."""
import numpy as np
from mmengine.dataset import Compose, pseudo_collate

from mmhuman_dto.fileio.packages import require
from mmhuman_dto.registry import SOURCES

from .crops import TopDownKeypoints
from .openmmlab import config_path, load_openmmlab, scope
from .optional import WeightsError


@SOURCES.register_module()
class MMPoseKeypoints(TopDownKeypoints):
    """RTMPose, HRNet, ViTPose (with mmpretrain) and other top-down mmpose models of COCO's 17 joints.

    Args:
        config: an mmpose config file, or its path below mmpose's own,
            ``'body_2d_keypoint/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.py'``.
        checkpoint: its weights, a file.
        masked: show the network the pixels of the person's mask only, as DTO-Humans was made (arXiv 2511.13282).
        batch_size: people that go through the network together.
        device: None is a GPU where there is one.

    Raises:
        ImportError, WeightsError, CheckpointError: see :func:`~.openmmlab.load_openmmlab`, or it has other joints.
    """

    def __init__(self, config, checkpoint, masked=True, batch_size=32, device=None):
        self.network, settings = load_openmmlab('mmpose', config, checkpoint, device)
        if self.network.head.out_channels != 17:
            raise WeightsError(f'{config}: predicts {self.network.head.out_channels} joints, expected the 17 of COCO')
        with scope('mmpose'):
            self.pipeline = Compose([dict(type='mmpose.LoadImage'), *(
                step for step in settings.test_dataloader.dataset.pipeline
                if step['type'].split('.')[-1] != 'LoadImage')])
        datasets = require('mmpose.datasets.datasets.utils', 'openmmlab')
        self.meta = datasets.parse_pose_metainfo(
            dict(from_file=str(config_path('mmpose', '_base_/datasets/coco.py'))))
        self.masked, self.batch_size = masked, batch_size

    def _predict(self, views, boxes):
        with scope('mmpose'):
            data = [self.pipeline(dict(
                img=np.ascontiguousarray(view[..., ::-1]), bbox=box[None], bbox_score=np.ones(1, dtype=np.float32),
                **self.meta)) for view, box in zip(views, boxes)]
            found = [one.pred_instances for one in self.network.test_step(pseudo_collate(data))]
        return [(one.keypoints[0], one.keypoint_scores[0]) for one in found]
