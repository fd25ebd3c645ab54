"""Steps of the solver through time: against the whole matrix, and against the solver of single frames."""
import torch
from fitted_people import upright, walking

from mmhuman_dto.fitting.kinematics import FitState
from mmhuman_dto.fitting.motion_terms import Chains, Motion
from mmhuman_dto.fitting.solver import Linearised, solve
from mmhuman_dto.fitting.temporal_solver import Problem, solve_tracks
from mmhuman_dto.fitting.terms import ShapePrior

K = torch.tensor([[900., 0, 320], [0, 900, 240], [0, 0, 1]], dtype=torch.float64)
BONES = torch.ones(24, 1, dtype=torch.float64)
PRIOR = torch.zeros(11).double(), torch.linspace(.2, 1, 11, dtype=torch.float64)


def joints(fit, state, noise=3.):
    points = fit.tables.joints(state) @ K.T
    generator = torch.Generator().manual_seed(2)
    points = points[..., :2] / points[..., 2:]
    points = points + noise * torch.randn(points.shape, generator=generator, dtype=torch.float64)
    return points, torch.full(points.shape[:2], .9, dtype=torch.float64), K.expand(len(points), 3, 3)


def problem(fit, state, track, held=(), betas_held=()):
    track = torch.tensor(track)
    motion = Motion(Chains(track, torch.arange(len(track)).double() / 30), 3 * BONES, 20 * BONES, 1., 2.)
    rows = torch.zeros(len(track), dtype=torch.bool)
    rows[list(held)] = True
    tracks = torch.zeros(motion.chains.count, dtype=torch.bool)
    tracks[list(betas_held)] = True
    terms = [fit.picture(*joints(fit, state)), fit.pose_prior, fit.limits]
    return Problem(fit.tables, terms, motion, ShapePrior(*PRIOR), rows, tracks)


def same_betas(state, track):
    return state._replace(betas=state.betas[[track.index(number) for number in track]])


def test_single_frames_are_fitted_as_by_the_solver_of_single_frames(fit):
    """The same start and steps; each person is a track of one frame."""
    truth = upright(4)
    start = upright(4, seed=8)._replace(pelvis=truth.pelvis)
    one = problem(fit, truth, [0, 1, 2, 3])
    state, cost = solve_tracks(one, start, 12)
    expected, expected_cost = solve(fit.tables, [*one.terms, ShapePrior(*PRIOR)], start, 12)
    assert (expected_cost < .5 * one.cost(start)).all()
    torch.testing.assert_close(cost, expected_cost, rtol=1e-8, atol=1e-8)
    for ours, theirs in zip(state, expected):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_a_step_solves_the_whole_system(fit):
    """Two tracks of four frames and of one, each with one shape."""
    track = [0, 0, 0, 0, 1]
    state = same_betas(upright(5), track)
    ours, damping = problem(fit, state, track), torch.tensor([.1, 2.], dtype=torch.float64)
    step = ours.step(state, damping)
    parts, links = Linearised(fit.tables, ours.terms, state), ours.motion(fit.tables, state)
    size, seen = 86, parts.jacobian.transpose(1, 2) @ (parts.weights[..., None] * parts.jacobian)
    matrix, gradient = torch.zeros(5, size, 5, size).double(), parts.gradient.clone()
    groups = [list(range(3 * bone, 3 * bone + 3)) for bone in range(24)] + [[83, 84, 85]]
    for row in range(5):
        matrix[row, :, row] = seen[row] + torch.diag(damping[track[row]] * (seen[row].diagonal() + 1))
        for link, group in enumerate(groups):
            index = torch.tensor(group)
            gradient[row, index] += links.gradient[row, link]
            matrix[row, index[:, None], row, index] += links.own[row, link]
            if link < 24:
                matrix[row, index[:, None], row, index] += parts.turn_hessian[row, link]
            for apart, blocks in ((1, links.next), (2, links.after)):
                if row + apart < 5:
                    matrix[row, index[:, None], row + apart, index] += blocks[row, link]
                    matrix[row + apart, index[:, None], row, index] += blocks[row, link].T
    # Betas of a track are one: columns of all its rows add up, and so does the damping's constant part but once.
    kept = [*range(72), 83, 84, 85]
    spread = torch.zeros(5, size, 5 * 75 + 22).double()
    for row in range(5):
        spread[row, kept, torch.arange(75) + 75 * row] = 1
        spread[row, torch.arange(72, 83), 375 + 11 * track[row] + torch.arange(11)] = 1
    spread = spread.view(5 * size, -1)
    system, downhill = spread.T @ matrix.view(5 * size, -1) @ spread, spread.T @ gradient.flatten()
    shape = ours.shape(fit.tables, state.rows([0, 4]))
    for number, rows in enumerate((4, 1)):
        index = torch.arange(11) + 375 + 11 * number
        system[index, index] += shape.beta_hessians[number] - (rows - 1) * damping[number]
        downhill[index] += shape.betas[number]
    expected = (spread @ -torch.linalg.solve(system, downhill)).view(5, size)
    torch.testing.assert_close(step, expected, rtol=1e-6, atol=1e-8)


def test_held_rows_and_shapes_stay(fit):
    track = [0] * 6 + [1] * 6
    truth = FitState(*map(torch.cat, zip(walking(6), walking(6, seed=4))))
    start = same_betas(truth.moved(.05 * torch.randn(12, 86, generator=torch.Generator().manual_seed(0)).double()),
                       track)
    ours = problem(fit, truth, track, held=[0, 1], betas_held=[1])
    state, cost = solve_tracks(ours, start, 6)
    assert (cost < .5 * ours.cost(start)).all()
    still = [torch.equal(state.rotations[row], start.rotations[row]) for row in range(12)]
    assert still == [True] * 2 + [False] * 10
    assert torch.equal(state.pelvis[:2], start.pelvis[:2]) and not torch.equal(state.pelvis[2], start.pelvis[2])
    assert torch.equal(state.betas[6:], start.betas[6:]) and not torch.equal(state.betas[:6], start.betas[:6])
    assert (state.betas[:6] == state.betas[0]).all()
