import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from mmhuman_dto.geometry import project
from mmhuman_dto.synthetic import CrowdConfig, sample_scene, visible_share
from mmhuman_dto.synthetic.layout import GAP
from mmhuman_dto.synthetic.people import CLASSES, betas_for_people, body_heights
from mmhuman_dto.synthetic.poses import POSES


def tensor(value):
    return torch.as_tensor(value, dtype=torch.float32)


def test_truth_parameters_give_the_truth_vertices(body_model, scenes):
    for scene in scenes:
        out = body_model(tensor(scene.pose), tensor(scene.betas), tensor(scene.transl))
        assert np.abs(out.vertices.numpy() - scene.vertices).max() < 2e-4
        assert np.abs(out.joints.numpy() - scene.joints).max() < 2e-4


def test_heights_are_exactly_those_asked_for(body_model, scenes):
    for scene in scenes:
        assert np.abs(body_heights(scene.betas, body_model) - scene.heights).max() < 2e-5


@pytest.mark.parametrize('name', list(CLASSES))
def test_every_age_class_reaches_its_heights(name, body_model):
    (low, high), mean, std = CLASSES[name]
    heights = mean + std * np.linspace(-2, 2, 9)
    ages, betas = np.full(9, (low + high) / 2 - .01), np.zeros((9, body_model.num_betas))
    betas = betas_for_people(heights, ages, betas, body_model)
    assert np.abs(body_heights(betas, body_model) - heights).max() < 2e-5
    children = betas[:, body_model.child_coefficient]
    assert (children == 0).all() if low >= 15 else (children >= 0).all()
    # Children are short by child proportions, not by a shrunk adult body.
    assert np.abs(betas[heights < 1.4, 0]).max(initial=0) < 1e-4


def test_everybody_touches_the_ground_and_nobody_goes_through_it(scenes):
    for scene in scenes:
        assert np.abs(scene.ground.above(scene.vertices.astype(float)).min(1)).max() < 1e-3


def test_both_planted_feet_reach_sloping_ground(body_model):
    config, gaps = CrowdConfig(max_slope=6.), []
    for index in range(4):
        scene = sample_scene(index, body_model, config, seed=3)
        both = [POSES[name].planted == 'lr' and POSES[name].seat is None for name in scene.pose_names]
        ankles = scene.ground.above(scene.joints[:, [7, 8]])[both]
        gaps += list(np.ptp(ankles, axis=1))
    assert len(gaps) >= 10 and max(gaps) < .02


def test_people_keep_apart(scenes):
    for scene in scenes:
        trees = [cKDTree(mesh) for mesh in scene.vertices]
        for i in range(len(scene)):
            for j in range(i):
                nearest = trees[i].query(scene.vertices[j], distance_upper_bound=1.)[0].min()
                assert nearest >= GAP - 1e-4


def test_people_are_within_reach_of_the_configuration(scenes):
    for scene in scenes:
        assert 2 <= len(scene) <= 12
        assert 20 <= np.degrees(scene.fov) <= 100
        assert np.degrees(np.arccos(scene.ground.normal @ scene.up)) <= 6 + 1e-6
        pixels = project(tensor(scene.joints[:, :24]), tensor(scene.intrinsics)).numpy()
        inside = ((pixels >= 0) & (pixels <= [360, 240])).all(-1)
        assert inside.mean(1).min() >= .8 - 1e-6


def test_hidden_people_are_left_out(body_model):
    config = CrowdConfig(size=(240, 360), people=(8, 12), min_visible=.4)
    for index in range(3):
        scene = sample_scene(index, body_model, config)
        # The layout looks at a smaller picture, so by a little less than asked.
        assert visible_share(scene, body_model.faces).min() > .3


def test_visible_share_counts_what_others_hide(body_model, scenes):
    scene = scenes[0]
    share = visible_share(scene, body_model.faces)
    assert (share > 0).all() and (share <= 1).all()
    for i in range(len(scene)):
        assert visible_share(scene.keep([i]), body_model.faces)[0] == 1
    nearest = scene.joints[:, 0, 2].argmin()
    hidden = np.flatnonzero(share < .9)
    assert len(hidden) and nearest not in hidden
    # Without those in front of it, a hidden person is seen whole.
    behind = hidden[scene.joints[hidden, 0, 2].argmax()]
    farther = np.append(np.flatnonzero(scene.joints[:, 0, 2] > scene.joints[behind, 0, 2] + .5), behind)
    assert visible_share(scene.keep(farther), body_model.faces)[-1] > share[behind]


def test_the_same_seed_gives_the_same_scene(body_model, scenes):
    again = sample_scene(2, body_model, CrowdConfig(size=(240, 360)), seed=7)
    other = sample_scene(2, body_model, CrowdConfig(size=(240, 360)), seed=8)
    for name in ('pose', 'betas', 'transl', 'vertices', 'intrinsics'):
        assert np.array_equal(getattr(again, name), getattr(scenes[2], name))
    assert other.intrinsics[0, 0] != again.intrinsics[0, 0]


def test_child_share_is_obeyed(body_model):
    for share, low, high in ((0., 0, 0), (1., 1, 1)):
        scene = sample_scene(0, body_model, CrowdConfig(child_share=share))
        assert low <= (scene.ages < 15).mean() <= high


def test_a_body_without_children_is_refused(body_model):
    class Adults:
        child_coefficient, num_betas = None, 10
    with pytest.raises(ValueError, match='no child coefficient'):
        betas_for_people(np.array([1.2]), np.array([8.]), np.zeros((1, 10)), Adults())


def test_the_first_row_is_as_large_and_the_last_as_far_as_asked_for(body_model):
    config = CrowdConfig(size=(200, 300), people=(3, 5), fov=(50., 50.), first_row=(.5, .5), depth_range=(1.2, 1.2),
                         max_slope=0., grouped=0., far_share=0.)
    focal = 100 / np.tan(np.radians(25))
    for index in range(4):
        scene = sample_scene(index, body_model, config, seed=4)
        stage = scene.joints[:, 0] @ scene.rotation  # z towards the viewer
        near = max(1.7 * focal / 100, .6 * scene.ground.height)
        assert len(scene) and (-stage[:, 2] > near - .5).all() and (-stage[:, 2] < 1.2 * near + .5).all()
