"""COCO's people: boxes and 17 joints, in the wild."""
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fileio import load_json
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import Reader, SetInfo
from .parsing import LayoutError, list_of_people, picture_size, vectors

#: The category of people: its name, and its id in COCO's own files, which counts where a file lists no categories.
_PERSON, _PERSON_ID = 'person', 1
_JOINTS = JOINT_SETS['coco17'].names
#: From COCO's joints, which name pixels, to the middles of these pixels.
_MIDDLE = .5
_KEYS = ('images', 'annotations', 'categories', 'id', 'name', 'file_name', 'width', 'height', 'image_id',
         'category_id', 'iscrowd', 'keypoints', 'bbox', 'area')
#: Boxes are corners, not corner and size, where more than this share of them leaves the pictures by more px.
_MANY_OUTSIDE, _OUTSIDE = .25, 2.


@READERS.register_module()
class COCOKeypoints(Reader):
    """COCO's keypoint annotations, as ``gt_instances`` with 17 joints (joint set coco17); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/person_keypoints_{train,val}2017.json    {
            images: [{id, file_name (IMAGE), width, height px}]          also those without people
            annotations: [{
                image_id, category_id    of the category named person; others are left out
                keypoints  (51)          x, y of a pixel, and v: 0 not annotated, 1 hidden, 2 visible; 17 times
                bbox       (4)           px: x, y, width, height
                area                     px^2 of the person's segment
                iscrowd                  1: a region with many people, none of whom is annotated}],
            categories: [{id, name, keypoints (names of the joints)}]    without it id 1 is a person, as in COCO}

    Fields: bboxes, areas, keypoints_2d (middles of the pixels), keypoints_2d_valid (v > 0), is_crowd. People who were
    too small to have their joints annotated have none that is valid. Metainfo: ori_shape. Joints that a file names in
    another order are put in COCO's.
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
        people, self.order = self._person(content)
        used = [entry.get('category_id') for entry in annotations]
        if used and not any(category in people for category in used):
            raise LayoutError(f'{self.path}: none of {len(used)} annotations is of a person (category_id {people}), '
                              f'their category_id are {sorted(set(map(repr, used)))[:5]}. Name the category of the '
                              f'people {_PERSON!r} in the list categories')
        for number, annotation in zip(self._values(annotations, 'annotations', 'image_id', int), annotations):
            if number not in names:
                raise LayoutError(f'{self.path}: annotations name image_id {number}, which is not among the images')
            if annotation.get('category_id') in people:
                records[names[number]][1].append(annotation)
        self._check_boxes(records)
        return records

    def _person(self, content):
        """Ids of the category named person, and the rows of its joints that make COCO's order."""
        if 'categories' not in content:
            return [_PERSON_ID], self._order(None)
        listed = self._listed(content, 'categories')
        people = [entry for entry in listed if str(entry.get('name')).strip().lower() == _PERSON]
        if not people:
            raise LayoutError(f'{self.path}: no category is named {_PERSON!r}, only '
                              f'{[entry.get("name") for entry in listed][:10]}. Give that of the people this name')
        orders = [self._order(entry.get('keypoints')) for entry in people]
        if orders != orders[:1] * len(orders):
            raise LayoutError(f'{self.path}: {len(people)} categories are named {_PERSON!r}, with joints in different '
                              'orders')
        return self._values(people, 'categories', 'id', int), orders[0]

    def _order(self, names):
        """Rows of a category's joints that make COCO's order; those of names that COCO does not know say nothing."""
        names = [str(name).strip().lower().replace(' ', '_').replace('-', '_')
                 for name in (names if isinstance(names, list) else ())]
        if sorted(names) == sorted(_JOINTS):
            return [names.index(name) for name in _JOINTS]
        for place, name in enumerate(names):
            if name in _JOINTS and _JOINTS.index(name) != place:
                raise LayoutError(f'{self.path}: joint {place} of category {_PERSON!r} is {name!r}, in COCO it is '
                                  f'{(*_JOINTS, "none")[min(place, len(_JOINTS))]!r}: joints must be the 17 of COCO, '
                                  'by its names in any order')
        return list(range(len(_JOINTS)))

    def _check_boxes(self, records):
        """Refuse a file of which many boxes leave the pictures unless they are taken for two corners."""
        outside = total = 0
        for image, people in records.values():
            try:
                boxes, (height, width) = vectors(people, 'bbox', 4), picture_size(image)
            except LayoutError:
                continue  # said when that image is read
            limits = boxes.new_tensor([width, height]) + _OUTSIDE
            far, sizes = boxes[:, 2:], boxes[:, 2:] - boxes[:, :2]
            if (sizes <= 0).any() or (far > limits).any():
                return
            outside += int((boxes[:, :2] + far > limits).any(1).sum())
            total += len(boxes)
        if outside > _MANY_OUTSIDE * total:
            raise LayoutError(f'{self.path}: {outside} of {total} bbox reach out of their pictures as x, y, width, '
                              'height, and none does as x0, y0, x1, y1: write them as COCO does, x, y, width, height')

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
        joints = vectors(people, 'keypoints', 51).reshape(-1, 17, 3)[:, self.order]
        if ((joints[..., 2] < 0) | (joints[..., 2] % 1 > 0)).any():  # scores of a network, say
            raise LayoutError(f'keypoints has visibility {joints[..., 2].unique().tolist()[:5]}, expected 0 (not '
                              'annotated), 1 (hidden) or 2 (visible)')
        corners, sizes = vectors(people, 'bbox', 4).split(2, 1)
        return People(
            bboxes=torch.cat([corners, corners + sizes], 1), areas=vectors(people, 'area'),
            keypoints_2d=joints[..., :2] + _MIDDLE, keypoints_2d_valid=joints[..., 2] > 0,
            is_crowd=vectors(people, 'iscrowd').bool()), None, dict(ori_shape=picture_size(image))
