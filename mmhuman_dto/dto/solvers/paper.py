"""The closed-form MAP solver of the DTO paper (arXiv 2511.13282), batched over scenes.

People are moved along their camera rays so that z_i = alpha * depth_i + beta, one (alpha, beta) a group of a scene.
Everything works on whole batches, (S, P) people of S scenes, with masks and in float64. Constants are the paper's.
"""
from functools import partial
from typing import NamedTuple

import torch

from mmhuman_dto.registry import DTO_SOLVERS

from ..result import DTOResult

#: Nobody may become taller than this, m.
MAX_HEIGHT = 2.1
#: Bound of the slope of z over depth, m per unit of depth, where no mesh of a group tells it.
DEFAULT_SLOPE = 20.
#: A mesh tells the slope when its z and the depth correlate better than this.
MIN_CORRELATION = .5
#: A person is far beyond this depth, which is 1 / disparity: 20 m where disparity is in 1/km, as metric depth sources
#: give it. Relative ones have no unit; the paper's limit suits those that put people at some hundreds. ...
FAR_DEPTH = .02
#: ... Or when a body 2 m tall would cover less than this part of the image's shorter side at its place.
FAR_SIZE = .25
#: What a person who was taken out counts in a scene's deviation, in standard deviations.
SKIPPED_DEVIATION = 3.
MAX_ROUNDS = 10
#: A determinant below this part of its terms holds rounding only: everybody is at the same depth.
SINGULAR = 1e-13


class Group(NamedTuple):
    """People solved together, one group in each of S scenes.

    members (S, P) bool; depth, depth_std (unit of the depth map), z, heights, mean, std (m), all (S, P);
    min_slope (S), m per unit of depth: the bound of alpha.
    """
    members: torch.Tensor
    depth: torch.Tensor
    depth_std: torch.Tensor
    z: torch.Tensor
    heights: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor
    min_slope: torch.Tensor


class Line(NamedTuple):
    """z = alpha * depth + beta of one group in each of S scenes.

    alpha, beta (S); followers (S, P): members that move to the line; skipped (S, P): members that were taken out or
    given up (a group of one is neither); count (S): members under the height rule; deviation (S): mean
    |height - mean| / std over them.
    """
    alpha: torch.Tensor
    beta: torch.Tensor
    followers: torch.Tensor
    skipped: torch.Tensor
    count: torch.Tensor
    deviation: torch.Tensor


@DTO_SOLVERS.register_module()
class PaperDTO:
    """Depth-conditioned translation optimisation as published (arXiv 2511.13282).

    Near and far people are solved apart; a group of one person is left as it is. People at one depth, identical
    people and constant maps fall under the slope bound, so results are finite.

    Args:
        slope_bound: whether the slope of mesh z over depth seen within people bounds alpha from below; False bounds it
            by the constant 20 m per unit of depth.
        down_means: whether near people are also solved at their lowest pixels, which win where they deviate less.
        split: whether near and far people are solved apart; False takes everybody for near.
    """

    def __init__(self, slope_bound=True, down_means=True, split=True):
        self.slope_bound, self.down_means, self.split = slope_bound, down_means, split

    def solve(self, problem):
        """Place the people of all scenes of a :class:`DTOProblem`; returns a :class:`DTOResult`."""
        is_far = ((problem.depth > FAR_DEPTH) | (problem.apparent_size < FAR_SIZE)) & self.split
        near, far = problem.mask & ~is_far, problem.mask & is_far
        groups = (self._group(problem, near, problem.depth, problem.z),
                  self._group(problem, near, problem.down_depth, problem.down_z),
                  self._group(problem, far, problem.depth, problem.z))
        # As one batch, which takes hardly longer than one of them.
        lines = solve_group(Group(*map(torch.cat, zip(*groups))))
        lines = [Line(*part) for part in zip(*(values.chunk(len(groups)) for values in lines))]
        near, near_line = self._nearer_to_prior(groups[:2], lines[:2])
        far, far_line = groups[2], push_behind(near, near_line, groups[2], lines[2])
        alpha, beta = (torch.stack(pair, -1) for pair in ((near_line.alpha, far_line.alpha),
                                                          (near_line.beta, far_line.beta)))
        return DTOResult(
            problem=problem,
            alpha=alpha,
            beta=beta,
            depth_form=partial(on_lines, alpha, beta),
            scale=1 + relative_move(near, near_line) + relative_move(far, far_line),
            skipped=near_line.skipped | far_line.skipped,
            optimised=torch.maximum(near_line.count, far_line.count) >= 2,
            deviation=scene_deviation(near_line, far_line))

    def _nearer_to_prior(self, groups, lines):
        """The near group and its line: at people's means, or at their lowest pixels where that deviates less."""
        (mean, down), (mean_line, down_line) = groups, lines
        use_down = (down_line.count >= mean_line.count) & (down_line.deviation < mean_line.deviation) & self.down_means
        lowest = use_down[:, None]
        near = mean._replace(
            depth=torch.where(lowest, down.depth, mean.depth), z=torch.where(lowest, down.z, mean.z))
        line = [torch.where(use_down if a.ndim == 1 else lowest, a, b) for a, b in zip(down_line, mean_line)]
        return near, Line(*line)

    def _group(self, problem, members, depth, z):
        return Group(members, depth, problem.depth_std, z, problem.heights, problem.prior_mean, problem.prior_std,
                     self._min_slope(problem, members))

    def _min_slope(self, problem, members):
        """Mean slope (S) over the members whose mesh tells it, weighted by how well depth and mesh correlate."""
        if not self.slope_bound:
            return members.new_full(members.shape[:1], DEFAULT_SLOPE, dtype=torch.float64)
        trusted = members & (problem.correlation > MIN_CORRELATION)
        total = masked_sum(problem.correlation, trusted)
        slope = masked_sum(problem.slope * problem.correlation, trusted) / total
        return torch.where(total > 0, slope, DEFAULT_SLOPE)


def solve_group(group):
    """:class:`Line` of each group, the tallest person taken out while somebody exceeds the limit of height.

    Returns:
        Line. Two people whom a line above the slope bound fits exactly have count 0 and deviation 0. So has a group
        given up, with alpha 0 and beta its largest z. A group of one has no followers, alpha 0 and beta its z.
    """
    grouped = group.members.sum(-1) >= 2
    inside = group.members & grouped[:, None]
    farthest = (group.z * group.members).amax(-1)
    alpha, beta, exact_pair = torch.zeros_like(farthest), farthest.clone(), torch.zeros_like(grouped)
    unsolved = grouped.nonzero().squeeze(1)
    for _ in range(MAX_ROUNDS):
        part, still_in = Group(*[field[unsolved] for field in group]), inside[unsolved]
        alpha[unsolved], beta[unsolved], bounded = fit_line(part, still_in)
        num = still_in.sum(-1)
        exact_pair[unsolved] = ~bounded & (num == 2)
        heights = heights_on(part, alpha[unsolved], beta[unsolved]) * still_in
        too_tall = (heights.amax(-1) > MAX_HEIGHT) & (bounded | (num > 2))
        hopeless = unsolved[too_tall & (num <= 2)]
        alpha[hopeless], beta[hopeless], inside[hopeless] = 0., farthest[hopeless], False
        again = too_tall & (num > 2)
        unsolved = unsolved[again]
        if not len(unsolved):
            break
        inside[unsolved, heights[again].argmax(-1)] = False

    count = inside.sum(-1).masked_fill(exact_pair, 0)
    deviation = masked_sum((heights_on(group, alpha, beta) - group.mean).abs() / group.std, inside)
    deviation = torch.where(count > 0, deviation / count, 0.)
    return Line(alpha, beta, inside, group.members & grouped[:, None] & ~inside, count, deviation)


def fit_line(group, inside):
    """Most likely line under the height prior of the people ``inside``, its slope bounded from below.

    Returns:
        alpha, beta, bounded, each (S): bounded where alpha is the group's ``min_slope``, because the best one is
        smaller or because depth varies less between people than within them.
    """
    inside = inside.double()
    b = group.heights / (group.z * group.std) * inside
    a, m = b * group.depth, group.mean / group.std
    # Normal equations of sum (a * alpha + b * beta - m)^2.
    aa, ab, bb, am, bm = ((x * y).sum(-1) for x, y in ((a, a), (a, b), (b, b), (a, m), (b, m)))
    determinant = aa * bb - ab.square()
    alpha = (bb * am - ab * bm) / determinant
    num = inside.sum(-1)
    off_mean = group.depth - (masked_sum(group.depth, inside) / num)[:, None]
    spread = (masked_sum(off_mean.square(), inside) / num).sqrt()
    flat = (spread < masked_sum(group.depth_std, inside) / num) | (determinant <= SINGULAR * aa * bb)
    bounded = flat | (alpha < group.min_slope)
    alpha = torch.where(bounded, group.min_slope, alpha)
    return alpha, (bm - ab * alpha) / bb, bounded


def push_behind(near, near_line, far, far_line):
    """Shift far groups of two or more so that they start behind the near group, then skip whom this makes too tall."""
    pushed = near.members.any(-1) & (far.members.sum(-1) >= 2)
    last_near = (near.depth * near.members).amax(-1)
    first_far = torch.where(far.members, far.depth, torch.inf).amin(-1)
    floor = last_near * near_line.alpha + near_line.beta - first_far * far_line.alpha
    beta = torch.where(pushed, torch.maximum(far_line.beta, floor), far_line.beta)
    too_tall = far_line.followers & pushed[:, None] & (heights_on(far, far_line.alpha, beta) > MAX_HEIGHT)
    return far_line._replace(
        beta=beta,
        followers=far_line.followers & ~too_tall,
        skipped=far_line.skipped | too_tall,
        count=(far_line.count - too_tall.sum(-1)).clamp(min=0))


def scene_deviation(near, far):
    """Mean deviation (S) of a scene's people in standard deviations, skipped ones at the price of three."""
    skipped = (near.skipped | far.skipped).sum(-1)
    total = near.deviation * near.count + far.deviation * far.count + SKIPPED_DEVIATION * skipped
    people = near.count + far.count + skipped
    return torch.where(people > 0, total / people, 0.)


def on_lines(alpha, beta, scene, disparity):
    """z (*), m, of disparity (*) by a scene's lines (S, 2) of near and far people; by the other one where one has no
    slope, None where neither has."""
    lines = [(float(slope), float(shift)) for slope, shift in zip(alpha[scene], beta[scene]) if slope > 0]
    if not lines:
        return None
    depth = 1 / disparity
    near, far = (slope * depth + shift for slope, shift in (lines[0], lines[-1]))
    return torch.where(depth > FAR_DEPTH, far, near)


def moved_z(group, alpha, beta):
    return alpha[:, None] * group.depth + beta[:, None]


def heights_on(group, alpha, beta):
    return group.heights / group.z * moved_z(group, alpha, beta)


def relative_move(group, line):
    """How much farther (S, P) the line moves each follower, as a part of its distance; 0 for everybody else."""
    return (moved_z(group, line.alpha, line.beta) / group.z - 1) * line.followers


def masked_sum(values, mask):
    """Sum (S) over the people of a mask; a product is several times faster than a choice, padding is finite."""
    return (values * mask).sum(-1)
