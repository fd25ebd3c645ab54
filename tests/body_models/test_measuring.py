"""Heights measured of posed bodies are true within what they state, and grow as the bodies do."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.body_models import OpenBody, measured_heights, measuring
from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.synthetic.poses import random_poses

NAMES = JOINT_SETS['smpl24'].names
LIMBS = [row for row, name in enumerate(NAMES) if name.split('_')[-1] in ('hip', 'knee', 'ankle', 'shoulder', 'elbow',
                                                                         'wrist')]


@pytest.fixture(scope='module')
def bodies():
    """Joints, vertices, faces, heights of 200 bodies, half of them children, whose shapes and poses are others."""
    model, rng = OpenBody(), np.random.default_rng(77)
    betas = rng.normal(0, 1, (200, 11))
    betas[:, 10] = np.where(np.arange(200) < 100, 0, rng.uniform(0, 1, 200))
    betas = torch.from_numpy(betas).float()
    poses = torch.from_numpy(random_poses(200, 78, noise=12., swapped=.3)).float()
    with torch.no_grad():
        output = model(poses, betas, torch.tensor([1., 2, 5]))
        return output.joints[:, :24], output.vertices, model.faces, model.height(betas).numpy()


def what_is_known(case, joints, vertices, faces):
    if case == 'limbs':
        joints = joints.clone()
        joints[:, [row for row in range(24) if row not in LIMBS]] = torch.nan
    return {'bones': (joints, ), 'limbs': (joints, ), 'surface': (None, vertices, faces),
            'both': (joints, vertices, faces)}[case]


@pytest.mark.parametrize('case, error', [('bones', .015), ('limbs', .02), ('surface', .03), ('both', .015)])
def test_true_within_what_is_stated(bodies, monkeypatch, case, error):
    *body, true = bodies
    known = what_is_known(case, *body)
    heights, stds = (value.numpy() for value in measured_heights(*known))
    for group in (slice(100), slice(100, None)):
        assert np.abs(heights / true - 1)[group].mean() < error
        assert (np.abs(heights - true) < 1.645 * stds)[group].mean() > .9
    # Without the allowance for other bodies, 90 % intervals have about 90 % of OpenBody's.
    own = measuring.population()
    monkeypatch.setattr(measuring, 'population', lambda: own._replace(topology=0 * own.topology))
    heights, stds = (value.numpy() for value in measured_heights(*known))
    inside = np.abs(heights - true) < 1.645 * stds
    assert .85 < inside[100:].mean() < .99 and inside[:100].mean() > .85


def test_stated_by_what_is_known(bodies):
    joints, vertices, faces, _ = bodies
    stated = {case: (lambda heights, stds: float((stds / heights).mean()))(*measured_heights(
        *what_is_known(case, joints, vertices, faces))) for case in ('bones', 'limbs', 'surface', 'both')}
    assert stated['both'] < stated['bones'] < stated['limbs'] < stated['surface']
    assert stated['both'] > .03 and stated['surface'] < .07


def test_the_pose_hardly_matters(bodies):
    model = OpenBody()
    betas = torch.zeros(1, 11).expand(20, 11)
    poses = torch.from_numpy(random_poses(20, 5)).float()
    with torch.no_grad():
        output = model(poses, betas)
    for known in ((output.joints[:, :24], ), (None, output.vertices, model.faces)):
        heights, _ = measured_heights(*known)
        assert heights.std() / heights.mean() < .015
    assert abs(measured_heights(output.joints[:, :24])[0].mean() / model.height(betas)[0] - 1) < .01


@settings(max_examples=25, deadline=None)
@given(factor=st.floats(1e-3, 1e3), row=st.integers(0, 199), case=st.sampled_from(['bones', 'limbs', 'both']))
def test_a_body_k_times_as_large_is_k_times_as_tall(bodies, factor, row, case):
    joints, vertices, faces, _ = bodies
    known = what_is_known(case, joints[row:row + 1].double(), vertices[row:row + 1].double(), faces)
    larger = [value if value is None or value is faces else value * factor for value in known]
    for one, other in zip(measured_heights(*known), measured_heights(*larger)):
        np.testing.assert_allclose(other, one * factor, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(row=st.integers(0, 199), shift=st.lists(st.floats(-50, 50), min_size=3, max_size=3), seed=st.integers(0, 99))
def test_places_and_turns_do_not_matter(bodies, row, shift, seed):
    joints, vertices, faces, _ = bodies
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)).double())[0]
    joints, vertices = joints[row:row + 1].double(), vertices[row:row + 1].double()
    moved = (joints @ turn + torch.tensor(shift).double(), vertices @ turn + torch.tensor(shift).double(), faces)
    np.testing.assert_allclose(measured_heights(*moved)[0], measured_heights(joints, vertices, faces)[0], rtol=1e-5)


def test_who_is_not_known_is_nan_and_changes_nobody_else(bodies):
    joints = bodies[0][:3].clone()
    alone = measured_heights(joints)[0]
    joints[1] = torch.nan
    heights, stds = measured_heights(joints)
    assert torch.isnan(heights[1]) and torch.isnan(stds[1])
    assert torch.equal(heights[[0, 2]], alone[[0, 2]])
    joints[:] = joints[0, 0]  # all in one point
    assert torch.isnan(measured_heights(joints)[0]).all()
    assert torch.isnan(measured_heights(None, bodies[1][:2])[0]).all()  # a surface without faces
    assert measured_heights(joints[:0])[0].shape == (0, )


def test_one_side_is_enough(bodies):
    joints = bodies[0][:5].clone()
    joints[:, [row for row, name in enumerate(NAMES) if name.startswith('right')]] = torch.nan
    heights, _ = measured_heights(joints)
    np.testing.assert_allclose(heights, bodies[3][:5], rtol=.03)


def test_takes_arrays(bodies):
    joints, vertices, faces, _ = bodies
    heights, _ = measured_heights(joints[:2].numpy(), vertices[:2].numpy(), faces.numpy())
    assert torch.equal(heights, measured_heights(joints[:2], vertices[:2], faces)[0])


@pytest.mark.parametrize('arguments, message', [
    ((), 'joints .* or of both'), ((torch.zeros(2, 17, 3), ), r'joints .* \(2, 17, 3\), expected \(M, 24, 3\)'),
    ((None, torch.zeros(5, 3)), r'vertices .* \(5, 3\), expected')])
def test_other_shapes(arguments, message):
    with pytest.raises(ValueError, match=message):
        measured_heights(*arguments)
