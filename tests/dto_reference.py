"""DTO for one scene, person by person and pixel row by pixel row, in plain Python and numpy.

Slow, and written from the paper's description (arXiv 2511.13282) apart from ``mmhuman_dto.dto``, which tests hold
against it. ``branches`` collects which rules a scene meets.
"""
import numpy as np

CLASSES = [(.801, .126), (1.122, .12), (1.477, .156), (1.647, .0707), (1.784, .0759), (1.715, .1)]


def height_prior(height, age, male_prob, use_age=True, use_gender=True):
    """Mean, std and class of one person."""
    kind = 5
    if use_gender and male_prob < .33:
        kind = 3
    if use_gender and male_prob >= .67:
        kind = 4
    if use_age and age < 15:
        kind = 2 if age >= 8 else 1 if age >= 3 else 0
    mean, std = CLASSES[kind]
    if kind >= 3 and use_gender:
        mean = (height + mean) / 2
    elif kind >= 3:
        mean, std = height, .073
    return mean, std, kind


def person_evidence(disparity, mask, z_map, visible_vertices):
    """Statistics of one person as a dict, or None where the person is dropped."""
    disparity, z_map = disparity.astype(np.float64), z_map.astype(np.float64)
    if not (disparity > 0).any():
        return None
    disparity = np.where(disparity > 0, disparity, disparity[disparity > 0].min())
    depth = 1 / disparity
    height, width = disparity.shape
    smallest = height / 20 * (width / 20)
    if mask.sum() < smallest or visible_vertices < 500:
        return None
    first, third = np.percentile(depth[mask], [25, 75])
    low, high = max(first - 1.5 * (third - first), 0), third + 1.5 * (third - first)
    mask = mask & (depth > low) & (depth < high)
    if mask.sum() < smallest:
        return None
    rows, columns = np.nonzero(mask)
    d, z = depth[rows, columns], z_map[rows, columns]
    flat_d, flat_z = d.copy(), z.copy()
    for row in set(rows.tolist()):
        here = rows == row
        flat_d[here] -= d[here].mean()
        flat_z[here] -= z[here].mean()
    varies = flat_d.std() > 1e-12 * d.mean()
    slope = np.polyfit(flat_d / flat_d.std(), flat_z, 1)[0] / flat_d.std() if varies else 0.
    correlation = np.corrcoef(flat_d, flat_z)[0, 1] if varies and flat_z.std() > 1e-12 * z.mean() else 0.
    good = np.abs(flat_z - slope * flat_d) <= .1
    if not good.any():
        return None
    d, z, rows = d[good], z[good], rows[good]
    lowest = rows >= np.percentile(rows, 90)
    return dict(depth=d.mean(), depth_std=d.std(), z=z.mean(), down_depth=d[lowest].mean(), down_z=z[lowest].mean(),
                slope=slope, correlation=correlation)


def solve_group(people, depth, z, slope_bound, branches):
    """One group of at least two; returns alpha, beta, who follows the line, count and deviation."""
    trusted = [p for p in people if p['correlation'] > .5]
    bound = 20.
    if slope_bound and trusted:
        bound = sum(p['slope'] * p['correlation'] for p in trusted) / sum(p['correlation'] for p in trusted)
        branches.add('slope from meshes')
    elif slope_bound:
        branches.add('no slope: 20')
    inside = list(range(len(people)))
    for turn in range(10):
        A = B = C = D = E = 0.
        for i in inside:
            p = people[i]
            a, b = p['height'] * depth[i] / (z[i] * p['std']), p['height'] / (z[i] * p['std'])
            m = p['mean'] / p['std']
            A, B, C, D, E = A + a * a, B + a * b, C + b * b, D + a * m, E + b * m
        depths = [depth[i] for i in inside]
        flat = np.std(depths) < np.mean([people[i]['depth_std'] for i in inside]) or len(set(depths)) == 1
        alpha = bound if len(set(depths)) == 1 else (C * D - B * E) / (A * C - B * B)
        if flat or alpha < bound:
            branches.add('pseudo-plane' if flat else 'bounded')
            alpha, beta = bound, (E - B * bound) / C
        else:
            branches.add('free')
            beta = (A * E - B * D) / (A * C - B * B)
            if len(inside) == 2:
                branches.add('exact pair' if len(people) == 2 else 'exact pair left')
                return alpha, beta, inside, 0, 0.
        heights = {i: people[i]['height'] * (alpha * depth[i] + beta) / z[i] for i in inside}
        tallest = max(inside, key=lambda i: heights[i])
        if heights[tallest] <= 2.1:
            break
        if len(inside) <= 2:
            branches.add('give up' if len(people) == 2 else 'give up late')
            return 0., max(z), [], 0, 0.
        branches.add('take out' if turn < 9 else 'ten rounds')
        inside.remove(tallest)
    deviation = np.mean([abs(heights[i] - people[i]['mean']) / people[i]['std'] for i in inside])
    return alpha, beta, inside, len(inside), deviation


def solve_scene(people, slope_bound=True, branches=None):
    """Place the people of a scene.

    Args:
        people: dicts with height, mean, std, depth, depth_std, z, down_depth, down_z, slope, correlation and
            apparent_size.
        branches: set that gains the names of the rules met.

    Returns:
        scale and skipped of each person, optimised, deviation.
    """
    branches = set() if branches is None else branches
    far = [i for i, p in enumerate(people) if p['depth'] > .02 or p['apparent_size'] < .25]
    near = [i for i in range(len(people)) if i not in far]
    scale, skipped = [1.] * len(people), [False] * len(people)
    counts, deviations = [0, 0], [0., 0.]
    near_depth, near_alpha, near_beta = [], 0., 0.
    if len(near) == 1:
        branches.add('lone near')
        near_depth, near_beta = [people[near[0]]['depth']], people[near[0]]['z']
    elif near:
        group = [people[i] for i in near]
        near_depth, near_z = [p['depth'] for p in group], [p['z'] for p in group]
        best = solve_group(group, near_depth, near_z, slope_bound, branches)
        down_depth, down_z = [p['down_depth'] for p in group], [p['down_z'] for p in group]
        down = solve_group(group, down_depth, down_z, slope_bound, branches)
        if down[3] >= best[3] and down[4] < best[4]:
            branches.add('down wins')
            best, near_depth, near_z = down, down_depth, down_z
        near_alpha, near_beta, inside, counts[0], deviations[0] = best
        for k, i in enumerate(near):
            skipped[i] = k not in inside
            if k in inside:
                scale[i] = (near_alpha * near_depth[k] + near_beta) / near_z[k]
    if len(far) == 1:
        branches.add('lone far')
    elif far:
        group = [people[i] for i in far]
        depth, z = [p['depth'] for p in group], [p['z'] for p in group]
        alpha, beta, inside, counts[1], deviations[1] = solve_group(group, depth, z, slope_bound, branches)
        branches.add('far group')
        if near:
            floor = max(near_depth) * near_alpha + near_beta - min(depth) * alpha
            if floor > beta:
                branches.add('pushed behind lone' if len(near) == 1 else 'pushed behind')
                beta = floor
            for k in list(inside):
                if group[k]['height'] * (alpha * depth[k] + beta) / z[k] > 2.1:
                    branches.add('pushed too tall' if counts[1] > 0 else 'pushed too tall below 0')
                    inside.remove(k)
                    counts[1] = max(counts[1] - 1, 0)
        for k, i in enumerate(far):
            skipped[i] = k not in inside
            if k in inside:
                scale[i] = (alpha * depth[k] + beta) / z[k]
    people_counted = sum(counts) + sum(skipped)
    total = deviations[0] * counts[0] + deviations[1] * counts[1] + 3 * sum(skipped)
    return scale, skipped, max(counts) >= 2, total / people_counted if people_counted else 0.


def move_person(body_model, pose, betas, transl, height, scale, kind):
    """New betas and transl of one person (arrays); ``body_model`` takes and returns arrays of one person."""
    child = (kind <= 2 and scale < 1) or height * scale < 1.45
    k = 10 if child else 0
    step = np.zeros_like(betas)
    step[k] = 1
    new_betas = betas + step * height * (scale - 1) / (height - body_model.height(betas - step))
    new_transl = transl * scale
    if child:
        before = body_model.joints(pose, betas, transl)
        after = body_model.joints(pose, new_betas, new_transl)
        new_transl[:2] += (before * scale - after).mean(0)[:2]
    return new_betas, new_transl
