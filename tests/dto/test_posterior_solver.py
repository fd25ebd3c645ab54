"""The posterior solver on scenes drawn from its own model, where truth, noise and what is known are exact."""
import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.dto import DTOProblem, PaperDTO, PosteriorDTO
from mmhuman_dto.dto.solvers.normal_equations import Layout, Linear, gauss_newton
from mmhuman_dto.dto.solvers.posterior import DEFAULT_TERMS
from mmhuman_dto.dto.terms import DepthTerm, GroundTerm, HeightTerm, InitialTerm, ReliefTerm, TranslationTerm
from mmhuman_dto.dto.terms.base import NoisyTerm, Normal, Site, constant, extended_log, extended_log_derivative
from mmhuman_dto.dto.terms.mixture import project_mixture
from mmhuman_dto.registry import DTO_SOLVERS, DTO_TERMS

CAMERA_HEIGHT = 1.6
NOTHING = dict.fromkeys(DEFAULT_TERMS)
seeds = st.integers(0, 2**32 - 1)


def draw(rng, people=6, depth_noise=.03, foot_noise=.02, offset=0., focal=1., child=.3):
    """A scene of people on flat ground: fields of a problem (P), and the truth: depth and height, m."""
    z = rng.uniform(4, 9, people)
    young = rng.random(people) < child
    ages = np.where(young, 11.5, 30.)
    heights = np.where(young, rng.normal(1.477, .1, people), rng.normal(1.784, .0759, people))
    initial = 1.715 * (heights / 1.715)**.2 * np.exp(.015 * rng.standard_normal(people))
    shown = z * initial / heights * np.exp(.015 * rng.standard_normal(people)) / focal
    inverse = np.exp(depth_noise * rng.standard_normal(people)) / z
    disparity = 900 * (inverse + offset * np.median(inverse))
    x = rng.uniform(-2, 2, people)
    rays = np.stack([x / z, CAMERA_HEIGHT * np.exp(foot_noise * rng.standard_normal(people)) / z, np.ones(people)], -1)
    scene = dict(
        depth=1 / disparity, depth_std=.02 / disparity, z=shown, down_depth=1 / disparity, down_z=shown,
        slope=.6 * np.exp(-.15) / focal * shown * disparity * disparity / (900 * inverse),
        correlation=np.full(people, .6), disparity=disparity, inverse_z=1 / shown,
        residual_std=np.full(people, .02), heights=initial, ages=ages, male_probs=np.full(people, 1.),
        feet=rays * [focal, focal, 1] * shown[:, None], pelvis=rays * shown[:, None],
        balls=np.stack([rays * shown[:, None]] * 2, 1), prior_mean=(initial + 1.784) / 2,
        prior_std=np.full(people, .0759), apparent_size=np.full(people, .5))
    return scene, (z, heights)


def problem_of(scenes, pad=0):
    size = max(len(scene['z']) for scene in scenes) + pad
    mask = torch.zeros(len(scenes), size, dtype=torch.bool)
    padded = {}
    for i, scene in enumerate(scenes):
        mask[i, :len(scene['z'])] = True
        for name, values in scene.items():
            whole = padded.setdefault(name, torch.ones(len(scenes), size, *values.shape[1:], dtype=torch.float64))
            whole[i, :len(values)] = torch.from_numpy(values)
    index = torch.arange(size).expand(len(scenes), size)
    return DTOProblem(mask=mask, person_index=index, height_class=torch.full_like(index, 4), feet_seen=mask,
                      has_depth=mask, size_std=torch.full(mask.shape, torch.nan),
                      leg_reach=torch.ones(mask.shape),
                      focal_std=torch.full((len(scenes), ), torch.nan), drop_reasons=(), **padded)


def terms():
    return [DepthTerm(), DepthTerm(domain='linear'), DepthTerm(domain='log', scale_std=.1, offset_std=.05),
            ReliefTerm(), ReliefTerm(domain='log'), GroundTerm(), HeightTerm(), InitialTerm(), TranslationTerm()]


@pytest.mark.parametrize('term', terms(), ids=lambda term: f'{type(term).__name__}-{getattr(term, "domain", "")}'[:24])
@pytest.mark.parametrize('wild', [1., 12.])
def test_jacobian_is_that_of_the_residuals(term, wild):
    rng = np.random.default_rng(3)
    problem = problem_of([draw(rng, people)[0] for people in (3, 5)], pad=1)
    variables = {'log_focal': Normal(torch.zeros(2).double(), .1), **DepthTerm().variables(problem),
                 **term.variables(problem)}
    layout = Layout(variables, {'log_scale': 10., 'log_size': .02}, 6)
    point = layout.mean + .1 * wild * torch.from_numpy(rng.standard_normal(layout.mean.shape))

    def residuals(point):
        return term.residuals(problem, layout.values(point))

    exact = torch.func.jacrev(lambda rows: residuals(rows).sum(0))(point).movedim(1, 0)
    ours = layout.jacobian(term.jacobian(problem, layout.values(point)), residuals(point).shape)
    assert exact.abs().sum() > 0
    torch.testing.assert_close(ours, exact)


@pytest.mark.parametrize('noise', [.01, .08])
def test_finds_people_and_states_how_well(noise):
    rng = np.random.default_rng(1)
    drawn = [draw(rng, int(rng.integers(4, 9)), noise) for _ in range(150)]
    problem = problem_of([scene for scene, _ in drawn])
    result = PosteriorDTO(focal_std=0.).solve(problem)
    posterior, mask = result.posterior, problem.mask
    z, heights = (torch.cat([torch.from_numpy(truth[i]) for _, truth in drawn]) for i in (0, 1))
    errors = (result.scale * problem.z)[mask] - z
    paper = (PaperDTO().solve(problem).scale * problem.z)[mask] - z
    assert errors.abs().mean() < .7 * paper.abs().mean()
    assert (errors / z).abs().mean() < .03
    for error, std in ((errors, posterior.depths_std[mask]),
                       ((result.scale * problem.heights)[mask] - heights, posterior.heights_std[mask])):
        assert .85 < float((error.abs() < 1.645 * std).double().mean()) < .97
        assert .42 < float((error.abs() < .674 * std).double().mean()) < .68


def test_differences_of_depth_have_the_sign_they_seem_to_as_often_as_stated():
    rng = np.random.default_rng(2)
    drawn = [draw(rng, 4, .06) for _ in range(300)]
    posterior = PosteriorDTO(focal_std=0.).solve(problem_of([scene for scene, _ in drawn])).posterior
    nearer = torch.stack([torch.from_numpy(z[:, None] < z) for _, (z, _) in drawn])
    apart = posterior.depth[:, None] - posterior.depth[:, :, None]
    stated = torch.special.ndtr(apart / posterior.differences_std.clamp(min=1e-6))
    for low, high in ((.1, .4), (.4, .6), (.6, .9)):
        judged = (stated > low) & (stated < high) & ~torch.eye(4).bool()
        assert abs(float(nearer[judged].double().mean() - stated[judged].mean())) < .1
    assert nearer[stated > .98].double().mean() > .95


def test_depth_noise_is_learned_from_the_scene():
    rng = np.random.default_rng(4)
    spread = {}
    for noise in (.005, .15):
        problem = problem_of([draw(rng, 8, noise)[0] for _ in range(40)])
        only = PosteriorDTO(dict(relief=None, ground=None, initial=None), focal_std=0.).solve(problem).posterior
        spread[noise] = float((only.depths_std / only.depth).mean())
    assert spread[.005] < .85 * spread[.15]


def test_an_offset_of_the_disparity_is_found_by_the_inverse_form():
    rng = np.random.default_rng(5)
    problem = problem_of([draw(rng, 10, .003, offset=.4)[0] for _ in range(20)])
    offsets = PosteriorDTO(focal_std=0.).solve(problem).posterior.scene['depth_offset']
    assert -.45 < float(offsets.mean()) < -.28  # drawn a little towards the prior's 0


def test_metric_depth_tells_the_focal_length():
    rng = np.random.default_rng(6)
    drawn = [draw(rng, 6, .02, focal=1.3) for _ in range(20)]
    problem = problem_of([dict(scene, **{name: scene[name] * factor for name, factor in
                                         (('disparity', 1 / .9), ('depth', .9), ('slope', 1 / .9))})
                          for scene, _ in drawn])
    metric = dict(NOTHING, depth=DepthTerm(domain='log', scale_std=.01, offset_std=.02), height=HeightTerm())
    result = PosteriorDTO(metric, focal_std=.5).solve(problem)
    assert float(result.focal_scale.log().mean()) == pytest.approx(np.log(1.3), abs=.03)
    z = torch.cat([torch.from_numpy(z) for _, (z, _) in drawn])
    errors = result.posterior.depth[problem.mask] / z - 1
    assert float(errors.abs().mean()) < .03
    kept = PosteriorDTO(metric, focal_std=0.).solve(problem)
    assert kept.focal_scale is None


def test_a_focal_length_far_from_the_guess_stays_possible():
    """Depth in metres says 1.8 times the focal length; a normal prior resists more than Student's t does."""
    rng = np.random.default_rng(6)
    drawn = [draw(rng, 6, .02, focal=1.8)[0] for _ in range(10)]
    problem = problem_of([dict(scene, **{name: scene[name] * factor for name, factor in
                                         (('disparity', 1 / .9), ('depth', .9), ('slope', 1 / .9))})
                          for scene in drawn])
    metric = dict(NOTHING, depth=DepthTerm(domain='log', scale_std=.15, offset_std=.02), height=HeightTerm())
    found = {dof: float(PosteriorDTO(metric, focal_std=.1, focal_dof=dof).solve(problem)
                            .focal_scale.log().mean()) for dof in (2., np.inf)}
    assert found[np.inf] + .1 < found[2.] < np.log(1.8) + .03


def test_what_does_not_change_is_computed_once_a_run():
    calls = []

    class CountingTerm(HeightTerm):
        @constant
        def classes(self, problem):
            calls.append(problem)
            return HeightTerm.classes(self, problem)

    problems = [problem_of([draw(np.random.default_rng(seed))[0]]) for seed in (0, 1)]
    solver = PosteriorDTO(dict(height=CountingTerm()))
    first = [solver.solve(problem).scale for problem in problems]
    assert [call is problem for call, problem in zip(calls, problems, strict=True)] == [True, True]
    torch.testing.assert_close(first[0], PosteriorDTO().solve(problems[0]).scale)


def test_heights_of_unknown_people_may_be_unusual():
    scene = dict(draw(np.random.default_rng(2), 3)[0], ages=np.full(3, np.nan), male_probs=np.full(3, np.nan))
    alone = {spread: PosteriorDTO(dict(NOTHING, height=HeightTerm(population_spread=spread))).solve(
        problem_of([scene])).posterior.heights_std for spread in (1., 2.)}
    assert (alone[2.] > 1.05 * alone[1.]).all()


def test_initial_distances_count_as_far_as_they_are_trusted():
    scene, _ = draw(np.random.default_rng(12), 6, .001)
    moved = {}
    for std in (.001, 1.):
        terms = dict(NOTHING, depth=DepthTerm(), translation=TranslationTerm(bias_std=.01, std=std, weight=np.inf))
        moved[std] = PosteriorDTO(terms, focal_std=0.).solve(problem_of([scene])).scale.log().abs().max()
    assert moved[.001] < .02 < .08 < moved[1.]


def test_a_person_off_the_ground_and_off_the_depth_spoils_nobody_else():
    scene, (z, _) = draw(np.random.default_rng(7), 8, .01, .005)
    clean = PosteriorDTO(focal_std=0.).solve(problem_of([scene]))
    scene['feet'][0, 1] -= .7
    scene['disparity'][0] *= 1.8
    spoiled = PosteriorDTO(focal_std=0.).solve(problem_of([scene]))
    torch.testing.assert_close(spoiled.scale[0, 1:], clean.scale[0, 1:], atol=.03, rtol=0)
    assert not spoiled.skipped.any()


def test_ages_decide_between_a_child_near_and_an_adult_far():
    scene, (z, _) = draw(np.random.default_rng(8), 2, child=0.)
    child = dict(scene, ages=np.array([5., 30.]))
    alone = dict(NOTHING, height=HeightTerm())
    adult_z, child_z = (PosteriorDTO(alone).solve(problem_of([s])).posterior.depth[0, 0] for s in (scene, child))
    assert child_z / adult_z == pytest.approx(1.10 / 1.784, abs=.03)
    unknown = dict(scene, ages=np.array([np.nan, 30.]), male_probs=np.array([np.nan, 1.]))
    posterior = PosteriorDTO(alone).solve(problem_of([unknown])).posterior
    assert child_z < posterior.depth[0, 0] < adult_z
    assert posterior.heights_std[0, 0] > 2 * posterior.heights_std[0, 1]


@settings(max_examples=15, deadline=None)
@given(seed=seeds, pad=st.integers(0, 3))
def test_a_batch_is_each_scene_alone_whatever_the_padding(seed, pad):
    rng = np.random.default_rng(seed)
    scenes = [draw(rng, int(rng.integers(1, 7)))[0] for _ in range(3)]
    solver = PosteriorDTO(rounds=8, tolerance=0.)
    together = solver.solve(problem_of(scenes, pad))
    for i, scene in enumerate(scenes):
        alone, size = solver.solve(problem_of([scene])), len(scene['z'])
        torch.testing.assert_close(together.scale[i, :size], alone.scale[0])
        torch.testing.assert_close(together.posterior.differences_std[i, :size, :size],
                                   alone.posterior.differences_std[0])
        torch.testing.assert_close(together.posterior.heights_std[i, :size], alone.posterior.heights_std[0])
    assert together.scale[~problem_of(scenes, pad).mask].eq(1).all()


@settings(max_examples=15, deadline=None)
@given(seed=seeds, factor=st.floats(1e-3, 1e3))
def test_the_unit_of_a_relative_map_and_the_order_of_people_do_not_matter(seed, factor):
    rng = np.random.default_rng(seed)
    scene, _ = draw(rng, 5)
    order = rng.permutation(5)
    other = {name: values[order] for name, values in scene.items()}
    other.update(disparity=other['disparity'] * factor, depth=other['depth'] / factor, slope=other['slope'] * factor)
    solver = PosteriorDTO(rounds=8, tolerance=0.)
    result, changed = solver.solve(problem_of([scene])), solver.solve(problem_of([other]))
    torch.testing.assert_close(changed.scale[0], result.scale[0][torch.from_numpy(order)])


def test_finite_for_odd_scenes():
    rng = np.random.default_rng(9)
    odd = [draw(rng, 1)[0], draw(rng, 4)[0], draw(rng, 4)[0], draw(rng, 4)[0]]
    odd[1].update(disparity=np.full(4, 200.), depth=np.full(4, 1 / 200))
    odd[2].update(disparity=np.array([1e-6, 1e6, 100., 100.]), correlation=np.array([-1., 1., 0., .5]))
    odd[3]['feet'][:, 2] = [-1., 0., 1e-9, 5.]
    result = PosteriorDTO().solve(problem_of(odd))
    for values in (result.scale, result.posterior.depths_std, result.posterior.differences_std, result.deviation):
        assert values.isfinite().all()
    nobody = problem_of(odd)
    nobody = dataclasses.replace(nobody, mask=torch.zeros_like(nobody.mask))
    assert PosteriorDTO().solve(nobody).scale.eq(1).all()


def test_a_scene_that_cannot_be_solved_keeps_its_people_and_costs_its_batch_nothing():
    rng = np.random.default_rng(13)
    scenes = [draw(rng, people)[0] for people in (3, 5, 4)]
    scenes[1]['disparity'][2] = np.inf
    result, others = (PosteriorDTO().solve(problem_of(*of)) for of in ((scenes, ), (scenes[::2], 1)))
    assert result.failed.tolist() == [False, True, False] and result.optimised.tolist() == [True, False, True]
    assert result.scale[1].eq(1).all() and result.focal_scale[1] == 1 and result.posterior.depths_std[1].isnan().all()
    for got, want in ((result.scale, others.scale), (result.posterior.depths_std, others.posterior.depths_std)):
        torch.testing.assert_close(got[[0, 2]], want, rtol=1e-9, atol=0)


def test_a_singular_hessian_is_damped():
    """Two variables that one residual sees alike, nothing else known of the second: rounding takes the last pivot."""
    jacobian = torch.tensor([[[1e8, 1e8]], [[1., 0.]]], dtype=torch.float64)
    one = torch.ones(2, 1, dtype=torch.float64)
    precision = torch.tensor([[1., 1e-12], [1., 1.]], dtype=torch.float64)
    with pytest.raises(torch.linalg.LinAlgError):
        torch.linalg.cholesky(jacobian[0].T @ jacobian[0] + precision[0].diag())
    step, covariance, failed = gauss_newton(
        [Linear(0 * one, jacobian)], [Site(one, one)], torch.zeros(2, 2, dtype=torch.float64), precision)
    assert not failed.any() and covariance.isfinite().all()
    assert float(step[0].sum()) == pytest.approx(1e-8, rel=1e-3)
    assert step[1].tolist() == pytest.approx([.5, 0.])
    assert covariance[1].flatten().tolist() == pytest.approx([.5, 0., 0., 1.])


@pytest.mark.gpu
def test_same_on_the_gpu():
    rng = np.random.default_rng(11)
    problem = problem_of([draw(rng, int(rng.integers(1, 9)))[0] for _ in range(50)])
    moved = type(problem)(**{k: v.cuda() if torch.is_tensor(v) else v for k, v in vars(problem).items()})
    here, there = (PosteriorDTO(rounds=8, tolerance=0.).solve(p) for p in (problem, moved))
    torch.testing.assert_close(there.scale.cpu(), here.scale)
    torch.testing.assert_close(there.posterior.depths_std.cpu(), here.posterior.depths_std)


def test_a_term_of_ones_own():
    @DTO_TERMS.register_module(force=True)
    class SameHeightTerm(NoisyTerm):
        """Everybody is as tall as the first one: residuals that concern two people."""

        def evidence(self, problem):
            return problem.mask * torch.arange(problem.mask.shape[1]).clamp(max=1.)

        def residuals(self, problem, values):
            log_height = values['log_scale'] + problem.heights.log()
            return log_height - log_height[:, :1]

        def jacobian(self, problem, values):
            size = problem.mask.shape[1]
            derivative = torch.eye(size).double()
            derivative[:, 0] -= 1
            return {'log_scale': derivative.expand(len(problem.mask), size, size)}

    scene, _ = draw(np.random.default_rng(10), 5)
    solver = DTO_SOLVERS.build(dict(type='PosteriorDTO', terms=dict(
        depth=None, relief=None, ground=None, initial=None,
        same=dict(type='SameHeightTerm', std=1e-4, weight=float('inf'), dof=float('inf')))))
    heights = solver.solve(problem_of([scene])).posterior.height[0]
    torch.testing.assert_close(heights, heights[:1].expand(5), atol=1e-2, rtol=0)
    DTO_TERMS.module_dict.pop('SameHeightTerm')


def test_a_scene_variable_has_one_owner():
    with pytest.raises(ValueError, match='depth_scale|depth_offset'):
        PosteriorDTO(dict(again=DepthTerm())).solve(problem_of([draw(np.random.default_rng(0))[0]]))
    with pytest.raises(ValueError, match='unknown domain'):
        DepthTerm(domain='disparity')


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_mixture_is_projected_on_its_exact_moments(seed):
    rng = np.random.default_rng(seed)
    weights, means, stds = rng.dirichlet(np.ones(3)), rng.normal(0, .3, 3), rng.uniform(.05, .2, 3)
    mean, precision = rng.normal(0, .2), rng.uniform(5, 400)
    site = project_mixture(Site(*(torch.tensor([[x]]) for x in (mean, precision))),
                           *(torch.from_numpy(x)[None, None] for x in (weights, means, stds)))
    x = np.linspace(-3, 3, 40001)
    density = np.exp(-.5 * precision * (x - mean)**2) * (
        weights / stds * np.exp(-.5 * ((x[:, None] - means) / stds)**2)).sum(1)
    density /= density.sum()
    variance = density @ x**2 - (density @ x)**2
    if 1 / variance - precision > 1e-2 / variance:
        total = precision + float(site.precision)
        assert 1 / total == pytest.approx(variance, rel=1e-4)
        assert (mean * precision + float(site.target * site.precision)) / total == pytest.approx(density @ x, abs=1e-5)


def test_extended_log_is_smooth():
    x = torch.tensor([-3., 0, .01, .05, .0500001, 1, 9]).double()
    torch.testing.assert_close(extended_log(x[4:]), x[4:].log())
    derivative = torch.func.vmap(torch.func.grad(extended_log))(x)
    torch.testing.assert_close(extended_log_derivative(x), derivative)
    assert extended_log(x).diff().min() > 0
