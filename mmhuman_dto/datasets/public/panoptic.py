"""CMU Panoptic: social games in a dome of cameras; for evaluation."""
import torch

from mmhuman_dto.evaluation.functional import panoptic_to_h36m
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People

from .base import AnnotsReader
from .parsing import LayoutError, array, picture_size

#: Joints that the protocol reads.
_MIN_JOINTS = 24


@SOURCES.register_module()
class Panoptic(AnnotsReader):
    """CMU Panoptic's joints, as ``gt_instances`` in Human3.6M's order (joint set h36m17); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    the path names the sequence: haggling, mafia, ultimatum or pizza
        DATA_ROOT/annots_test.npz     npz: annots = {IMAGE: {
            kpts3d        (N, 24+, 4)    m, camera frame, and confidence
            width, height                px
            kpts2d        (N, .., 3)     px and confidence; not read}}

    Fields: keypoints_3d (m) and, as keypoints_3d_valid, the confidences as they are; metainfo ori_shape. Joints are
    re-ordered, and the pelvis raised, by :func:`mmhuman_dto.evaluation.functional.panoptic_to_h36m`.
    """
    supervision = dict(has_3d=False, detect_all=True, joint_set='h36m17')
    keys = ('kpts3d', 'width', 'height')

    def _parse(self, record, img_id):
        points = array(record, 'kpts3d')
        if points.size == 0:
            points = points.reshape(0, _MIN_JOINTS, 4)
        if points.ndim != 3 or points.shape[1] < _MIN_JOINTS or points.shape[2] != 4:
            raise LayoutError(f'kpts3d has shape {points.shape}, expected (N, {_MIN_JOINTS} or more, 4)')
        joints, confidence = (torch.from_numpy(values).float() for values in panoptic_to_h36m(points))
        return People(keypoints_3d=joints, keypoints_3d_valid=confidence), None, dict(ori_shape=picture_size(record))
