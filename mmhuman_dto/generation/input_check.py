"""Whether meshes, cameras and maps can be what they are taken for, by a few images, before all are worked on.

Most mistakes with inputs (units, axes, degrees, depth for disparity) are finite numbers that no stage refuses. They are
told here in a sentence each, with the likely cure.
"""
import itertools
import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.datasets.agreement import disagreements_of
from mmhuman_dto.datasets.image_folders import spread
from mmhuman_dto.dto import DTOProblem, PaperDTO, count_reasons, counted
from mmhuman_dto.dto.evidence import ROUNDING
from mmhuman_dto.dto.problem import FOOT_JOINTS
from mmhuman_dto.dto.solvers.paper import FAR_DEPTH
from mmhuman_dto.stages.dto import OptimiseTranslations
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.tables.label_ranges import implausible, implausible_focal

from .pipeline import Clock

#: Images that are tried, and below how many nothing is concluded from all of them failing.
IMAGES, FEW = 8, 3
#: Index of the head among SMPL's joints.
_HEAD = 15
#: Share of people or images from which on a mistake is no accident.
_MOST = .5
#: The size in the picture that masks show over that of the meshes, from which on units or the focal length are wrong:
#: of most people more than this is seen, and nobody's mask is much larger than the person.
_LARGER, _SMALLER, _HARDLY = 2., .4, 1 / 100
#: Pairs of people, more than _APART apart in the logarithm of z, and people that order and relief are judged by.
_PAIRS, _PEOPLE, _APART = 6, 4, .1
#: Shares of pairs in the right order, and correlations within people, below which a map is upside down.
_REVERSED, _REVERSED_WITHIN = .3, -.1
#: Fewer pixels of a person than this tell nothing.
_PIXELS = 30
#: Pixels of the longer side of a map that are looked at; others are skipped.
_LONG_SIDE = 768
#: Disparity that the paper's limit between near and far suits, 1/km: people at 0.2 to 50 m.
_PAPER_RANGE = 1 / FAR_DEPTH * .4, 1 / FAR_DEPTH * 100
_PAPER_CENTRE = 300.
_AXES = 'ours are x right, y down, z forward'


class Finding(NamedTuple):
    """What is odd about inputs, and whether nothing usable can come of them."""
    text: str
    stops: bool


def check_inputs(pipeline, count):
    """Try some of the first ``count`` images of a :class:`StagePipeline`, up to DTO: list of :class:`Finding`."""
    rows, stages = spread(count, IMAGES), pipeline.stages.stages
    samples = [pipeline.read(row) for row in rows]
    names = [stage.name for stage in itertools.takewhile(lambda one: not isinstance(one, OptimiseTranslations), stages)]
    pipeline.stages.run(samples, Clock(), names)
    outcomes = [sample for sample in samples if isinstance(sample, Outcome)]
    samples = [one for one in samples if not isinstance(one, Outcome) and len(one.get('pred_instances', ()))]
    if not samples:
        return finding_of_failures(outcomes, len(rows))
    found = findings_of_meshes(samples, pipeline.body_model)
    placing = next((stage for stage in stages if isinstance(stage, OptimiseTranslations)), None)
    if placing is None:
        return found
    mapped = [sample for sample in samples if 'disparity' in sample.get('pred_maps', ())]
    if mapped:
        depth = next((stage for stage in stages if 'pred_maps.disparity' in stage.sets), None)
        found += findings_of_files(mapped, depth)
        if not any(one.stops for one in found):  # maps are judged by meshes that can be right
            found += findings_of_maps(mapped, placing.dto.solver, depth)
    # What has a cause of its own is said once.
    return found if any(one.stops for one in found) else [
        *found, *finding_of_people(samples, placing.dto, pipeline.body_model)]


def findings_of_meshes(samples, body_model):
    """What is wrong with the units, axes and cameras of initial meshes: list of :class:`Finding`.

    Args:
        samples: with ``pred_instances``, ``pred_camera`` and, if masks are known, ``pred_maps.segmentation``.
        body_model: whose meshes these are.
    """
    found = [*_of_focals(samples), *_of_axes(samples, body_model)] or _of_sizes(samples, body_model)
    found += _of_angles(samples)
    return found or [Finding(text, False) for text in disagreements_of(samples)]


def findings_of_maps(samples, solver=None, stage=None):
    """What is wrong with depth maps, by the meshes drawn over them: list of :class:`Finding`.

    Args:
        samples: with ``pred_maps`` (disparity, id_map, z_map).
        solver: that is to place the people.
        stage: that set the maps; its name and its source's config tell the cure.
    """
    maps = [sample.pred_maps for sample in samples if 'disparity' in sample.pred_maps]
    constant = [image for image in maps if _is_constant(image.disparity)]
    if maps and len(constant) / len(maps) >= _MOST:
        return [Finding(f'{len(constant)} of {len(maps)} depth maps are constant: nothing in them is nearer than '
                        f'anything else. {_option(stage, "folder")} must name maps of these pictures', True)]
    people = [_people_in(image) for image in maps]
    return _of_order(people, stage) or _of_scale(people, solver, stage)


def findings_of_files(samples, stage):
    """What is odd about the files that a source's maps come from; nothing where they don't come from files."""
    stored = getattr(getattr(stage, 'source', None), 'stored', None)
    if stored is None:
        return []
    said, arrays, folder = [], [(sample, stored(sample)) for sample in samples], stage.source.folder
    if stage.source.scale_path is None and stage.source.scale == 1 and (folder / 'scale.json').is_file():
        path = f'{stage.config["folder"]}/scale.json'
        said.append(f'{folder / "scale.json"} is not used: {_option(stage, "scale")}={path}')
    coarse = [sample for sample, values in arrays if values.dtype.itemsize == 1]
    if coarse:
        said.append(f'{len(coarse)} of {len(arrays)} depth maps have 8 bits, 256 steps from the nearest to the '
                    f'farthest ({coarse[0].img_id}): people who stand near each other share one. Store 16 bits, or '
                    'floats as .npy')
    small = [(sample, values) for sample, values in arrays if max(values.shape) < max(sample.ori_shape) / 4]
    if small:
        sample, values = small[0]
        said.append(f'{len(small)} of {len(arrays)} depth maps are less than a quarter as large as their pictures '
                    f'({sample.img_id}: {_by(values.shape)} for {_by(sample.ori_shape)}, height x width, px): are '
                    'these of thumbnails?')
    return [Finding(text, False) for text in said]


def finding_of_people(samples, dto, body_model):
    """Whether DTO would leave out most people, and why: list of :class:`Finding`."""
    depth = getattr(dto.solver, 'depth', 'needed')
    problem = DTOProblem.from_samples(samples, body_model, dto.prior, dto.evidence, depth)
    reasons = torch.cat(problem.drop_reasons).tolist()
    gone = count_reasons(reasons)
    number = sum(gone.values())
    if not number or number / len(reasons) < _MOST:
        return []
    return [Finding(f'DTO leaves out {number} of the {len(reasons)} people in {len(samples)} images tried: '
                    f'{counted(gone)}', number == len(reasons) >= FEW)]


def finding_of_failures(outcomes, count):
    """Whether all of ``count`` images tried fail: list of :class:`Finding`."""
    failed = [outcome for outcome in outcomes if outcome.kind == 'failed']
    if len(failed) < count or count < FEW:
        return []
    stage, number = Counter(outcome.stage for outcome in failed).most_common(1)[0]
    first = next(outcome for outcome in failed if outcome.stage == stage)
    return [Finding(f'all {count} images tried fail, {number} of them in the stage {stage}: {first.image}: '
                    f'{first.reason}', True)]


def _of_focals(samples):
    said = [(sample, text) for sample in samples
            if (text := implausible_focal(sample.pred_camera.intrinsics, sample.ori_shape))]
    if len(said) / len(samples) < _MOST:
        return []
    return [Finding(f'{said[0][0].img_id} and {len(said) - 1} more of {len(samples)} images: {said[0][1]}', True)]


def _of_axes(samples, body_model):
    z, upside_down = (np.concatenate(parts) for parts in zip(*(_stance(sample, body_model) for sample in samples)))
    behind, turned, count = (z <= 0).sum(), upside_down.sum(), len(z)
    if behind / count < _MOST and turned / count < _MOST:
        return []
    if behind / count < _MOST:
        return [Finding(f'the heads of {turned} of {count} people are below their feet: are y axes pointing up? '
                        f'{_AXES}; multiply y of the translations by -1 and turn the root rotations along',
                        bool(turned / count > .9 and count >= FEW))]
    if turned / count >= _MOST:
        return [Finding(f'{behind} of {count} people are behind the camera (z negative), the heads of {turned} below '
                        f'their feet: these are the axes of OpenGL; {_AXES}. Turn translations (counted from the '
                        'pelvis) and root rotations by 180 degrees about x', True)]
    return [Finding(f'{behind} of {count} people are behind the camera (z negative, median {np.median(z):.3g} m): '
                    f'{_AXES}, translations are those of the camera frame', True)]


def _stance(sample, body_model):
    """z (N), m, of the pelvis, and whether the head is below the feet (N)."""
    people = sample.pred_instances
    joints = body_model.skeleton(people.pose, people.betas, people.transl).double().cpu().numpy()
    below = joints[:, _HEAD, 1] - joints[:, FOOT_JOINTS, 1].mean(1)
    return joints[:, 0, 2], below > .2


def _of_sizes(samples, body_model):
    """Units of distances, and focal lengths, by how large people are in the picture."""
    drawn, ratio, z, sides = [], [], [], []
    for sample in samples:
        people, focal = sample.pred_instances, float(sample.pred_camera.intrinsics[1, 1])
        depth = people.transl[:, 2].double().cpu().numpy()
        size = focal * body_model.height(people.betas).double().cpu().numpy() / depth
        shown = _mask_sizes(sample, len(people))
        drawn.append(size)
        ratio.append(shown / size)
        z.append(depth)
        sides.append(np.full(len(people), max(sample.ori_shape)))
    drawn, ratio, z, sides = map(np.concatenate, (drawn, ratio, z, sides))
    known = ratio[np.isfinite(ratio)]
    factor = np.median(known) if len(known) >= FEW else math.nan
    tall = f'{np.median(drawn):.3g} px tall at z = {np.median(z):.3g} m (medians)'
    if np.median(drawn / sides) < _HARDLY or factor > 30:
        unit, divisor = ('millimetres', 1000) if np.median(z) > 1500 or factor > 300 else ('centimetres', 100)
        return [Finding(f'the meshes of {len(z)} people are {tall}'
                        + (f', 1/{factor:.3g} of what their masks show' if factor > 1 else '')
                        + f': are translations in {unit}? Ours are metres: divide by {divisor}', True)]
    if factor > _LARGER or factor < _SMALLER:
        said = (f'the meshes of {len(known)} people are {1 / factor:.3g} x as large in the picture as their masks, '
                f'{tall}')
        focal = float(samples[0].pred_camera.intrinsics[1, 1])
        outside = any('outside of their pictures' in text for text in disagreements_of(samples))
        return [Finding(f'{said}: is the focal length that of these pictures ({samples[0].img_id}: {focal:.4g} px in '
                        f'{_by(samples[0].ori_shape)} px; {focal * factor:.4g} would fit), and are distances in '
                        'metres?', outside or factor > 3 * _LARGER)]
    if np.median(drawn / sides) > 1.5 and not len(known):
        return [Finding(f'the meshes of {len(z)} people are {tall}, larger than their pictures: focal lengths and '
                        'distances must be of these pictures, in px and m', False)]
    return []


def _mask_sizes(sample, count):
    """Height or width, the larger one, of each person's mask (count), px; nan where none is known."""
    sizes = np.full(count, np.nan)
    if 'pred_maps' in sample and 'segmentation' in sample.pred_maps:
        ids = sample.pred_maps.segmentation.cpu().numpy()
        for person in range(count):
            rows, columns = np.nonzero(ids == person + 1)
            if len(rows) >= _PIXELS:
                sizes[person] = max(np.ptp(rows), np.ptp(columns)) + 1
    return sizes


def _of_angles(samples):
    """Rotations and shapes that nobody has, of most people."""
    people, fields, value = sum(len(sample.pred_instances) for sample in samples), Counter(), {}
    for sample in samples:
        for one in implausible(sample.pred_instances):
            field = 'pose' if one.field in ('global_orient', 'body_pose') else one.field
            fields[field] += 1
            value.setdefault(field, f'{sample.img_id}, person {one.person}: {one.field} {one.value:.4g}')
    said = {'pose': 'are rotations in degrees? Ours are axis-angle in rad: multiply by pi / 180',
            'betas': 'are these coefficients of another body model, or not divided by their standard deviations?'}
    return [Finding(f'{fields[field]} of {people} people have impossible {field} ({value[field]}): {cure}', True)
            for field, cure in said.items() if fields[field] / people >= _MOST]


def _is_constant(disparity):
    values = disparity[torch.isfinite(disparity)]
    return not len(values) or float(values.max() - values.min()) <= 1e-3 * float(values.abs().max())


def _people_in(maps):
    """(n, 3) of each person with enough pixels in a map: median disparity, median z (m), and the correlation of
    disparity and 1 / z within the person, each image row's mean taken off both."""
    step = -(-max(maps.id_map.shape) // _LONG_SIDE)
    ids, disparity, z = (field[::step, ::step].cpu().double().numpy()
                         for field in (maps.id_map, maps.disparity, maps.z_map))
    usable, rows = (ids > 0) & np.isfinite(disparity) & (z > 0), np.indices(ids.shape)[0]
    found = []
    for person in np.unique(ids[usable]):
        mine = usable & (ids == person)
        if mine.sum() >= _PIXELS:
            near, row = 1 / z[mine], rows[mine] - rows[mine].min()
            found.append((np.median(disparity[mine]), np.median(z[mine]), _correlation(disparity[mine], near, row)))
    return np.array(found).reshape(-1, 3)


def _correlation(first, second, row):
    """Correlation of two (K), less the means of their rows; nan where one does not vary."""
    count = np.maximum(np.bincount(row), 1)
    a, b = (values - (np.bincount(row, values) / count)[row] for values in (first, second))
    aa, bb = (a * a).sum(), (b * b).sum()
    varies = aa > ROUNDING * (first**2).sum() and bb > ROUNDING * (second**2).sum()
    return (a * b).sum() / math.sqrt(aa * bb) if varies else math.nan


def _of_order(people, stage):
    """Maps in which what is farther is larger, between people and within them."""
    right = pairs = 0
    for disparity, z, _ in (one.T for one in people):
        first, second = np.triu_indices(len(z), 1)
        apart = np.abs(np.log(z[first] / z[second])) > _APART
        nearer = (disparity[first] - disparity[second]) * (z[second] - z[first])
        right, pairs = right + (nearer[apart] > 0).sum(), pairs + apart.sum()
    within = np.concatenate([one[:, 2] for one in people] or [[]])
    within = within[np.isfinite(within)]
    between_says = pairs >= _PAIRS and right / pairs < _REVERSED
    within_says = len(within) >= _PEOPLE and np.median(within) < _REVERSED_WITHIN
    if not between_says and not within_says:
        return []
    shown, other = ('depth', 'disparity') if _kind(stage) == 'depth' else ('disparity', 'depth')
    said = [f'of {pairs} pairs of people {right} are in the order of their meshes'] if pairs else []
    if len(within):
        said.append(f'within people the correlation with the meshes is {np.median(within):.2f} (median of '
                    f'{len(within)})')
    # Order alone is no proof: a map of the ground, flat within people, can have it reversed.
    proven = within_says and (between_says or pairs < _PAIRS)
    return [Finding(f'the depth maps say the reverse of the meshes: {"; ".join(said)}. Do the files hold {other}, not '
                    f'{shown}? {_option(stage, "kind")}={other}', proven)]


def _of_scale(people, solver, stage):
    """Units of maps, where the solver does not find them itself."""
    people = np.concatenate(people) if people else np.zeros((0, 3))
    people = people[people[:, 0] > 0]
    if len(people) < FEW or solver is None:
        return []
    disparity = np.median(people[:, 0])
    metric = next((term for term in getattr(solver, 'terms', ()) if math.isfinite(getattr(term, 'scale_std', math.inf))
                   and getattr(term, 'uses_depth', False)), None)
    if metric is not None:
        ratio = np.median(1 / people[:, 0] / people[:, 1])
        if 1 / 3 < ratio < 3:
            return []
        said = (f'the depth maps put people {ratio:.3g} x as far away as their meshes are, and '
                f'{type(metric).__name__}(scale_std={metric.scale_std:g}) takes them for metres')
        return [Finding(f'{said}: {_scale_cure(stage, 1 / ratio)}', not .1 < ratio < 10)]
    low, high = _PAPER_RANGE
    if not isinstance(solver, PaperDTO) or not solver.split or low <= disparity <= high:
        return []
    return [Finding(f'the disparity of people is {disparity:.3g} (median of {len(people)}); PaperDTO takes people '
                    f'below {1 / FAR_DEPTH:g} for far ones and expects about 100 to 1000: '
                    f'{_scale_cure(stage, disparity / _PAPER_CENTRE)}', False)]


def _scale_cure(stage, depth_factor):
    """What to do that depths become ``depth_factor`` times as large."""
    factor = 10.**round(math.log10(depth_factor))
    factor = factor if _kind(stage) == 'depth' else 1 / factor
    return f"is a scale missing? {_option(stage, 'scale')}={factor:g} or the maps' own"


def _kind(stage):
    """What the maps of a depth stage's source are said to hold."""
    return getattr(stage, 'config', {}).get('kind', 'disparity')


def _option(stage, name):
    """The option of a depth stage's source on the command line."""
    return f'stages.{getattr(stage, "name", "depth")}.source.{name}'


def _by(size):
    return ' x '.join(str(int(side)) for side in size)
