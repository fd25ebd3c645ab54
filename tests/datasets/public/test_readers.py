"""Every reader over a file in its true layout: the people are the scene's, in camera frame, metres and pixels."""
from pathlib import Path

import numpy as np
import pytest
import torch
from writer_public import LAYOUTS

from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import READERS
from mmhuman_dto.synthetic import Renderer

MESHES = [name for name, layout in LAYOUTS.items() if layout.reader.info.body_model]


def people_and_camera(reader, sample):
    return (sample.get(f'{reader.side}_{name}') for name in ('instances', 'camera'))


@pytest.mark.parametrize('name', MESHES)
def test_bodies_stand_where_the_camera_sees_them(public_sets, body_model, name):
    _, scenes, reader = public_sets[name]
    assert len(reader) == len(reader.ids) == 3
    for sample, scene in zip(reader, scenes, strict=True):
        people, camera = people_and_camera(reader, sample)
        betas = torch.nn.functional.pad(people.betas, (0, 11 - people.betas.shape[1]))
        vertices = body_model(people.pose, betas, people.transl).vertices
        np.testing.assert_allclose(vertices, scene.vertices, atol=5e-6)
        np.testing.assert_allclose(camera.intrinsics, scene.intrinsics, rtol=1e-6)


@pytest.mark.parametrize('name', LAYOUTS)
def test_reading_twice_gives_the_same_and_samples_are_their_own(public_sets, name):
    reader = public_sets[name].reader
    assert Path(reader[0].img_path).is_file()
    for value in reader[0].get(f'{reader.side}_instances').values():
        value[:] = 0
    first, again = (reader[0].get(f'{reader.side}_instances') for _ in range(2))
    assert len(first) and any(value.any() for value in first.values())
    for field, value in first.items():
        assert torch.equal(value.nan_to_num(-7), again[field].nan_to_num(-7))


@pytest.mark.parametrize('name', [name for name in LAYOUTS if LAYOUTS[name].nobody is not None])
def test_an_image_with_nobody_has_the_same_fields(public_sets, tmp_path, name):
    config, _, reader = public_sets[name]
    np.savez(tmp_path / config['ann_file'], annots=np.array({'a.png': LAYOUTS[name].nobody}, dtype=object))
    people = READERS.build(dict(config, data_root=str(tmp_path)))[0].gt_instances
    assert len(people) == 0
    assert {field: (value.dtype, value.shape[1:]) for field, value in people.items()} == {
        field: (value.dtype, value.shape[1:]) for field, value in reader[0].gt_instances.items()}


def test_agora_leaves_out_who_does_not_count_and_knows_children(public_sets):
    _, scenes, reader = public_sets['AGORA']
    children = 0
    for sample, scene in zip(reader, scenes):
        assert len(sample.gt_instances) == len(scene)  # the file has one more, who isn't valid
        np.testing.assert_array_equal(sample.gt_instances.is_child, scene.betas[:, 10] > 0)
        np.testing.assert_allclose(sample.gt_instances.betas, scene.betas, atol=1e-6)
        children += int(sample.gt_instances.is_child.sum())
    assert children


def test_closeups_stand_upright_with_their_people_on_them(public_sets, body_model):
    _, scenes, reader = public_sets['BEDLAM']
    assert [sample.quarter_turns for sample in reader] == [0, 1, 0]
    sample, scene = LoadImage()(reader[1]), scenes[1]
    picture = Renderer(body_model, supersample=1)(scene)
    assert np.array_equal(sample.image, picture.image) and sample.img_shape == (180, 120)
    people = sample.gt_instances
    vertices = body_model(people.pose, people.betas, people.transl).vertices
    pixels = project(vertices, sample.gt_camera.intrinsics)
    columns, rows = pixels.floor().long().unbind(-1)
    inside = (columns >= 0) & (columns < 120) & (rows >= 0) & (rows < 180)
    on_somebody = picture.id_map[rows[inside], columns[inside]] > 0
    assert inside.float().mean() > .5 and on_somebody.mean() > .95


@pytest.mark.parametrize('name', ['Hi4D', 'ThreeDPW'])
def test_genders(public_sets, name):
    _, scenes, reader = public_sets[name]
    for sample, scene in zip(reader, scenes):
        np.testing.assert_array_equal(sample.gt_instances.male_probs, scene.male)
    assert sum(int(scene.male.sum()) for scene in scenes) not in (0, sum(map(len, scenes)))


def test_mupots_joints_in_metres(public_sets, body_model):
    _, scenes, reader = public_sets['MuPoTS']
    for sample, scene in zip(reader, scenes):
        people = sample.gt_instances
        joints = body_model.regress(torch.as_tensor(scene.vertices), 'h36m17')
        np.testing.assert_allclose(people.keypoints_3d, joints, atol=1e-5)
        np.testing.assert_allclose(people.keypoints_2d, scene.project(joints), atol=1e-2)
        inside = ((people.keypoints_2d >= 0) & (people.keypoints_2d < torch.tensor([180, 120]))).all(-1)
        inside[0, 13] = False
        assert torch.equal(people.keypoints_2d_valid, inside) and people.keypoints_3d_valid.all()


def test_panoptic_joints_confidence_and_size(public_sets, body_model):
    _, scenes, reader = public_sets['Panoptic']
    for sample, scene in zip(reader, scenes):
        joints = body_model.regress(torch.as_tensor(scene.vertices), 'h36m17')
        np.testing.assert_allclose(sample.gt_instances.keypoints_3d, joints, atol=1e-5)
        confidence = scene.generator('confidence').uniform(.5, 1, 17)
        np.testing.assert_allclose(sample.gt_instances.keypoints_3d_valid, [confidence] * len(scene), rtol=1e-6)
        assert sample.ori_shape == scene.size


def test_relative_human_in_all_three_joint_orders(public_sets, body_model):
    _, scenes, reader = public_sets['RelativeHuman']
    for sample, scene in zip(reader, scenes):
        people, known = sample.gt_instances, len(scene)
        pixels = scene.project(body_model.regress(torch.as_tensor(scene.vertices), 'crowdpose14'))
        np.testing.assert_allclose(people.keypoints_2d[:known], pixels, atol=1e-2)
        inside = ((pixels >= 0) & (pixels < [180, 120])).all(-1)
        np.testing.assert_array_equal(people.keypoints_2d_valid, [*inside, [False] * 14])
        # The one without joints, of whom nothing is known.
        assert people.depth_layers[-1] == -1 and people.ages[-1].isnan() and people.male_probs[-1].isnan()
        np.testing.assert_array_equal(people.male_probs[:-1], scene.male)
        np.testing.assert_array_equal(np.digitize(people.ages[:-1], [3, 8, 15]), np.digitize(scene.ages, [3, 8, 15]))
        # A whole-body box is taken before that of what is visible.
        np.testing.assert_allclose(people.bboxes[0], people.bboxes[-1] + torch.tensor([-1, -1, 1, 1]))
        layers = people.depth_layers[:-1][np.argsort(scene.transl[:, 2])]
        assert (np.diff(layers[layers >= 0]) >= 0).all() and layers.max() > 0
