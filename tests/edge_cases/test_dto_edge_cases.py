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


def every_third(value):
    """Spoils some pixels of the depth map."""
    return lambda sample: sample.pred_maps.disparity[::3, ::5].fill_(value)


def person(row, column, value, field='transl'):
    return lambda sample: sample.pred_instances[field][row, column].fill_(value)


def against(maps):
    """The nearest mesh is the farthest in the depth map."""
    maps.disparity = torch.where(maps.z_map > 0, 20 * maps.z_map, 1.0)


def one_pixel(maps):
    maps.id_map = maps.id_map * 0
    maps.id_map[10, 5], maps.id_map[10, 45], maps.id_map[10, 90] = 1, 2, 3


KEPT, ODD = DropReason.KEPT, (math.nan, math.inf, -math.inf)
#: Name, what the scene is made with, what is spoilt then, and why people are dropped.
CASES = [
    *((f'depth map of {value}', dict(disparity=torch.full(SIZE, value)), None, [DropReason.NO_DEPTH] * 3)
      for value in (0.0, -1.0, *ODD)),
    ('depth map of 50', dict(disparity=torch.full(SIZE, 50.0)), None, [DropReason.DEPTH_OUTLIERS] * 3),
    *((f'depth map with some {value}', {}, every_third(value), [KEPT] * 3) for value in (0.0, 1e-38, 1e38, *ODD)),
    ('mesh that is not finite', {}, person(1, 0, math.nan), [KEPT, DropReason.BAD_MESH, KEPT]),
    *((f'mesh at z = {z}', {}, person(2, 2, z), [KEPT, KEPT, DropReason.BAD_MESH]) for z in (-4.0, 0.0, -1e-3)),
    ('one-pixel masks', {}, lambda sample: one_pixel(sample.pred_maps), [DropReason.TOO_FEW_PIXELS] * 3),
    # No depth is strictly between the quartile fences.
    ('everybody flat', dict(relief=0.0), None, [DropReason.DEPTH_OUTLIERS] * 3),
    ('depth against the meshes', {}, lambda sample: against(sample.pred_maps), [KEPT] * 3),
    ('everyone 100 km away', dict(depths=[1e5, 2e5, 1.5e5]), None, [KEPT] * 3),
    *((str(dtype), dict(dtype=dtype), None, [KEPT] * 3) for dtype in (torch.float16, torch.bfloat16, torch.float64)),
    *((f'field of view of {degrees}', dict(focal=SIZE[0] / 2 / math.tan(math.radians(degrees) / 2)), None, [KEPT] * 3)
      for degrees in (1, 179)),
    *((f'ages {ages}', dict(ages=torch.tensor(ages), male_probs=torch.tensor(males)), None, [KEPT] * 3)
      for ages, males in (([math.nan] * 3, [math.nan] * 3), ([0.0, 200.0, -5.0], [0.0, 1.0, 0.5]),
                          ([math.inf, -math.inf, 1e30], [2.0, -1.0, math.inf]))),
    *((f'betas of {first}', {}, person(slice(None), 0, first, 'betas'), [KEPT] * 3) for first in (-8.0, 8.0)),
]


@pytest.mark.parametrize('solver', SOLVERS, ids=NAMES)
class TestBothSolvers:
    @pytest.mark.parametrize('made, spoil, reasons', [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_odd_scenes(self, body_model, solver, made, spoil, reasons):
        sample = scene(**{'depths': [3.0, 4.0, 6.0], **made})
        if spoil is not None:
            spoil(sample)
        problem, _, placed = place(sample, body_model, solver)
        assert problem.drop_reasons[0].tolist() == reasons
        assert placed.pred_instances.person_index.tolist() == [i for i in range(3) if reasons[i] == KEPT]

    def test_meshes_without_relief_do_not_correlate(self, body_model, solver):
        sample = scene([3.0, 4.0, 6.0])
        sample.pred_maps.z_map = scene([3.0, 4.0, 6.0], relief=0.0).pred_maps.z_map
        problem, _, _ = place(sample, body_model, solver)
        assert (problem.correlation[problem.mask] == 0).all() and (problem.slope[problem.mask].abs() < 1e-9).all()
        assert problem.mask.sum() == 3

    @pytest.mark.parametrize('count', [2, 4])
    def test_people_at_the_same_depth(self, body_model, solver, count):
        _, result, _ = place(scene([4.0] * count), body_model, solver)
        torch.testing.assert_close(result.scale, result.scale[:, :1].expand_as(result.scale), rtol=1e-4, atol=1e-4)

    def test_identical_people_on_the_same_pixels_depth(self, body_model, solver):
        sample = scene([4.0, 4.0, 4.0])
        sample.pred_instances.transl = sample.pred_instances.transl[[0, 0, 0]]
        _, _, placed = place(sample, body_model, solver)
        assert placed.pred_instances.transl[:, 2].std() < 1e-4

    @pytest.mark.parametrize('count', [0, 1])
    def test_nobody_and_one_person(self, body_model, solver, count):
        _, result, placed = place(scene([4.0] * count), body_model, solver)
        assert len(placed.pred_instances) == count and not placed.optimised
        if count == 0 or isinstance(solver, PaperDTO):
            assert result.scale.eq(1).all() and placed.height_deviation == 0


def test_one_pixel_is_evidence_if_asked_for():
    maps = scene([3.0, 4.0, 6.0]).pred_maps
    one_pixel(maps)
    found = EvidenceExtractor(min_area=0)([maps], [torch.full((3,), 3000)])
    assert all(torch.isfinite(field[found.reason == 0]).all() for field in found)
