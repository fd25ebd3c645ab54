"""From samples to a problem and from its solution back to samples, with a body whose height is known by hand."""
import dataclasses

import numpy as np
import pytest
import torch
from dto_reference import move_person
from stick_people import FOCAL, SIZE, StickBody, make_sample

from mmhuman_dto.dto import DropReason, DTOOptimizer, DTOProblem, DTOResult, HeightPrior, PaperDTO, PosteriorDTO
from mmhuman_dto.dto.moving import move_people
from mmhuman_dto.geometry import project
from mmhuman_dto.stages import OptimiseTranslations
from mmhuman_dto.stages.base import Context, StageError
from mmhuman_dto.structures import Maps, People


def run(*samples, **kwargs):
    result = DTOOptimizer(PaperDTO(), **kwargs).solve(list(samples), StickBody())
    return result.problem, result.apply(list(samples), StickBody())


def test_people_come_to_the_depth_that_makes_their_heights_likely():
    # The middle one's mesh is 1.955 m tall and too far by 15 %; depth says so.
    sample = make_sample(z=(3., 4.6, 5.), distance=(3., 4., 5.), betas=[[0., 0.], [5.1, 0.], [0., 0.]])
    _, (placed, ) = run(sample)
    people = placed.pred_instances
    assert abs(people.transl[1, 2] - 4) < .25
    assert abs(people.heights[1] - 1.7) < .1
    torch.testing.assert_close(people.transl[:, 0] / people.transl[:, 2], sample.pred_instances.transl[:, 0] /
                               sample.pred_instances.transl[:, 2])
    torch.testing.assert_close(people.heights, StickBody().height(people.betas))
    assert placed.optimised is True
    assert 0 <= placed.height_deviation < 1
    assert placed.img_path == 'a.jpg'


def test_dropped_people_leave_and_rows_remember_where_they_came_from():
    visible = torch.tensor([1000, 10, 1000])
    problem, (placed, other) = run(make_sample(visible_vertices=visible), make_sample(z=(3., 4.)))
    assert problem.mask.tolist() == [[True, True], [True, True]]
    assert placed.pred_instances.person_index.tolist() == [0, 2]
    assert [reasons.tolist() for reasons in problem.drop_reasons] == [
        [DropReason.KEPT, DropReason.TOO_FEW_VISIBLE_VERTICES, DropReason.KEPT], [DropReason.KEPT] * 2]
    assert len(placed.pred_instances) == len(placed.pred_instances.ages) == 2
    assert other.pred_instances.person_index.tolist() == [0, 1]


@pytest.mark.parametrize('change', [
    dict(betas=torch.tensor([[0., 0], [torch.nan, 0], [0, 0]])),
    dict(betas=torch.tensor([[0., 0], [0, 3], [0, 0]])),
], ids=['nan betas', 'negative height'])
def test_bad_meshes_are_dropped(change):
    sample = make_sample()
    for name, value in change.items():
        sample.pred_instances.set_field(value, name)
    problem, (placed, ) = run(sample)
    assert problem.drop_reasons[0].tolist() == [DropReason.KEPT, DropReason.BAD_MESH, DropReason.KEPT]
    assert placed.pred_instances.transl.isfinite().all()


def test_nobody_and_nobody_left():
    gone = make_sample(visible_vertices=torch.zeros(3, dtype=torch.long))
    empty = make_sample(z=())
    bare = make_sample(z=())
    bare.pred_instances = People(num_people=0)
    for samples in ([gone], [empty], [bare], [empty, make_sample(), gone, bare]):
        _, placed = run(*samples)
        assert [len(p.pred_instances) for p in placed] == ([0] if len(samples) == 1 else [0, 3, 0, 0])
        assert not placed[0].optimised
        assert placed[0].height_deviation == 0


def test_unknown_ages_and_genders_are_neutral_adults():
    sample = make_sample()
    del sample.pred_instances.ages, sample.pred_instances.male_probs
    problem, _ = run(sample)
    assert problem.height_class.tolist() == [[5, 5, 5]]


def test_missing_field_is_named():
    sample = make_sample()
    del sample.pred_instances.transl
    with pytest.raises(ValueError, match="'transl' of pred_instances"):
        run(sample)


def test_prior_is_used():
    problem, _ = run(make_sample(ages=torch.tensor([1., 5., 30.])), prior=HeightPrior(use_age=False))
    assert problem.height_class.tolist() == [[5, 5, 5]]


def test_apparent_size():
    problem, _ = run(make_sample())
    np.testing.assert_allclose(problem.apparent_size[0], 2 * FOCAL / SIZE / np.array([3, 4, 5]))


def test_half_precision_inputs():
    sample = make_sample(z=(3., 4.6, 5.), distance=(3., 4., 5.), dtype=torch.float16)
    _, (placed, ) = run(sample)
    _, (exact, ) = run(make_sample(z=(3., 4.6, 5.), distance=(3., 4., 5.)))
    torch.testing.assert_close(placed.pred_instances.transl, exact.pred_instances.transl, rtol=0, atol=.02)


def test_numpy_maps_and_people():
    sample = make_sample(z=(3., 4.6, 5.), distance=(3., 4., 5.))
    _, (want, ) = run(sample)
    people, maps = sample.pred_instances, sample.pred_maps
    sample.pred_instances = People(**{name: value.numpy() for name, value in people.items()})
    sample.pred_maps = Maps(**{name: value.numpy() for name, value in maps.items()})
    _, (placed, ) = run(sample)
    assert torch.equal(placed.pred_instances.transl, want.pred_instances.transl)


class ArrayBody:
    """StickBody for one person in numpy."""

    def height(self, betas):
        return float(StickBody().height(self._two(betas)))

    def joints(self, pose, betas, transl):
        return StickBody().skeleton(torch.from_numpy(pose), self._two(betas), torch.from_numpy(transl)).numpy()

    @staticmethod
    def _two(betas):
        return torch.from_numpy(np.asarray(betas)[[0, 10]])


def test_update_agrees_with_reference():
    rng = np.random.default_rng(4)
    num = 200
    pose, transl = rng.normal(0, .1, (num, 24, 3)), rng.normal([0, 0, 5], 1, (num, 3))
    betas, scale = rng.normal(0, [1, .1], (num, 2)), rng.uniform(.6, 1.4, num)
    kind = rng.integers(0, 6, num)
    heights = StickBody().height(torch.from_numpy(betas))
    new_betas, new_transl = move_people(StickBody(), *map(torch.from_numpy, (pose, betas, transl)), heights,
                                        torch.from_numpy(scale), torch.from_numpy(kind))
    long = np.zeros((num, 11))
    long[:, [0, 10]] = betas
    children = 0
    for i in range(num):
        want_betas, want_transl = move_person(
            ArrayBody(), pose[i], long[i], transl[i], float(heights[i]), scale[i], kind[i])
        np.testing.assert_allclose(new_betas[i], want_betas[[0, 10]], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(new_transl[i], want_transl, rtol=1e-5, atol=1e-6)
        children += want_betas[10] != long[i, 10]
    assert 20 < children < 180


def test_unmoved_people_keep_their_values_exactly():
    pose, betas, transl = torch.rand(3, 24, 3), torch.rand(3, 2), torch.rand(3, 3)
    new_betas, new_transl = move_people(StickBody(), pose, betas, transl, StickBody().height(betas).double(),
                                        torch.ones(3, dtype=torch.float64), torch.tensor([0, 1, 5]))
    assert torch.equal(new_betas, betas)
    assert torch.equal(new_transl, transl)


def test_body_without_child_blend_uses_its_first_coefficient():
    body = StickBody()
    body.child_coefficient = None
    betas = torch.zeros(1, 2)
    new_betas, _ = move_people(body, torch.zeros(1, 24, 3), betas, torch.ones(1, 3), body.height(betas).double(),
                               torch.tensor([.8], dtype=torch.float64), torch.tensor([0]))
    torch.testing.assert_close(new_betas, torch.tensor([[-6.8, 0.]]))


def test_a_new_focal_length_moves_people_away_and_keeps_them_in_the_picture():
    sample = make_sample(z=(3., 4.), betas=[[0., .2], [1., 0.]])
    problem = DTOProblem.from_samples([sample], StickBody())
    one = torch.ones_like(problem.z)
    result = DTOResult(problem, one, one < 0, one[:, 0] > 0, 0 * one[:, 0], focal_scale=1.25 * one[:, 0])
    placed = result.apply([sample], StickBody())[0]
    torch.testing.assert_close(placed.pred_camera.intrinsics[[0, 1], [0, 1]], torch.full((2, ), 1.25 * FOCAL))
    assert sample.pred_camera.intrinsics[0, 0] == FOCAL
    before, after = (s.pred_instances for s in (sample, placed))
    roots = [StickBody().skeleton(p.pose, p.betas, p.transl)[:, 0] for p in (before, after)]
    torch.testing.assert_close(roots[1][:, 2], 1.25 * roots[0][:, 2])
    torch.testing.assert_close(project(roots[1], placed.pred_camera.intrinsics),
                               project(roots[0], sample.pred_camera.intrinsics))
    torch.testing.assert_close(after.heights, StickBody().height(before.betas))


def test_stated_uncertainty_goes_with_the_people():
    samples = [make_sample(visible_vertices=torch.tensor([1000, 10, 1000])), make_sample(z=(3., 4.))]
    problem = DTOProblem.from_samples(samples, StickBody())
    result = PosteriorDTO().solve(problem)
    placed = result.apply(samples, StickBody())
    for i, sample in enumerate(placed):
        mask = problem.mask[i]
        torch.testing.assert_close(sample.pred_instances.depths_std.double(), result.posterior.depths_std[i][mask],
                                   rtol=1e-5, atol=0)
        torch.testing.assert_close(sample.pred_instances.heights_std.double(), result.posterior.heights_std[i][mask],
                                   rtol=1e-5, atol=0)
    assert 'depths_std' not in PaperDTO().solve(problem).apply(samples, StickBody())[0].pred_instances


def test_an_image_without_solution_fails_in_the_generator():
    class Failing(PaperDTO):
        def solve(self, problem):
            return dataclasses.replace(super().solve(problem), failed=torch.tensor([False, True]))

    stage = OptimiseTranslations(Failing())
    stage.bind(Context(StickBody(), '', 'cpu'))
    with pytest.raises(StageError, match='no solution'):
        stage([make_sample(), make_sample()])


def test_the_lower_foot_and_whether_it_is_seen():
    sample = make_sample(z=(3., 4.))
    people = sample.pred_instances
    people.transl[:, 0] = torch.tensor([-.36, .4])  # feet in columns 8 and 30, in the middle of each one's pixels
    joints = StickBody().skeleton(people.pose, people.betas, people.transl).double()
    problem = DTOProblem.from_samples([sample], StickBody())
    torch.testing.assert_close(problem.feet[0], joints[:, 11])  # the stick's joints follow each other downwards
    assert problem.feet_seen.tolist() == [[True, True]]
    people.transl[1, 0] = -.36  # among the first one's pixels
    assert DTOProblem.from_samples([sample], StickBody()).feet_seen.tolist() == [[True, False]]
    people.transl[1, 0] = 9.  # outside the picture
    assert DTOProblem.from_samples([sample], StickBody()).feet_seen.tolist() == [[True, False]]


def test_dropped_people_may_stay_in_their_rows():
    """The second person has no evidence, the fourth no mesh: they stay, but move along when the camera changes."""
    sample = make_sample(z=(3., 4., 5., 6.), distance=(3., 4., 6., 6.))
    sample.pred_instances.visible_vertices[1] = 10
    sample.pred_instances.betas[3, 1] = torch.nan
    before, camera = sample.pred_instances.transl.clone(), sample.pred_camera.intrinsics.clone()
    placed, = DTOOptimizer(PaperDTO())([sample], StickBody())
    kept, = DTOOptimizer(PaperDTO())([sample], StickBody(), keep_dropped=True)
    people = kept.pred_instances
    assert placed.pred_instances.person_index.tolist() == [0, 2] and 'person_index' not in people
    for name in ('transl', 'betas', 'heights'):
        assert torch.equal(people[name][[0, 2]], placed.pred_instances[name])
        assert sample.pred_instances.get(name) is not people[name]
    assert torch.equal(people.transl[[1, 3]], before[[1, 3]]) and not torch.equal(people.transl[2], before[2])
    torch.testing.assert_close(people.betas[[1, 3]], torch.tensor([[0., 0.], [0., torch.nan]]), equal_nan=True)
    assert people.heights[1] == StickBody().height(people.betas[1])
    assert torch.equal(kept.pred_camera.intrinsics, camera) and kept.optimised

    result = DTOOptimizer(PosteriorDTO(focal_std=.5)).solve([sample], StickBody())
    result.focal_scale = torch.tensor([1.25]).double()
    kept, = result.apply([sample], StickBody(), keep_dropped=True)
    assert float(kept.pred_instances.transl[1, 2]) == pytest.approx(4 * 1.25)
    assert float(kept.pred_camera.intrinsics[1, 1]) == pytest.approx(FOCAL * 1.25)
    assert kept.pred_instances.depths_std.isnan().tolist() == [False, True, False, True]
    assert torch.equal(sample.pred_instances.transl, before) and torch.equal(sample.pred_camera.intrinsics, camera)
    assert 'optimised' not in sample and 'person_index' not in sample.pred_instances
