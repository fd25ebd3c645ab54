"""Relative Human: crowds in the wild, with who stands before whom and how old people are."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.body_models.joint_sets import shared_joints
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import AnnotsReader, Place, SetInfo
from .parsing import LayoutError, array, list_of_people, vectors

#: Years that stand for an age group, by its number; ``nan`` (unknown) is last, where -1 finds it.
YEARS = (30., 11.5, 5.5, 1.5, np.nan)
#: P(male) by the number of a gender.
_MALE = (1., 0., np.nan)


@READERS.register_module()
class RelativeHuman(AnnotsReader):
    """Relative Human, as ``gt_instances`` with CrowdPose's 14 joints (joint set crowdpose14); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    as public instructions have it: images/
        DATA_ROOT/{train,val,test}_annots.npz    npz: annots = {IMAGE: [{         one a person
            bbox     (4)               px: x0, y0, x1, y1; of what is visible
            bbox_wb  (4), optional     of the whole body; taken instead where it is there
            kp2d     (14, 3), (19, 3) or None    px and, above 0, visible. 14: CrowdPose's order; 19: order bk19 where
                                       the name of IMAGE without its suffix has 7 characters, else ochuman19
            depth_id                   depth layer: 0 nearest, -1 unknown
            age                        0 adult, 1 teenager, 2 kid, 3 baby, -1 unknown
            gender                     0 male, 1 female, -1 unknown}]}

    Fields: bboxes, keypoints_2d, keypoints_2d_valid (nothing where kp2d is None), depth_layers, male_probs, and ages:
    years in the middle of the group (30, 11.5, 5.5, 1.5), so a group and no measured age.
    """
    info = SetInfo(
        'relative-human', 'Relative Human', 'https://github.com/Arthur151/Relative_Human',
        {split: f'{split}_annots.npz' for split in ('train', 'val', 'test')}, body_model=None,
        metric='RelativeHumanMetric', public=Place('RelativeHuman', images='images'))
    supervision = dict(has_3d=False, fully_annotated=False, joint_set='crowdpose14')
    keys = ('bbox', 'bbox_wb', 'kp2d', 'depth_id', 'age', 'gender')

    def _parse(self, record, img_id):
        people = list_of_people(record)
        order = 'bk19' if len(Path(img_id).stem) == 7 else 'ochuman19'
        joints = torch.from_numpy(np.reshape([_joints(person, order) for person in people], (-1, 14, 3))).float()
        boxes = _boxes(people)
        _check_corners(boxes, joints[..., :2], joints[..., 2] > 0)
        return People(
            bboxes=boxes, keypoints_2d=joints[..., :2], keypoints_2d_valid=joints[..., 2] > 0,
            depth_layers=vectors(people, 'depth_id').long(), ages=_labels(people, 'age', YEARS),
            male_probs=_labels(people, 'gender', _MALE)), None, {}


def _joints(person, order):
    """(14, 3) in CrowdPose's order."""
    if 'kp2d' not in person:
        raise LayoutError('lacks kp2d')
    if person['kp2d'] is None:
        return np.zeros((14, 3), np.float32)
    joints = array(person, 'kp2d')
    if joints.shape == (19, 3):
        joints = joints[shared_joints(order, 'crowdpose14')[0]]
    if joints.shape != (14, 3):
        raise LayoutError(f'kp2d has shape {joints.shape}, expected (14, 3) or (19, 3)')
    return joints


def _boxes(people):
    whole = [dict(box=person.get('bbox') if person.get('bbox_wb') is None else person['bbox_wb']) for person in people]
    if any(person['box'] is None for person in whole):
        raise LayoutError('lacks bbox')
    boxes = vectors(whole, 'box', 4)
    wrong = (boxes[:, 2:] <= boxes[:, :2]).any(1)
    if wrong.any():
        raise LayoutError(f'bbox {boxes[wrong][0].tolist()} is not x0, y0, x1, y1')
    return boxes


def _check_corners(boxes, joints, valid):
    """Refuse boxes of x, y, width, height: somebody's joints are in them then, and outside as of corners."""
    low, far = boxes[:, None, :2], boxes[:, None, 2:]
    corners, sized = ((((joints >= low) & (joints <= limit)).all(-1) & valid).sum(1) / valid.sum(1).clamp(min=1)
                      for limit in (far, low + far))
    wrong = (valid.sum(1) > 1) & (corners < .5) & (sized > .9)
    if wrong.any():
        raise LayoutError(f'bbox {boxes[wrong][0].tolist()} holds its person as x, y, width, height, expected '
                          'x0, y0, x1, y1')


def _labels(people, key, values):
    numbers = vectors(people, key)
    if not torch.isin(numbers, torch.arange(-1., len(values) - 1)).all():
        raise LayoutError(f'{key} is {numbers.tolist()}, expected -1 to {len(values) - 2}')
    return torch.tensor(values)[numbers.long()]
