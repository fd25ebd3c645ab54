"""DTO where its formulas divide by nothing: every result is finite, and what it is stands in docs/edge_cases.md."""

import math

import pytest
import torch

from mmhuman_dto.dto import DropReason, DTOOptimizer, EvidenceExtractor, PaperDTO, PosteriorDTO
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People

SIZE = 48, 120
SOLVERS = [PaperDTO(), PaperDTO(slope_bound=False), PosteriorDTO()]
NAMES = ['paper', 'paper-unbounded', 'posterior']


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


def scene(depths, focal=120.0, disparity=None, seen=3000, dtype=torch.float32, relief=0.02, **fields):
    """People side by side, standing, z of the pelvis in m; each shows a rectangle of pixels as deep as it is."""
    depths = torch.tensor(depths)
    count = len(depths)
    pose = torch.zeros(count, 24, 3)
    pose[:, 0, 0] = math.pi
    transl = torch.stack([torch.linspace(-1, 1, max(count, 1))[:count], torch.zeros(count), depths], 1)
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.zeros(count, 11), transl=transl,
                    visible_vertices=torch.full((count,), seen), **fields)
    ids, z = torch.zeros(SIZE, dtype=torch.int32), torch.zeros(SIZE)
    for person in range(count):
        left = 2 + person * (SIZE[1] // count)
        columns = torch.arange(SIZE[1] // count - 4)
        ids[4:44, left + columns], z[4:44, left + columns] = person + 1, depths[person] + relief * torch.sin(columns)
    shown = torch.where(z > 0, 200 / z.clamp(min=1e-6), 1.0) if disparity is None else disparity
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=SIZE, img_shape=SIZE))
    sample.pred_instances = people
    sample.pred_camera = Camera(intrinsics=torch.tensor([[focal, 0, 60], [0, focal, 24], [0, 0, 1]]))
    sample.pred_maps = Maps(disparity=torch.as_tensor(shown).expand(SIZE).to(dtype), id_map=ids, z_map=z.to(dtype))
    return sample


def place(sample, body_model, solver):
    """The problem, the result and the placed sample; whatever is stated is finite."""
    result = DTOOptimizer(solver).solve([sample], body_model)
    for name in ('scale', 'deviation', 'alpha', 'beta', 'focal_scale'):
        value = getattr(result, name)
        assert value is None or torch.isfinite(value).all(), name
    (placed,) = result.apply([sample], body_model)
    people = placed.pred_instances
    for name in ('transl', 'betas', 'heights', 'depths_std', 'heights_std'):
        assert name not in people or torch.isfinite(people[name]).all(), name
    assert math.isfinite(placed.height_deviation) and torch.isfinite(placed.pred_camera.intrinsics).all()
    assert (people.transl[:, 2] > 0).all()
    return result.problem, result, placed


@pytest.mark.parametrize('solver', SOLVERS, ids=NAMES)
class TestBothSolvers:
    @pytest.mark.parametrize('depths', [[4.0, 4.0], [4.0, 4.0, 4.0, 4.0]])
    def test_two_people_at_the_same_depth(self, body_model, solver, depths):
        _, result, placed = place(scene(depths), body_model, solver)
        torch.testing.assert_close(result.scale, result.scale[:, :1].expand_as(result.scale), rtol=1e-4, atol=1e-4)

    def test_identical_people_on_the_same_pixels_depth(self, body_model, solver):
        sample = scene([4.0, 4.0, 4.0])
        sample.pred_instances.transl = sample.pred_instances.transl[[0, 0, 0]]
        _, _, placed = place(sample, body_model, solver)
        assert placed.pred_instances.transl[:, 2].std() < 1e-4

    def test_one_person(self, body_model, solver):
        _, result, placed = place(scene([4.0]), body_model, solver)
        assert not placed.optimised
        if isinstance(solver, PaperDTO):
            assert result.scale.item() == 1 and placed.height_deviation == 0

    def test_empty_scene(self, body_model, solver):
        _, _, placed = place(scene([]), body_model, solver)
        assert len(placed.pred_instances) == 0 and not placed.optimised and placed.height_deviation == 0

    def test_everyone_very_far(self, body_model, solver):
        """Meshes 100 km away, a depth map that says so."""
        _, _, placed = place(scene([1e5, 2e5, 1.5e5]), body_model, solver)
        assert len(placed.pred_instances) == 3

    @pytest.mark.parametrize('value', [0.0, math.nan, math.inf, -math.inf, -1.0, 50.0])
    def test_depth_map_of_one_value(self, body_model, solver, value):
        """It says nothing: nobody has evidence, nobody moves."""
        problem, _, placed = place(scene([4.0, 6.0], disparity=torch.full(SIZE, value)), body_model, solver)
        reason = DropReason.DEPTH_OUTLIERS if value == 50 else DropReason.NO_DEPTH
        assert problem.drop_reasons[0].tolist() == [reason] * 2 and len(placed.pred_instances) == 0

    @pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, 0.0, 1e-38, 1e38])
    def test_depth_map_with_some_odd_values(self, body_model, solver, value):
        sample = scene([4.0, 6.0, 5.0])
        sample.pred_maps.disparity[::3, ::5] = value
        place(sample, body_model, solver)

    def test_mesh_that_is_not_finite(self, body_model, solver):
        sample = scene([4.0, 6.0, 5.0])
        sample.pred_instances.transl[1, 0] = math.nan
        problem, _, placed = place(sample, body_model, solver)
        assert problem.drop_reasons[0].tolist() == [0, DropReason.BAD_MESH, 0]
        assert placed.pred_instances.person_index.tolist() == [0, 2]

    @pytest.mark.parametrize('z', [-4.0, 0.0, -1e-3])
    def test_mesh_behind_the_camera(self, body_model, solver, z):
        sample = scene([4.0, 6.0, 5.0])
        sample.pred_instances.transl[2, 2] = z
        problem, _, _ = place(sample, body_model, solver)
        assert problem.drop_reasons[0].tolist() == [0, 0, DropReason.BAD_MESH]

    def test_one_pixel_masks(self, body_model, solver):
        sample = scene([4.0, 6.0])
        sample.pred_maps.id_map = sample.pred_maps.id_map * 0
        sample.pred_maps.id_map[10, 5], sample.pred_maps.id_map[10, 70] = 1, 2
        problem, _, placed = place(sample, body_model, solver)
        assert problem.drop_reasons[0].tolist() == [DropReason.TOO_FEW_PIXELS] * 2
        evidence = EvidenceExtractor(min_area=0)
        found = evidence([sample.pred_maps], [sample.pred_instances.visible_vertices])
        assert all(torch.isfinite(field[found.reason == 0]).all() for field in found)

    def test_zero_variance_within_people(self, body_model, solver):
        """Every person flat and equally deep all over: no depth is strictly between the quartile fences."""
        problem, _, placed = place(scene([3.0, 4.0, 6.0], relief=0.0), body_model, solver)
        assert problem.drop_reasons[0].tolist() == [DropReason.DEPTH_OUTLIERS] * 3 and len(placed.pred_instances) == 0

    def test_zero_variance_of_the_meshes_alone(self, body_model, solver):
        sample = scene([3.0, 4.0, 6.0])
        sample.pred_maps.z_map = scene([3.0, 4.0, 6.0], relief=0.0).pred_maps.z_map
        problem, _, _ = place(sample, body_model, solver)
        assert (problem.correlation[problem.mask] == 0).all() and problem.mask.sum() == 3

    def test_depth_against_the_meshes(self, body_model, solver):
        """The nearest mesh is the farthest in the depth map."""
        sample = scene([3.0, 4.0, 6.0])
        sample.pred_maps.disparity = torch.where(sample.pred_maps.z_map > 0, 20 * sample.pred_maps.z_map, 1.0)
        place(sample, body_model, solver)

    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
    def test_other_precisions(self, body_model, solver, dtype):
        _, _, placed = place(scene([3.0, 4.0, 6.0], dtype=dtype), body_model, solver)
        assert len(placed.pred_instances) == 3

    @pytest.mark.parametrize('degrees', [1.0, 179.0])
    def test_extreme_field_of_view(self, body_model, solver, degrees):
        focal = SIZE[0] / 2 / math.tan(math.radians(degrees) / 2)
        place(scene([3.0, 4.0, 6.0], focal=focal), body_model, solver)

    @pytest.mark.parametrize('ages, males', [
        ([math.nan] * 3, [math.nan] * 3), ([0.0, 200.0, -5.0], [0.0, 1.0, 0.5]),
        ([math.inf, -math.inf, 1e30], [2.0, -1.0, math.inf])])
    def test_odd_ages(self, body_model, solver, ages, males):
        sample = scene([3.0, 4.0, 6.0], ages=torch.tensor(ages), male_probs=torch.tensor(males))
        place(sample, body_model, solver)

    @pytest.mark.parametrize('first', [-8.0, 8.0])
    def test_giants_and_dwarfs(self, body_model, solver, first):
        sample = scene([3.0, 4.0, 6.0])
        sample.pred_instances.betas[:, 0] = first
        place(sample, body_model, solver)
