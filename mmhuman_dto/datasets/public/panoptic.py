"""CMU Panoptic: social games in a dome of cameras; for evaluation."""
import numpy as np
import torch

from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import AnnotsReader, Place, SetInfo
from .parsing import LayoutError, array, check_joints, picture_size

#: Joints that the protocol reads.
_MIN_JOINTS = 24
#: Panoptic's joint for each of Human3.6M's 17 (MA-HMR's public evaluator).
TO_H36M = [14, 2, 1, 0, 3, 4, 5, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6]
_PELVIS = 14
#: Panoptic's pelvis lies this much (m) below Human3.6M's.
_PELVIS_RISE = .06


def panoptic_to_h36m(points):
    """Annotated joints (T, 17, 3), m, camera frame, in Human3.6M's order, and their confidence (T, 17).

    ``points`` (T, 24+, 4) are x, y, z and confidence in the file's order.
    """
    points = np.array(points, dtype=np.float64)
    points[:, _PELVIS, 1] -= _PELVIS_RISE
    points = points[:, TO_H36M]
    return points[..., :3], points[..., 3]


@READERS.register_module()
class Panoptic(AnnotsReader):
    """CMU Panoptic's joints, as ``gt_instances`` in Human3.6M's order (joint set h36m17); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    as public instructions have it: images/; the path names
                                      the sequence: haggling, mafia, ultimatum or pizza
        DATA_ROOT/annots_test.npz     npz: annots = {IMAGE: {
            kpts3d        (N, 24+, 4)    m, camera frame, and confidence
            width, height                px
            kpts2d        (N, .., 3)     px and confidence; not read}}

    Fields: keypoints_3d (m) and, as keypoints_3d_valid, the confidences as they are; metainfo ori_shape. Joints are
    re-ordered, and the pelvis raised, by :func:`panoptic_to_h36m`.
    """
    info = SetInfo(
        'panoptic', 'CMU Panoptic', 'http://domedb.perception.cs.cmu.edu', dict(test='annots_test.npz'),
        body_model=None, metric='PanopticMetric', public=Place('cmu_panoptic', images='images'))
    supervision = dict(has_3d=False, fully_annotated=True, joint_set='h36m17')
    keys = ('kpts3d', 'width', 'height')

    def _parse(self, record, img_id):
        points = array(record, 'kpts3d')
        if points.size == 0:
            points = points.reshape(0, _MIN_JOINTS, 4)
        if points.ndim != 3 or points.shape[1] < _MIN_JOINTS or points.shape[2] != 4:
            raise LayoutError(f'kpts3d has shape {points.shape}, expected (N, {_MIN_JOINTS} or more, 4)')
        joints, confidence = (torch.from_numpy(values).float() for values in panoptic_to_h36m(points))
        check_joints(joints, confidence > 0, 'h36m17', 'kpts3d')
        return People(keypoints_3d=joints, keypoints_3d_valid=confidence), None, dict(ori_shape=picture_size(record))
