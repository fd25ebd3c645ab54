"""Bodies that are only meshes are placed as bodies of a body model are, and grow about the camera."""
import numpy as np
import pytest
import torch

from mmhuman_dto.dto import DropReason, DTOOptimizer, DTOProblem, Posterior, PosteriorDTO
from mmhuman_dto.dto.bodies import FOOT_JOINTS, MeshBodies, ModelBodies, bodies_of
from mmhuman_dto.dto.drawing import draw_meshes
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene
from mmhuman_dto.synthetic.samples import dto_sample
from mmhuman_dto.visualization import Placement


@pytest.fixture(scope='module')
def openbody():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def crowds(openbody):
    """Two crowds with initial meshes of a per-person network and maps of a depth network."""
    renderer, samples = Renderer(openbody), []
    for seed in (3, 4):
        scene = sample_scene(seed, openbody, CrowdConfig(people=(4, 4), size=(240, 320), child_share=.6))
        samples.append(dto_sample(scene, renderer.maps(scene), str(seed), openbody))
    draw_meshes(samples, [sample.ori_shape for sample in samples], openbody)
    return samples


def as_meshes(sample, body_model):
    """The same people without parameters."""
    people = sample.pred_instances
    mesh = body_model(people.pose, people.betas, people.transl).vertices
    joints = body_model.skeleton(people.pose, people.betas, people.transl)
    new = sample.new()
    new.pred_instances = People(
        vertices=mesh, pelvis=joints[:, 0], smpl_joints=joints, heights=body_model.height(people.betas),
        ages=people.ages, male_probs=people.male_probs, visible_vertices=people.visible_vertices)
    return new


def place(samples, bodies, **solver):
    optimizer = DTOOptimizer(PosteriorDTO(**solver), evidence=dict(min_visible_vertices=50))
    return optimizer(samples, bodies, keep_dropped=True)


def test_meshes_come_where_the_same_bodies_by_parameters_come(crowds, openbody):
    placed = place(crowds, openbody)
    meshes = place([as_meshes(sample, openbody) for sample in crowds], MeshBodies(openbody.faces))
    for one, other, before in zip(placed, meshes, crowds):
        one, other, before = one.pred_instances, other.pred_instances, before.pred_instances
        assert (one.drop_reasons == other.drop_reasons).all()
        torch.testing.assert_close(one.depths_std, other.depths_std, rtol=1e-3, atol=1e-4, equal_nan=True)
        # Their distance grows as their height does. Betas step linearly, and children's x and y are shifted: a little.
        pelvis = openbody.skeleton(one.pose, one.betas, one.transl)[:, 0]
        torch.testing.assert_close(other.pelvis[:, 2], pelvis[:, 2], rtol=.02, atol=0.)
        torch.testing.assert_close(other.heights, openbody.height(before.betas) * other.mesh_scales)
        assert ((other.mesh_scales - 1).abs() > .05).any()


def test_a_scaled_mesh_looks_the_same_in_the_picture(crowds, openbody):
    before = as_meshes(crowds[0], openbody)
    after, = place([before], MeshBodies(openbody.faces), focal_std=0.)
    old, new, camera = before.pred_instances, after.pred_instances, before.pred_camera.intrinsics
    torch.testing.assert_close(project(new.vertices, camera), project(old.vertices, camera), rtol=1e-4, atol=.01)
    torch.testing.assert_close(new.vertices, old.vertices * new.mesh_scales[:, None, None], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(new.smpl_joints[:, 0], new.pelvis)


def test_translations_move_as_the_pelvis_does(crowds, openbody):
    before = as_meshes(crowds[0], openbody)
    before.pred_instances.transl = crowds[0].pred_instances.transl
    after, = place([before], MeshBodies(openbody.faces))
    old, new = before.pred_instances, after.pred_instances
    torch.testing.assert_close(new.transl - old.transl, new.pelvis - old.pelvis, rtol=1e-4, atol=1e-5)
    assert (new.transl - old.transl).norm(dim=-1).max() > .1


def test_another_focal_length_moves_meshes_as_wholes_along_their_axis(crowds, openbody):
    people = as_meshes(crowds[0], openbody).pred_instances
    one, count = torch.ones(len(people), dtype=torch.float64), len(people)
    moved = MeshBodies(openbody.faces).placed([people], one, one, torch.zeros(count), one * 1.25)
    shift = moved['vertices'] - people.vertices
    torch.testing.assert_close(shift[..., 2], (people.pelvis[:, 2:] * .25).expand(-1, shift.shape[1]), rtol=1e-4,
                               atol=1e-4)
    assert shift[..., :2].abs().max() < 1e-5
    assert (moved['mesh_scales'] == 1).all()


def test_without_joints_the_lowest_of_a_mesh_are_its_feet(crowds, openbody):
    whole = as_meshes(crowds[0], openbody)
    bare = whole.new()
    bare.pred_instances = whole.pred_instances[:]
    del bare.pred_instances.smpl_joints
    bodies = MeshBodies(openbody.faces)
    known, found = (bodies.measure([sample.pred_instances]) for sample in (whole, bare))
    balls = known.joints[:, FOOT_JOINTS]
    lower = balls[torch.arange(len(balls)), balls[..., 1].argmax(1)]
    assert ((found.joints[:, 10] - lower)[:, 1:].abs().amax(1) < .12 * known.heights).all()
    standing = known.leg_reach.amin(1) > .95
    assert standing.any() and (found.leg_reach[standing] > .85).all()
    placed, = place([bare], bodies)
    assert (placed.pred_instances.drop_reasons == DropReason.KEPT).any()
    assert placed.pred_instances.vertices.isfinite().all()


def test_a_mesh_on_its_back_does_not_stand():
    board = torch.tensor([[[0., 0, 3], [0, .2, 3], [0, 0, 4.7]]])
    people = People(vertices=board, pelvis=board[:, 0], heights=torch.tensor([1.7]))
    measures = MeshBodies([[0, 1, 2]]).measure([people])
    assert measures.leg_reach.max() < .2


def test_an_uncertain_height_makes_the_placed_height_uncertain(crowds, openbody):
    sure, unsure = as_meshes(crowds[0], openbody), as_meshes(crowds[0], openbody)
    unsure.pred_instances.sizes_std = torch.full((len(unsure.pred_instances), ), .1)
    sure, unsure = place([sure, unsure], MeshBodies(openbody.faces))
    kept = sure.pred_instances.drop_reasons == DropReason.KEPT
    assert (unsure.pred_instances.heights_std[kept] > sure.pred_instances.heights_std[kept]).all()


@pytest.mark.parametrize('change', ['vertices', 'pelvis', 'heights'])
def test_meshes_that_are_not_finite_stay_as_they_are_and_are_named(crowds, openbody, change):
    sample = as_meshes(crowds[0], openbody)
    sample.pred_instances[change][0] = torch.nan
    placed, = place([sample], MeshBodies(openbody.faces))
    assert placed.pred_instances.drop_reasons[0] == DropReason.BAD_MESH
    assert placed.pred_instances.vertices[1:].isfinite().all()


def test_nobody():
    sample = HumanDataSample(metainfo=dict(ori_shape=(120, 160)))
    sample.pred_instances = People(vertices=torch.zeros(0, 5, 3), pelvis=torch.zeros(0, 3), heights=torch.zeros(0))
    sample.pred_camera = Camera(intrinsics=torch.eye(3))
    placed, = place([sample], MeshBodies([[0, 1, 2]]), needs_depth=False)
    assert len(placed.pred_instances) == 0


def test_pictures_are_drawn_of_meshes(crowds, openbody):
    sample = as_meshes(crowds[0], openbody)
    mesh, model = Placement.from_sample(sample, MeshBodies(openbody.faces)), Placement.from_sample(crowds[0], openbody)
    np.testing.assert_allclose(mesh.vertices, model.vertices, atol=1e-6)
    np.testing.assert_allclose(mesh.heights, model.heights, atol=1e-6)


def test_a_body_model_becomes_bodies(openbody):
    assert isinstance(bodies_of(openbody), ModelBodies)
    meshes = MeshBodies(openbody.faces)
    assert bodies_of(meshes) is meshes


def test_the_leg_that_reaches_is_that_of_the_lower_foot(openbody):
    pose = torch.zeros(1, 24, 3)
    pose[0, 0, 0] = torch.pi  # upright before the camera
    pose[0, 2, 0] = -2.2  # the right thigh is lifted to the front
    transl, betas = torch.tensor([[0., 0., 3.]]), torch.zeros(1, 11)
    sample = HumanDataSample(metainfo=dict(ori_shape=(240, 320)))
    sample.pred_instances = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl)
    sample.pred_camera = Camera(intrinsics=torch.tensor([[200., 0, 160], [0, 200., 120], [0, 0, 1]]))
    left, right = ModelBodies(openbody).measure([sample.pred_instances]).leg_reach[0]
    assert left > .95 and right < .5
    problem = DTOProblem.from_samples([sample], openbody, depth='unused')
    assert problem.leg_reach[0, 0] == left


def test_who_is_nearer_is_known_or_said_not_to_be(crowds, openbody):
    mask = torch.tensor([[True, True, True, False]])
    spread = torch.diag(torch.tensor([.02, .2, .02, .02], dtype=torch.float64)**2)[None]
    posterior = Posterior(torch.tensor([[2., 2.2, 3., 2.]]).double(), torch.ones(1, 4), spread, torch.ones(1, 4),
                          torch.ones(1), {})
    nearer = posterior.order_probabilities[0]
    # .2 m apart, with standard deviations of .04 and .44 m.
    assert nearer[0, 1] == pytest.approx(.6747, abs=1e-3) and nearer[1, 0] == pytest.approx(.3253, abs=1e-3)
    assert posterior.unsure_pairs(mask).tolist() == [[0, 0, 1]]
    posterior.depth[0, 2] = 2.85  # .65 m and .444 m: 93 %
    assert posterior.unsure_pairs(mask).tolist() == [[0, 0, 1]]
    posterior.depth[0, 2] = 2.75  # 89 %
    assert posterior.unsure_pairs(mask).tolist() == [[0, 0, 1], [0, 1, 2]]


@pytest.mark.parametrize('keep_dropped', [True, False])
def test_pairs_are_of_rows_of_the_people_who_are_left(crowds, openbody, keep_dropped):
    sample = as_meshes(crowds[0], openbody)
    sample.pred_instances.heights[0] = torch.nan  # the first person cannot be placed
    optimizer = DTOOptimizer(PosteriorDTO(), evidence=dict(min_visible_vertices=50))
    result = optimizer.solve([sample], MeshBodies(openbody.faces))
    result.posterior.log_depth_covariance = torch.eye(result.problem.mask.shape[1])[None].double()
    placed, = result.apply([sample], MeshBodies(openbody.faces), keep_dropped)
    rows = {row for pair in placed.unsure_order for row in pair}
    left = result.problem.person_index[0][result.problem.mask[0]].tolist()
    assert 0 not in left and rows == set(left if keep_dropped else range(len(left)))
