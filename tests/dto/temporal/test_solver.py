"""The solver of videos on people who move, drawn from its own model."""
import numpy as np
import pytest
import torch
from moving_problems import moving_people

from mmhuman_dto.dto import PosteriorDTO
from mmhuman_dto.dto.temporal import ClipProblem, TemporalDTO
from mmhuman_dto.dto.temporal.solver import Solving
from mmhuman_dto.dto.terms import NoisyTerm
from mmhuman_dto.registry import DTO_SOLVERS

KNOWN_CAMERA = dict(focal_std=0.)


class SizeTerm(NoisyTerm):
    """A term of one's own about frames, which depends on sizes in the picture."""

    def residuals(self, problem, values):
        return 2 * values['log_size'] + values['log_scale']

    def jacobian(self, problem, values):
        one = torch.ones_like(problem.z)
        return {'log_scale': one, 'log_size': 2 * one}


def solved(seed=0, still=None, cameras='still', **more):
    problem, ids, times, truth = moving_people(seed, **more)
    clip = ClipProblem.of(problem, ids, times)
    return clip, TemporalDTO(KNOWN_CAMERA if still is None else still).solve(clip, cameras), truth


@pytest.mark.parametrize('still', [
    {}, KNOWN_CAMERA, dict(terms=dict(ground=dict(type='GroundTerm', min_people=2, seated_elsewhere=.1))),
    dict(needs_depth=False, terms=dict(depth=None, relief=None)), dict(terms=dict(
        depth=dict(type='DepthTerm', domain='log', scale_std=.1), relief=dict(type='ReliefTerm', domain='log')))])
@pytest.mark.parametrize('seed', range(3))
def test_one_frame_is_solved_as_the_picture_is(seed, still):
    problem, ids, times, _ = moving_people(seed, frames=1, people=5)
    problem.leg_reach[0, 0] = .5
    ours, theirs = TemporalDTO(still).solve(ClipProblem.of(problem, ids, times)), PosteriorDTO(**still).solve(problem)
    for name in ('scale', 'deviation', 'focal_scale'):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert (one is None and other is None) or torch.allclose(one, other, rtol=0, atol=1e-7)
    for name in ('depth', 'height', 'log_depth_covariance', 'log_height_std', 'log_focal_std'):
        assert torch.allclose(getattr(ours.posterior, name), getattr(theirs.posterior, name), rtol=0, atol=1e-7), name
    assert torch.allclose(ours.sizes, theirs.scale, rtol=0, atol=1e-7)
    assert ours.shifts.abs().max() == 0
    for name, values in theirs.posterior.scene.items():
        assert torch.allclose(ours.posterior.scene[name], values, rtol=0, atol=1e-7), name


def test_a_person_has_one_height_and_a_smooth_path_nearer_to_the_true_one():
    wrong = []
    for seed in range(40, 46):
        clip, result, truth = solved(seed, frames=45, people=5, persists=.1, depth_noise=.1)
        assert np.ptp(result.posterior.height.numpy(), axis=0).max() == 0
        alone = PosteriorDTO(**KNOWN_CAMERA).solve(clip.frames).posterior
        depths = [posterior.depth.numpy() for posterior in (result.posterior, alone)]
        accelerations = [np.abs(np.diff(depth - truth.depth, 2, axis=0)).mean() for depth in depths]
        assert accelerations[0] < accelerations[1] / 50
        ratios = [np.log(depth / truth.depth) for depth in depths]
        wrong.append([np.sqrt(np.square(ratio - ratio.mean()).mean()) for ratio in ratios])
    together, alone = np.mean(wrong, 0)
    assert together < .9 * alone


def test_stated_deviations_are_those_of_many_clips():
    scores = []
    for seed in range(20, 32):
        _, result, truth = solved(seed, frames=30, people=5)
        error = np.log(result.posterior.depth.numpy() / truth.depth)
        scores.append(error / (result.posterior.depths_std / result.posterior.depth).numpy())
    assert .5 < np.sqrt(np.square(scores).mean()) < 1.6


def test_heights_of_unknown_age_are_not_dragged_away_by_mixtures_that_are_flat():
    """Three small people and a tall one, whose sizes are known well relative to each other alone."""
    _, result, truth = solved(2, frames=150)
    assert np.abs(result.posterior.height[0].numpy() - truth.heights).max() < .13


def test_motion_and_contact_can_be_left_out():
    problem, ids, times, _ = moving_people(10, frames=6)
    clip = ClipProblem.of(problem, ids, times)
    kinds = [{type(part).__name__ for part in Solving(TemporalDTO(KNOWN_CAMERA, **left), clip).parts} for left in (
        {}, dict(acceleration=None), dict(contact=None))]
    assert kinds[0] - kinds[1] == {'Accelerations'} and kinds[0] - kinds[2] == {'Contacts'}


def test_gaps_are_bridged_and_who_is_back_has_the_same_height():
    clip, result, truth = solved(2, frames=60, absent=.3)
    seen = truth.seen
    assert result.scale[torch.from_numpy(~seen)].eq(1).all()
    heights = np.where(seen, result.posterior.height.numpy(), np.nan)
    assert (np.nanmax(heights, 0) - np.nanmin(heights, 0)).max() == 0
    error = np.log(result.posterior.depth.numpy() / truth.depth)[seen]
    assert np.abs(error - error.mean()).mean() < .05


def test_motion_tells_nothing_of_size():
    """Everything k times as large, k times as far away, and heights that agree: the same but for k."""
    problem, ids, times, _ = moving_people(3)
    still = dict(focal_std=0., terms=dict(height=None, initial=None, ground=None))
    clip = ClipProblem.of(problem, ids, times)
    point = Solving(TemporalDTO(still), clip)
    moving = [part for part in point.parts if type(part).__name__ in ('Accelerations', 'Contacts')]
    start = point.variables.start() + .01 * np.random.default_rng(0).normal(size=point.variables.start().shape)
    along = np.zeros_like(start)
    along[point.variables.log_scale], along[point.variables.height] = 1., 1.
    assert {type(part).__name__ for part in moving} == {'Accelerations', 'Contacts'}
    for part in moving:
        _, jacobian = part.linearise(start)
        assert np.abs((jacobian * along[part.pairs.index]).sum(1)).max() < 1e-9


@pytest.mark.parametrize('cameras', ['still', 'moving', 'known'])
def test_derivatives_are_those_of_the_residuals(cameras):
    problem, ids, times, _ = moving_people(4, frames=7, people=3)
    clip = ClipProblem.of(problem, ids, times)
    poses = np.tile(np.eye(4), (7, 1, 1))
    for t, pose in enumerate(poses):
        angle = .05 * t
        pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        pose[:3, 3] = [.1 * t, .02 * t, -.05 * t]
    solver = TemporalDTO(dict(terms=dict(size=SizeTerm(.1, 1., 5.))))
    solving = Solving(solver, clip, poses if cameras == 'known' else cameras, cameras_metric=False)
    rng = np.random.default_rng(0)
    point = solving.variables.start() + .01 * rng.normal(size=solving.variables.start().shape)
    for part in solving.parts + solving.bodies:
        residuals, jacobian = part.linearise(point)
        dense = np.zeros((len(residuals), len(point)))
        np.add.at(dense, (np.arange(len(residuals))[:, None], part.pairs.index), jacobian)
        numeric = np.zeros_like(dense)
        for place in range(len(point)):
            step = np.zeros_like(point)
            step[place] = 1e-6
            numeric[:, place] = (part.linearise(point + step)[0] - part.linearise(point - step)[0]) / 2e-6
        if type(part).__name__ in ('Accelerations', 'Contacts'):
            # A change of all sizes is left out on purpose, by equal parts, and the focal length says nothing.
            sizes = np.isin(np.arange(len(point)), [*solving.variables.log_scale, *solving.variables.height])
            used = np.zeros_like(dense)
            np.put_along_axis(used, part.pairs.index, 1., 1)
            numeric -= residuals[:, None] / 3 * (sizes & (used > 0))
            numeric[:, solving.variables.scene['log_focal']] = 0
        allowed = 2e-5 * max(1, np.abs(numeric).max())
        np.testing.assert_allclose(dense, numeric, atol=allowed, err_msg=type(part).__name__)


def test_a_camera_that_moves_has_a_ground_that_drifts():
    clip, result, _ = solved(5, cameras='moving', frames=20)
    assert float(result.posterior.scene['ground_level'].std()) > 0
    _, still, _ = solved(5, frames=20)
    assert float(still.posterior.scene['ground_level'].std()) == 0
    assert float(still.posterior.scene['depth_scale'].std()) > 0


def test_a_known_camera_that_stays_is_one_that_stands_still():
    clip, still, _ = solved(9, still={}, frames=12)
    known = TemporalDTO({}).solve(clip, np.tile(np.eye(4), (12, 1, 1)))
    assert torch.allclose(still.scale, known.scale, rtol=0, atol=1e-9)
    assert torch.allclose(still.posterior.depths_std, known.posterior.depths_std, rtol=0, atol=1e-8)


def test_order_of_people_changes_nothing():
    problem, ids, times, _ = moving_people(6, frames=8)
    turned = torch.tensor([2, 0, 3, 1])
    other = problem.of_places(turned)
    other.person_index = problem.person_index
    ours = TemporalDTO(KNOWN_CAMERA).solve(ClipProblem.of(problem, ids, times)).scale
    theirs = TemporalDTO(KNOWN_CAMERA).solve(ClipProblem.of(other, [turned] * 8, times)).scale
    assert torch.allclose(ours[:, turned], theirs, atol=1e-9)


def test_a_clip_without_a_solution_keeps_its_people():
    problem, ids, times, _ = moving_people(7, frames=4)
    problem.z[1, 1] = torch.nan
    result = TemporalDTO(KNOWN_CAMERA).solve(ClipProblem.of(problem, ids, times))
    assert result.failed.all() and result.scale.eq(1).all() and result.sizes.eq(1).all()
    assert not result.optimised.any()


def test_terms_of_several_people_at_once_are_refused():
    class Crowded(NoisyTerm):
        def residuals(self, problem, values):
            return values['log_scale']

        def jacobian(self, problem, values):
            return {'log_scale': torch.eye(problem.mask.shape[1]).double()[None]}

    problem, ids, times, _ = moving_people(8, frames=2)
    solver = TemporalDTO(dict(terms=dict(crowded=Crowded(.1, 1., 5.))))
    with pytest.raises(TypeError, match='Crowded: videos take terms with one residual a person'):
        solver.solve(ClipProblem.of(problem, ids, times))


def test_it_is_a_solver_by_its_name():
    solver = DTO_SOLVERS.build(dict(type='TemporalDTO', still=dict(type='PosteriorDTO', needs_depth=False)))
    assert isinstance(solver, TemporalDTO) and solver.depth == 'used'
