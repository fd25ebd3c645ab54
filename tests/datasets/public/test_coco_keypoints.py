"""COCO's json: the people of the scene, what is no person, and whatever may be wrong with the file."""
import json
import re

import numpy as np
import pytest
import torch

from mmhuman_dto.datasets.public import LayoutError
from mmhuman_dto.fileio import BrokenFileError, load_json
from mmhuman_dto.registry import READERS


@pytest.fixture
def content(public_sets):
    return json.loads(public_sets['COCOKeypoints'].reader.path.read_text())


@pytest.fixture
def read(public_sets, tmp_path):
    """read(content): a reader of this content, or of this text."""
    def read(content):
        config = dict(public_sets['COCOKeypoints'].config, data_root=str(tmp_path), ann_file='c.json')
        (tmp_path / 'c.json').write_text(content if isinstance(content, str) else json.dumps(content))
        return READERS.build(config)
    return read


def test_joints_boxes_and_areas_are_the_scenes(public_sets, body_model):
    _, scenes, reader = public_sets['COCOKeypoints']
    for sample, scene in zip(reader, scenes, strict=True):
        people, count = sample.gt_instances, len(scene)
        assert len(people) == count + 2 and sample.ori_shape == scene.size
        pixels = scene.project(body_model.regress(torch.as_tensor(scene.vertices), 'coco17'))
        seen = people.keypoints_2d_valid[:count].numpy()
        np.testing.assert_array_equal(seen, ((pixels >= 0) & (pixels < scene.size[::-1])).all(-1))
        # Whole pixels are annotated, whose middles are at most half a pixel off.
        assert abs(people.keypoints_2d[:count].numpy() - pixels)[seen].max() <= .5 + 1e-4
        boxes = people.bboxes[:count]
        assert ((boxes[:, 2:] - boxes[:, :2]).prod(1) >= people.areas[:count]).all() and people.areas.min() > 0
        assert not people.keypoints_2d_valid[count:].any()
        assert people.is_crowd.tolist() == [False] * (count + 1) + [True]
        assert people.areas[-2:].tolist() == [30.5, 40.5] and people.bboxes[-2].tolist() == [2, 3, 8, 12]


def test_images_without_people_and_other_things(content, read):
    content['images'].append(dict(id=7, file_name='empty.png', width=30, height=20))
    content['annotations'].append(dict(image_id=7, category_id=18))  # a dog
    sample = read(content)[3]
    assert sample.img_id == 'empty.png' and sample.ori_shape == (20, 30) and len(sample.gt_instances) == 0
    assert sample.gt_instances.keypoints_2d.shape == (0, 17, 2)


@pytest.mark.parametrize('key, value, message', [
    ('keypoints', [1] * 50, r'keypoints of a person has shape \(50,\), expected \(51,\)'),
    ('keypoints', [float('nan')] * 51, 'keypoints holds values that are not finite'),
    ('keypoints', ['x'] * 51, 'keypoints is not an array of numbers'),
    ('keypoints', {}, 'keypoints is not an array of numbers'),
    ('bbox', None, 'lacks bbox'),
    ('area', [1, 2], r'area of a person has shape \(2,\)'),
    ('iscrowd', 10**400, 'iscrowd is not an array of numbers'),
])
def test_a_wrong_annotation_costs_its_image(content, read, key, value, message):
    content['annotations'][0][key] = value
    reader = read(content)
    with pytest.raises(LayoutError, match=f'c.json: {re.escape(reader.ids[0])}: {message}'):
        reader[0]
    assert len(reader[2].gt_instances)


@pytest.mark.parametrize('change, message', [
    (lambda c: c.pop('images'), 'needs a list images of dictionaries'),
    (lambda c: c.update(annotations=[3]), 'needs a list annotations of dictionaries'),
    (lambda c: c['images'][0].update(id=c['images'][1]['id']), 'list an id or a file_name twice'),
    (lambda c: c['images'][0].update(file_name=c['images'][1]['file_name']), 'list an id or a file_name twice'),
    (lambda c: c['images'][0].update(file_name=['a']), r"images have file_name \['a'\], expected str"),
    (lambda c: c['images'][0].pop('id'), 'images have id None, expected int'),
    (lambda c: c['annotations'][0].update(image_id=3), 'annotations name image_id 3, which is not among the images'),
])
def test_a_file_that_does_not_hold_together(content, read, change, message):
    change(content)
    with pytest.raises(LayoutError, match=f'c.json: .*{message}'):
        read(content)


@pytest.mark.parametrize('error, message, texts', [
    (BrokenFileError, 'damaged, cut short or not JSON', ['', '{"images": [', '[' * 100_000, 'PK\x03\x04']),
    (LayoutError, 'needs a list images', ['[]', '3', 'null', '{}'])])
def test_no_json_or_another(read, error, message, texts):
    for text in texts:
        with pytest.raises(error, match=f'c.json: {message}'):
            read(text)


def test_only_the_keys_in_use_are_kept(tmp_path):
    (tmp_path / 'a.json').write_text('{"a": {"b": 1, "c": 2}, "d": [{"b": 3}]}')
    assert load_json(tmp_path / 'a.json', ('a', 'b')) == {'a': {'b': 1}}
    assert load_json(tmp_path / 'a.json') == {'a': {'b': 1, 'c': 2}, 'd': [{'b': 3}]}
