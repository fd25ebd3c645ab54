import dataclasses

import numpy as np
import pytest

from mmhuman_dto.synthetic import AgeErrors, DisparityErrors, InitialErrors, disparity, dto_sample
from mmhuman_dto.synthetic.corruption import ages_and_sexes, initial_meshes, rest_roots
from mmhuman_dto.synthetic.people import body_heights


def test_initial_meshes_without_errors_are_the_truth(body_model, scenes):
    for scene in scenes:
        initial = initial_meshes(scene, body_model, InitialErrors.none())
        assert np.abs(initial.pose - scene.pose).max() < 1e-9
        assert np.abs(initial.betas - scene.betas).max() < 1e-3
        assert np.abs(initial.transl - scene.transl).max() < 1e-4
        assert np.abs(initial.intrinsics - scene.intrinsics).max() < 1e-9


def test_wrong_height_and_focal_keep_the_size_in_the_picture(body_model, scenes):
    errors = dataclasses.replace(InitialErrors.none(), height_shrinkage=.8, child_shrinkage=1., focal_noise=.2)
    for scene in scenes:
        initial = initial_meshes(scene, body_model, errors)
        heights = body_heights(initial.betas, body_model)
        roots = initial.transl + rest_roots(initial.betas, body_model)
        true, focal, true_focal = scene.joints[:, 0], initial.intrinsics[1, 1], scene.intrinsics[1, 1]
        assert np.allclose(heights / roots[:, 2] * focal, scene.heights / true[:, 2] * true_focal, rtol=1e-4)
        pixels, true_pixels = roots[:, :2] / roots[:, 2:] * focal, true[:, :2] / true[:, 2:] * true_focal
        assert np.abs(pixels - true_pixels).max() < 1e-2


def test_children_are_taken_for_adults(body_model, scenes):
    wrong = []
    for scene in scenes:
        initial = initial_meshes(scene, body_model)
        assert not initial.betas[:, body_model.child_coefficient].any()
        heights = body_heights(initial.betas, body_model)
        wrong += list(heights[scene.ages < 8] / scene.heights[scene.ages < 8])
    assert len(wrong) >= 3 and min(wrong) > 1.15


def test_disparity_without_noise_is_affine_in_inverse_depth(scenes, pictures):
    for shift in (0., .1):
        errors = dataclasses.replace(DisparityErrors.none(), shift_noise=shift, scale_noise=.3)
        values = disparity(scenes[0], pictures[0], errors)
        seen = (pictures[0].depth > 0) & (values > 0)
        inverse = 1 / pictures[0].depth[seen].astype(float)
        slope, offset = np.polyfit(inverse, values[seen], 1)
        assert np.abs(slope * inverse + offset - values[seen]).max() < 1e-3 * slope * inverse.max()
        assert (abs(offset) < 1e-3 * slope) == (shift == 0)


def test_each_person_deviates_by_about_the_person_noise(scenes, pictures):
    errors = dataclasses.replace(DisparityErrors.none(), person_noise=.05)
    logs = []
    for scene, picture in zip(scenes, pictures):
        values = disparity(scene, picture, errors)
        for i in range(len(scene)):
            mine = picture.id_map == i + 1
            ratio = values[mine] * picture.depth[mine] / errors.scale
            assert np.ptp(ratio) < 1e-4  # one factor for the whole person
            logs.append(np.log(ratio.mean()))
        nobody = (picture.id_map == 0) & (picture.depth > 0)
        assert np.allclose(values[nobody] * picture.depth[nobody], errors.scale, rtol=1e-5)
    assert .02 < np.std(logs) < .09


def test_near_people_are_near_to_the_solver(scenes, pictures):
    """1 / disparity, which counts as far from 0.02 on, stays below for people within 12 m."""
    for scene, picture in zip(scenes, pictures):
        values = disparity(scene, picture)
        near = (picture.id_map > 0) & (picture.depth < 9)
        assert np.quantile(values[near], .02) > 50


def test_ages_and_sexes_are_guessed_well_but_not_exactly(scenes):
    ages, male = np.concatenate([ages_and_sexes(scene) for scene in scenes], 1)
    true_ages, true_male = (np.concatenate([getattr(scene, name) for scene in scenes]) for name in ('ages', 'male'))
    assert (ages != true_ages).all() and np.corrcoef(ages, true_ages)[0, 1] > .9
    assert ((male > .5) == true_male).mean() > .85
    exact, _ = ages_and_sexes(scenes[0], AgeErrors(age_noise=0))
    assert np.allclose(exact, scenes[0].ages)


@pytest.mark.parametrize('name', [field.name for field in dataclasses.fields(InitialErrors)])
def test_every_initial_error_does_something(name, body_model, scenes):
    errors = dataclasses.replace(InitialErrors.none(), **{name: .3})
    before, after = (initial_meshes(scenes[2], body_model, e) for e in (InitialErrors.none(), errors))
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(before, after))


@pytest.mark.parametrize('name', [field.name for field in dataclasses.fields(DisparityErrors) if field.name != 'scale'])
def test_every_disparity_error_does_something(name, scenes, pictures):
    errors = dataclasses.replace(DisparityErrors.none(), **{name: .05})
    before, after = (disparity(scenes[2], pictures[2], e) for e in (DisparityErrors.none(), errors))
    assert np.abs(after / np.maximum(before, 1e-3) - 1)[before > 0].max() > 1e-3


def test_dto_sample_has_what_dto_reads(body_model, scenes, pictures):
    sample = dto_sample(scenes[0], pictures[0], 'a.jpg', body_model)
    assert len(sample.pred_instances) == len(scenes[0])
    assert sample.pred_maps.disparity.shape == scenes[0].size == tuple(sample.pred_maps.id_map.shape)
    assert set(sample.pred_instances.keys()) == {'global_orient', 'body_pose', 'betas', 'transl', 'ages', 'male_probs'}
