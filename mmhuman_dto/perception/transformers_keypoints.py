"""2D joints by ViTPose of ``transformers``."""
import torch

from mmhuman_dto.registry import SOURCES

from .crops import TopDownKeypoints
from .optional import WeightsError, load_transformers

#: COCO's expert among those of ViTPose++.
_COCO = 0


@SOURCES.register_module()
class TransformersKeypoints(TopDownKeypoints):
    """ViTPose and ViTPose++ (``VitPoseForPoseEstimation``): COCO's 17 joints of each person that was found.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        masked: show the network the pixels of the person's mask only, as DTO-Humans was made (arXiv 2511.13282).
        batch_size: people that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there, or it predicts other joints.
    """

    def __init__(self, model, masked=True, batch_size=32, device=None, local_files_only=False):
        self.processor, self.network = load_transformers('VitPoseForPoseEstimation', model, device, local_files_only)
        config = self.network.config
        if config.num_labels != 17:
            raise WeightsError(f'{model}: predicts {config.num_labels} joints, expected the 17 of COCO')
        self.experts = config.backbone_config.num_experts > 1
        self.masked, self.batch_size = masked, batch_size

    def _predict(self, views, boxes):
        boxes = [[[x0, y0, x1 - x0, y1 - y0]] for x0, y0, x1, y1 in boxes]
        pixels = self.processor(list(views), boxes=boxes, return_tensors='pt').pixel_values.to(self.network.device)
        expert = dict(dataset_index=torch.full((len(pixels), ), _COCO, device=pixels.device)) if self.experts else {}
        outputs = self.network(pixel_values=pixels, **expert)
        outputs.heatmaps = outputs.heatmaps.float()
        poses = self.processor.post_process_pose_estimation(outputs, boxes=boxes)
        return [(pose['keypoints'].numpy(), pose['scores'].numpy().flatten()) for pose, in poses]
