"""COCO's json: the people of the scene, what is no person, and whatever may be wrong with the file."""
import json
import re

import numpy as np
import pytest
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
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


PERSON, DOG = dict(id=2, name='person'), dict(id=1, name='dog')
SWAPPED = ['nose', 'right eye', 'Left-Eye', *JOINT_SETS['coco17'].names[3:]]


@pytest.mark.parametrize('categories, used, right', [
    ([DOG, PERSON], 2, True), ([dict(id=0, name=' Person')], 0, True), ([PERSON, dict(id=7, name='person')], 7, True),
    ([dict(PERSON, keypoints=['nose'])], 2, True), (None, 1, True),
    (None, 2, r"none of \d+ annotations is of a person \(category_id \[1\]\), their category_id are \['2'\]"),
    ([PERSON], 1, r"category_id are \['1'\]"), ([PERSON], '2', 'category_id are ..\'2\'.'), ([PERSON], [2], 'none of'),
    ([DOG, dict(id=2, name='human')], 2, r"no category is named 'person', only \['dog', 'human'\]"),
    ([], 1, "no category is named 'person'"), ([dict(name='person')], 1, 'categories have id None, expected int'),
    ({}, 1, 'needs a list categories'),
    ([dict(PERSON, keypoints=['nose', 'left_shoulder'])], 2, "joint 1 of category 'person' is 'left_shoulder'"),
    ([PERSON, dict(id=3, name='person', keypoints=SWAPPED)], 2, 'joints in different orders'),
])
def test_people_are_those_of_the_category_with_that_name(content, read, categories, used, right):
    count = len(read(content)[0].gt_instances)
    content['categories'] = categories
    if categories is None:
        content.pop('categories')
    content['annotations'] = [dict(person, category_id=used) for person in content['annotations']] + [
        dict(image_id=content['images'][0]['id'], category_id=5)] * (right is True)
    if right is True:
        assert len(read(content)[0].gt_instances) == count >= 3
    else:
        with pytest.raises(LayoutError, match=f'c.json: .*{right}'):
            read(content)


def test_joints_in_an_order_of_the_files_own_are_put_in_cocos(content, read):
    want = read(content)[0].gt_instances
    content['categories'] = [dict(id=1, name='person', keypoints=SWAPPED)]
    for person in content['annotations']:
        joints = np.reshape(person['keypoints'], (17, 3))
        person['keypoints'] = joints[[0, 2, 1, *range(3, 17)]].ravel().tolist()
    have = read(content)[0].gt_instances
    assert torch.equal(have.keypoints_2d, want.keypoints_2d)
    assert torch.equal(have.keypoints_2d_valid, want.keypoints_2d_valid)


def test_boxes_as_two_corners_are_refused(content, read):
    for person in content['annotations']:
        x, y, width, height = person['bbox']
        person['bbox'] = [x, y, x + width, y + height]
    with pytest.raises(LayoutError, match=r'c.json: \d+ of \d+ bbox reach out of their pictures .* x, y, width'):
        read(content)


@pytest.mark.parametrize('key, value, message', [
    ('keypoints', [.9] * 51, 'keypoints has visibility .*expected 0 .not annotated., 1 .hidden. or 2'),
    ('keypoints', [-1] * 51, 'keypoints has visibility'),
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
