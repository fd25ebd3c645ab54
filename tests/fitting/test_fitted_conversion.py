"""Bodies fitted to bodies: with known truth, where joints and surface ought to be, and what is said they are off by."""
import numpy as np
import pytest
import scipy.sparse
import torch
from disguised_smpl import write_disguised_smpl, write_mapping

from mmhuman_dto.body_models import SMPL, SMPLA, SMPLX, OpenBody
from mmhuman_dto.body_models.assets import read_mapping
from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fitting import MeshConversion, convert
from mmhuman_dto.fitting.posed import errors_between, pose_body
from mmhuman_dto.geometry import axis_angle_to_matrix, geodesic_distance
from mmhuman_dto.structures import People
from mmhuman_dto.synthetic.poses import random_poses


def crowd(body, count, child=None, seed=3):
    """People of a body in random poses, upright in front of a camera."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.from_numpy(random_poses(count, seed)).float()
    pose[:, 0] = torch.tensor([3.1, 0, 0]) + .3 * torch.randn(count, 3, generator=generator)
    betas = .7 * torch.randn(count, body.num_betas, generator=generator)
    if body.child_coefficient is not None:
        betas[:, body.child_coefficient] = torch.zeros(count) if child is None else torch.tensor(child)
    transl = torch.randn(count, 3, generator=generator) - torch.tensor([0., 0, 5])  # may be behind the camera
    return People(num_people=count, global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl,
                  ages=torch.arange(float(count)))


def posed(body, people):
    return pose_body(body, people.pose, people.betas, people.transl)


@pytest.fixture(scope='module')
def disguise(tmp_path_factory):
    folder = tmp_path_factory.mktemp('disguised')
    written = write_disguised_smpl(folder)
    return SMPL(folder), *written


def test_a_body_in_disguise_is_recognised(disguise):
    body, order, mixing = disguise
    source = OpenBody()
    people = crowd(source, 4)
    made, errors = convert(people, source, body)
    np.testing.assert_allclose(body.height(made.betas), source.height(people.betas), atol=2e-3)
    assert errors.joints.max() < 3 and errors.surface.mean() < 1.5 and errors.surface_max.max() < 40
    assert torch.equal(made.ages, people.ages) and made.betas.shape == (4, 10)
    away = (posed(body, made).vertices - posed(source, people).vertices[:, order]).norm(dim=-1)
    assert away.mean() < .006  # the same vertices, though nobody said which they are
    turned = geodesic_distance(axis_angle_to_matrix(made.pose), axis_angle_to_matrix(people.pose))
    assert turned.mean() < .05


def test_errors_are_those_of_the_bodies_that_are_given(disguise):
    body, *_ = disguise
    source = OpenBody()
    people = crowd(source, 3)
    made, errors = convert(people, source, body)
    again = errors_between(posed(body, made), posed(source, people))
    for one, other in zip(errors, again):
        torch.testing.assert_close(one, other)
    joints = 1000 * (posed(body, made).joints - posed(source, people).joints).norm(dim=-1)
    torch.testing.assert_close(errors.joints, joints.mean(1))
    torch.testing.assert_close(errors.joints_max, joints.amax(1))


@pytest.mark.parametrize('target, joints, surface', [('SMPL', 75, 25), ('SMPL+A', 75, 25)])
def test_a_fit_is_nearer_than_pose_and_height_alone(smpl_dir, target, joints, surface):
    """The synthetic SMPL is a doll of capsules: it cannot be OpenBody, only near it."""
    source, body = OpenBody(), SMPLA(smpl_dir) if target == 'SMPL+A' else SMPL(smpl_dir)
    people = crowd(source, 4, child=[0., .3, 0, .6] if target == 'SMPL+A' else None)
    errors = convert(people, source, body).errors
    quick = errors_between(posed(body, MeshConversion(source, body)(people)), posed(source, people))
    assert errors.joints.mean() < joints and errors.surface.mean() < surface
    assert errors.surface.mean() < .8 * quick.surface.mean() and errors.joints.mean() < quick.joints.mean()


def test_a_published_mapping_is_exact(smpl_dir, tmp_path):
    """Vertices in another order, and the matrix that says so: the same body is found, pose correctives and all."""
    source = SMPL(smpl_dir)
    order = np.random.default_rng(5).permutation(6890)
    target = permuted(smpl_dir, tmp_path, order)
    matrix = scipy.sparse.coo_matrix((np.ones(6890), (np.arange(6890), order)))
    mapping = read_mapping(write_mapping(tmp_path / 'smpl2smplx_deftrafo_setup.pkl', matrix), 6890, 6890)
    people = crowd(source, 1)
    made, errors = convert(people, source, target, mapping=mapping)
    assert errors.surface.max() < 1 and errors.surface_max.max() < 5 and errors.joints.max() < 2
    exact = torch.stack([mapping @ mesh for mesh in posed(source, people).vertices])
    torch.testing.assert_close(exact, posed(source, people).vertices[:, order])
    away = 1000 * (posed(target, made).vertices - exact).norm(dim=-1)
    torch.testing.assert_close(errors.surface, away.mean(1))


def permuted(smpl_dir, folder, order):
    """The synthetic SMPL with another order of vertices, as no body that shares its shapes."""
    class Other(SMPL):
        shape_space = None

    body = Other(smpl_dir)
    inverse = np.argsort(order)
    for name in ('template', 'shape_dirs', 'skin_weights', 'pose_dirs'):
        body._buffers[name] = body._buffers[name][..., order]
    body._buffers['faces'] = torch.from_numpy(inverse)[body.faces]
    body._buffers['joint_vertices'] = torch.from_numpy(inverse)[body.joint_vertices]
    return body


@pytest.mark.parametrize('shape', [(6890, 100), (10475, 6890)])
def test_a_mapping_of_other_bodies_is_refused(tmp_path, shape):
    path = write_mapping(tmp_path / 'smplx2smpl_deftrafo_setup.pkl', scipy.sparse.csr_matrix(shape))
    with pytest.raises(BrokenFileError, match='no key mtx of shape .6890, 10475. or twice as wide.*other direction'):
        read_mapping(path, 6890, 10475)


def test_shapes_that_mean_the_same_are_kept(smpl_dir):
    adult, child = SMPL(smpl_dir), SMPLA(smpl_dir)
    people = crowd(adult, 2)
    made, errors = convert(people, adult, child)
    torch.testing.assert_close(made.betas, torch.nn.functional.pad(people.betas, (0, 1)), atol=.05, rtol=0)
    assert errors.joints.max() < 1 and errors.surface.max() < 1
    grown = People(num_people=2, **{name: value for name, value in made.items() if name != 'betas'},
                   betas=torch.cat([people.betas, torch.tensor([[.4], [0]])], 1))
    torch.testing.assert_close(MeshConversion(child, child)(grown).betas, grown.betas)
    back = MeshConversion(child, adult)(made)
    torch.testing.assert_close(back.betas, made.betas[:, :10])


def test_whole_bodies_of_smplx_have_their_hands(smplx_dir):
    """Fingers, jaw and eyes of the same body keep their pose; SMPL's joints are found in it."""
    body = SMPLX(smplx_dir, whole_body=True)
    people = crowd(OpenBody(), 2)
    pose = torch.cat([people.pose[:, :22], .3 * torch.randn(2, 33, 3, generator=torch.Generator().manual_seed(0))], 1)
    rotations = body.bone_rotations(pose)
    torch.testing.assert_close(axis_angle_to_matrix(body.pose_of(rotations) + body.rest_pose), rotations, atol=1e-5,
                               rtol=0)
    plain = SMPLX(smplx_dir)
    given = plain.pose_of(plain.bone_rotations(people.pose))
    body_rotations = [axis_angle_to_matrix(turned[:, :22]) for turned in (given, people.pose)]
    torch.testing.assert_close(*body_rotations, atol=1e-5, rtol=0)
    assert not given[:, 22:].any()


def test_nobody():
    source = OpenBody()
    people = crowd(source, 1)[:0]
    made, errors = convert(people, source, OpenBody())
    assert len(made) == 0 and errors.joints.shape == (0, )


def test_other_poses_need_a_fit(smplx_dir):
    with pytest.raises(ValueError, match='OpenBody and SMPLX do not have the same pose: with fit=True'):
        MeshConversion(OpenBody(), SMPLX(smplx_dir, whole_body=True))


@pytest.mark.slow
def test_to_anny_and_back():
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    from mmhuman_dto.body_models import Anny
    source, anny = OpenBody(), Anny()
    people = crowd(source, 3, child=[0., .4, .7])
    made, errors = convert(people, source, anny)
    assert errors.joints.max() < 15 and errors.surface.max() < 6
    np.testing.assert_allclose(anny.height(made.betas), source.height(people.betas), rtol=.01)
    assert (made.betas >= 0).all() and (made.betas <= 1).all()
    back, errors = convert(made, anny, source)
    assert errors.joints.max() < 15 and errors.surface.max() < 6
    there, here = posed(source, people), posed(source, back)
    assert (there.joints - here.joints).norm(dim=-1).mean() < .015
    assert (back.betas[1:, 10] > .2).all() and back.betas[0, 10] < .1


def test_nobody_is_less_than_an_adult(smpl_dir):
    """A blend away from a child is no body: who would be nearest with one stays an adult, and is fitted as such."""
    source, target = OpenBody(), OpenBody()
    people = crowd(source, 2)
    people.betas[:, 10] = -.15
    made, errors = convert(people, source, target)
    assert (made.betas[:, 10] == 0).all() and errors.joints.mean() < 12
    np.testing.assert_allclose(target.height(made.betas), source.height(people.betas), rtol=.01)
