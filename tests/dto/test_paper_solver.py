"""The batched solver against one scene at a time, on scenes made to meet every rule."""
import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch
from dto_reference import solve_scene
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.dto import DTOProblem, PaperDTO

FIELDS = ('depth', 'depth_std', 'z', 'down_depth', 'down_z', 'slope', 'correlation', 'heights', 'prior_mean',
          'prior_std', 'apparent_size')
#: What only other solvers read.
UNREAD = ('disparity', 'inverse_z', 'residual_std', 'ages', 'male_probs')
#: Rules that random scenes must meet, each at least this often in 3000 scenes.
BRANCHES = ('slope from meshes', 'no slope: 20', 'pseudo-plane', 'bounded', 'free', 'exact pair', 'exact pair left',
            'give up', 'give up late', 'take out', 'ten rounds', 'lone near', 'lone far', 'far group', 'down wins',
            'pushed behind', 'pushed behind lone', 'pushed too tall', 'pushed too tall below 0')


def random_scene(rng, twins=.1):
    """People of one scene, fields (P) in float64: a line of depths with people on and off it, some of them giants.

    ``twins``: how often two of more than two people are the same.
    """
    num = int(rng.choice([1, 2, 3, 4, 5, 6, 9, 14], p=[.06, .2, .2, .16, .14, .12, .06, .06]))
    alpha, offset = rng.uniform(30, 600), rng.uniform(-1, 2)
    kind = rng.choice(['near', 'far', 'by size', 'mixed'], p=[.45, .1, .1, .35])
    low, high = {'near': (.004, .02), 'far': (.021, .08), 'by size': (.004, .02), 'mixed': (.012, .03)}[kind]
    depth = rng.uniform(low, high, num)
    if rng.random() < .15:
        depth = depth.mean() * (1 + 1e-3 * rng.standard_normal(num))
    z = np.maximum(alpha * depth + offset, .5) * np.exp(rng.choice([.02, .1, .4]) * rng.standard_normal(num))
    mean = rng.choice([.801, 1.122, 1.477, 1.65, 1.75], num)
    heights = mean * np.exp(.08 * rng.standard_normal(num))
    if rng.random() < .3:
        giants = rng.random(num) < rng.choice([.3, .9])
        heights, mean = np.where(giants, heights + 1.2, heights), np.where(giants, mean + .9, mean)
    down = depth * (1 + rng.choice([.003, .05]) * rng.standard_normal(num))
    trusting = rng.random() < .7
    people = dict(
        depth=depth, depth_std=depth * rng.uniform(.001, rng.choice([.02, .3]), num), z=z,
        down_depth=down, down_z=z * (1 + .01 * rng.standard_normal(num)),
        slope=alpha * rng.uniform(.1, rng.choice([.9, 2.5]), num),
        correlation=rng.uniform(-.3, 1 if trusting else .5, num),
        heights=heights, prior_mean=mean, prior_std=rng.choice([.0707, .1, .126], num),
        apparent_size=np.full(num, .2) if kind == 'by size' else np.full(num, .5))
    if num > 2 and rng.random() < twins:
        people = {name: np.append(values[:-1], values[-2]) for name, values in people.items()}
    return people


def problem_of(scenes, pad=0):
    """A DTOProblem of scenes; padding holds what must not matter."""
    size = max(len(scene['depth']) for scene in scenes) + pad
    padded = {name: torch.full((len(scenes), size), 7., dtype=torch.float64) for name in FIELDS}
    mask = torch.zeros(len(scenes), size, dtype=torch.bool)
    for i, scene in enumerate(scenes):
        mask[i, :len(scene['depth'])] = True
        for name in FIELDS:
            padded[name][i, :len(scene[name])] = torch.from_numpy(scene[name])
    index = torch.arange(size).expand(len(scenes), size)
    unread = {name: torch.ones_like(padded['z']) for name in UNREAD}
    feet = torch.ones(*mask.shape, 3).double()
    return DTOProblem(mask=mask, person_index=index, height_class=torch.full_like(index, 5), has_depth=mask,
                      size_std=torch.full(mask.shape, torch.nan), leg_reach=torch.ones(mask.shape),
                      focal_std=torch.full((len(scenes), ), torch.nan),
                      drop_reasons=(), feet=feet, feet_seen=mask,
                      pelvis=feet, balls=torch.stack([feet, feet], 2), **padded, **unread)


def reference(scene, slope_bound=True, branches=None):
    names = {'height': 'heights', 'mean': 'prior_mean', 'std': 'prior_std'}
    keys = [*names, *(name for name in FIELDS if name not in names.values())]
    people = [{key: float(scene[names.get(key, key)][i]) for key in keys} for i in range(len(scene['depth']))]
    return solve_scene(people, slope_bound, branches)


def assert_equal_results(result, other, rows=slice(None)):
    for name in ('alpha', 'beta', 'scale', 'skipped', 'optimised', 'deviation'):
        torch.testing.assert_close(getattr(result, name)[rows], getattr(other, name), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('slope_bound', [True, False])
def test_agrees_with_reference_on_every_branch(slope_bound):
    rng = np.random.default_rng(7)
    scenes = [random_scene(rng) for _ in range(3000)]
    problem = problem_of(scenes)
    result = PaperDTO(slope_bound=slope_bound).solve(problem)
    met = Counter()
    for i, scene in enumerate(scenes):
        branches, num = set(), len(scene['depth'])
        scale, skipped, optimised, deviation = reference(scene, slope_bound, branches)
        met.update(branches)
        np.testing.assert_allclose(result.scale[i, :num], scale, rtol=1e-7, atol=1e-9, err_msg=f'scene {i} {branches}')
        assert result.skipped[i, :num].tolist() == skipped, (i, branches)
        assert bool(result.optimised[i]) == optimised, (i, branches)
        np.testing.assert_allclose(result.deviation[i], deviation, rtol=1e-7, atol=1e-9, err_msg=f'scene {i}')
        assert result.scale[i, num:].eq(1).all()
        assert not result.skipped[i, num:].any()
    wanted = BRANCHES if slope_bound else set(BRANCHES) - {'slope from meshes', 'no slope: 20'}
    assert all(met[name] >= 5 for name in wanted), met


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, num=st.integers(1, 6), pad=st.integers(0, 3))
def test_a_batch_is_each_scene_alone_whatever_the_padding(seed, num, pad):
    rng = np.random.default_rng(seed)
    scenes = [random_scene(rng) for _ in range(num)]
    together = PaperDTO().solve(problem_of(scenes, pad))
    for i, scene in enumerate(scenes):
        alone = PaperDTO().solve(problem_of([scene]))
        size = len(scene['depth'])
        cut = dataclasses.replace(together, scale=together.scale[:, :size], skipped=together.skipped[:, :size])
        assert_equal_results(cut, alone, slice(i, i + 1))


@settings(max_examples=50, deadline=None)
@given(seed=seeds)
def test_order_of_people_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    scene = random_scene(rng, twins=0)  # of equal people the first is taken out
    order = rng.permutation(len(scene['depth']))
    result = PaperDTO().solve(problem_of([scene]))
    permuted = PaperDTO().solve(problem_of([{name: values[order] for name, values in scene.items()}]))
    expected = dataclasses.replace(result, scale=result.scale[:, order], skipped=result.skipped[:, order])
    assert_equal_results(expected, permuted)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, factor=st.floats(.1, 1.))
def test_unit_of_depth_does_not_matter_among_near_people_whose_meshes_tell_the_slope(seed, factor):
    scene = random_scene(np.random.default_rng(seed))
    near = np.minimum(scene['depth'] / scene['depth'].max() * .019, .019)
    scene.update(depth=near, apparent_size=np.full_like(near, .5), correlation=np.abs(scene['correlation']) * .4 + .55)
    other = dict(scene)
    for name in ('depth', 'depth_std', 'down_depth'):
        other[name] = scene[name] * factor
    other['slope'] = scene['slope'] / factor
    result, changed = PaperDTO().solve(problem_of([scene])), PaperDTO().solve(problem_of([other]))
    torch.testing.assert_close(changed.scale, result.scale, rtol=1e-6, atol=1e-6)
    if len(set(scene['depth'])) == len(near):  # among equal people rounding decides between two equally good solutions
        torch.testing.assert_close(changed.alpha * factor, result.alpha, rtol=1e-6, atol=1e-6)


def exact_scene(depth, alpha=300., beta=.5, heights=1.7, **fields):
    """People whose prior holds exactly on the line, though their initial distance is wrong."""
    depth = np.array(depth, dtype=np.float64)
    wrong = np.linspace(.8, 1.2, len(depth))
    z = (alpha * depth + beta) * wrong
    heights = np.full(len(depth), heights)
    scene = dict(
        depth=depth, depth_std=np.full_like(depth, 1e-6), z=z, down_depth=depth, down_z=z,
        slope=np.full_like(depth, 10.), correlation=np.full_like(depth, .9), heights=heights * wrong,
        prior_mean=heights, prior_std=np.full_like(depth, .1), apparent_size=np.full_like(depth, .5))
    return {**scene, **{name: np.array(values, dtype=np.float64) for name, values in fields.items()}}


def test_finds_the_line_people_stand_on():
    scene = exact_scene([.006, .009, .012, .018])
    result = PaperDTO().solve(problem_of([scene]))
    assert float(result.alpha[0, 0]) == pytest.approx(300)
    assert float(result.beta[0, 0]) == pytest.approx(.5)
    np.testing.assert_allclose(result.scale[0] * scene['heights'], 1.7)
    assert result.optimised.item()
    assert float(result.deviation) == pytest.approx(0, abs=1e-9)


def test_near_and_far_people_have_their_own_lines():
    near, far = exact_scene([.006, .009, .012]), exact_scene([.03, .05, .08], alpha=100., beta=3.)
    scene = {name: np.concatenate([near[name], far[name]]) for name in near}
    result = PaperDTO().solve(problem_of([scene]))
    np.testing.assert_allclose(result.alpha, [[300, 100]])
    np.testing.assert_allclose(result.beta, [[.5, 3]])


def test_without_the_split_all_share_one_line():
    near, far = exact_scene([.006, .009, .012]), exact_scene([.03, .05, .08])
    scene = {name: np.concatenate([near[name], far[name]]) for name in near}
    result = PaperDTO(split=False).solve(problem_of([scene]))
    np.testing.assert_allclose(result.alpha, [[300, 0]], atol=1e-6)
    np.testing.assert_allclose(result.scale[0] * scene['heights'], 1.7)


def test_without_down_means_the_lowest_pixels_do_not_matter():
    scene = exact_scene([.006, .009, .012, .018])
    noisy = dict(scene, depth=scene['depth'] * [1.2, .8, 1.1, .9])  # the lowest pixels fit better
    with_down, without = PaperDTO().solve(problem_of([noisy])), PaperDTO(down_means=False).solve(problem_of([noisy]))
    assert not with_down.scale.allclose(without.scale)
    moved = dict(noisy, down_depth=noisy['depth'] * 3, down_z=noisy['z'] * 2)
    assert_equal_results(without, PaperDTO(down_means=False).solve(problem_of([moved])))


@pytest.mark.parametrize('change', [
    dict(depth=[.01, .01, .01], depth_std=[0, 0, 0]),
    dict(depth=[.01, .01, .01], depth_std=[0, 0, 0], correlation=[0, 0, 0], slope=[0, 0, 0]),
    dict(depth=[.006, .009, .012], depth_std=[0, 0, 0], correlation=[0, 0, 0]),
    dict(depth=[0, 0, 0], depth_std=[0, 0, 0]),
], ids=['same depth', 'same depth, no slope', 'no spread', 'zero depth'])
def test_degenerate_scenes_are_finite(change):
    scene = exact_scene(**change)
    result = PaperDTO().solve(problem_of([scene]))
    for name in ('alpha', 'beta', 'scale', 'deviation'):
        assert getattr(result, name).isfinite().all(), name
    if len(set(scene['depth'])) == 1:
        z = result.scale[0] * torch.from_numpy(scene['z'])
        torch.testing.assert_close(z, z.mean().expand(3))  # people at one depth come to one distance


@pytest.mark.gpu
def test_same_result_on_cuda():
    rng = np.random.default_rng(3)
    problem = problem_of([random_scene(rng) for _ in range(500)])
    moved = {f.name: getattr(problem, f.name) for f in dataclasses.fields(problem)}
    moved = DTOProblem(**{k: v.cuda() if torch.is_tensor(v) else v for k, v in moved.items()})
    result = PaperDTO().solve(moved)
    for name in ('scale', 'skipped', 'optimised', 'deviation'):
        torch.testing.assert_close(getattr(result, name).cpu(), getattr(PaperDTO().solve(problem), name))
