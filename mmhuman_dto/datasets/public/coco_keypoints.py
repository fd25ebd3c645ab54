"""COCO's people: boxes and 17 joints, in the wild."""
import torch

from mmhuman_dto.fileio import load_json
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import Reader, SetInfo
from .parsing import LayoutError, list_of_people, picture_size, vectors

_PERSON = 1
#: From COCO's joints, which name pixels, to the middles of these pixels.
_MIDDLE = .5
_KEYS = ('images', 'annotations', 'id', 'file_name', 'width', 'height', 'image_id', 'category_id', 'iscrowd',
         'keypoints', 'bbox', 'area')


@READERS.register_module()
class COCOKeypoints(Reader):
    """COCO's keypoint annotations, as ``gt_instances`` with 17 joints (joint set coco17); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/person_keypoints_{train,val}2017.json    {
            images: [{id, file_name (IMAGE), width, height px}]          also those without people
            annotations: [{
                image_id, category_id    1: a person; others are left out
                keypoints  (51)          x, y of a pixel, and v: 0 not annotated, 1 hidden, 2 visible; 17 times
                bbox       (4)           px: x, y, width, height
                area                     px^2 of the person's segment
                iscrowd                  1: a region with many people, none of whom is annotated}]}

    Fields: bboxes, areas, keypoints_2d (middles of the pixels), keypoints_2d_valid (v > 0), is_crowd. People who were
    too small to have their joints annotated have none that is valid. Metainfo: ori_shape.
    """
    info = SetInfo(
        'coco', 'COCO keypoints', 'https://cocodataset.org/#download',
        {split: f'annotations/person_keypoints_{split}2017.json' for split in ('train', 'val')}, '{split}2017',
        body_model=None, metric='KeypointAPMetric', keep_empty=True)  # who is found where nobody is counts against AP
    supervision = dict(has_3d=False, fully_annotated=False, joint_set='coco17')

    def _load(self):
        content = load_json(self.path, _KEYS)
        images, annotations = (self._listed(content, name) for name in ('images', 'annotations'))
        names = self._values(images, 'images', 'id', int), self._values(images, 'images', 'file_name', str)
        records = {name: (image, []) for name, image in zip(names[1], images)}
        names = dict(zip(*names))
        if not len(records) == len(names) == len(images):
            raise LayoutError(f'{self.path}: images list an id or a file_name twice')
        for number, annotation in zip(self._values(annotations, 'annotations', 'image_id', int), annotations):
            if number not in names:
                raise LayoutError(f'{self.path}: annotations name image_id {number}, which is not among the images')
            if annotation.get('category_id') == _PERSON:
                records[names[number]][1].append(annotation)
        return records

    def _listed(self, content, name):
        try:
            return list_of_people(content.get(name) if isinstance(content, dict) else None)
        except LayoutError:
            raise LayoutError(f'{self.path}: needs a list {name} of dictionaries; it is no file of COCO') from None

    def _values(self, entries, name, key, kind):
        values = [entry.get(key) for entry in entries]
        for value in values:
            if type(value) is not kind:
                raise LayoutError(f'{self.path}: {name} have {key} {value!r}, expected {kind.__name__}')
        return values

    def _parse(self, record, img_id):
        image, people = record
        joints = vectors(people, 'keypoints', 51).reshape(-1, 17, 3)
        corners, sizes = vectors(people, 'bbox', 4).split(2, 1)
        return People(
            bboxes=torch.cat([corners, corners + sizes], 1), areas=vectors(people, 'area'),
            keypoints_2d=joints[..., :2] + _MIDDLE, keypoints_2d_valid=joints[..., 2] > 0,
            is_crowd=vectors(people, 'iscrowd').bool()), None, dict(ori_shape=picture_size(image))
