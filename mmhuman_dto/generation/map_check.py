"""Whether depth maps can be what they are taken for: their kind, their unit, their camera, by the meshes over them."""
import math
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.dto import PaperDTO
from mmhuman_dto.dto.evidence import ROUNDING
from mmhuman_dto.dto.solvers.paper import FAR_DEPTH
from mmhuman_dto.dto.terms.depth import PER_KILOMETRE

from .findings import FEW, MOST, PIXELS, Finding, by

#: Pairs of people, more than _APART apart in the logarithm of z, and people that order and relief are judged by.
_PAIRS, _PEOPLE, _APART = 6, 4, .1
#: Shares of pairs in the right order, and correlations within people, below which a map is upside down.
_REVERSED, _REVERSED_WITHIN = .3, -.1
#: Pixels of the longer side of a map that are looked at; others are skipped.
_LONG_SIDE = 768
#: Disparity that the paper's limit between near and far suits, 1/km: people at 0.2 to 50 m.
_PAPER_RANGE = 1 / FAR_DEPTH * .4, 1 / FAR_DEPTH * 100
_PAPER_CENTRE = 300.
#: Units that maps of metres are found to be in, by how much larger their values are; 256 is ZoeDepth's 16-bit picture.
_UNITS = {1000.: 'mm', 100.: 'cm', 1 / .0254: 'inches', 256.: "ZoeDepth's m * 256", .001: 'km'}
#: The longer side of what Depth Anything 3 is fed, px.
_FED = 504
#: A ratio is taken for one that has a name within this, in logarithms, and a map is not in metres beyond this factor.
_NEAR, _OFF = .3, 3.
#: Focal lengths differ from here on, in logarithms.
_FOCAL_DIFFERS = .15


class Options(NamedTuple):
    """How a program's user says otherwise: text with a place for the value."""
    kind: str = '--depth-kind {}'
    scale: str = '--cfg-options stages.depth.source.scale={}'
    network: str = '--cfg-options stages.depth.source.layout.network={}'
    folder: str = '--depth'
    focal: str = '--focal depth'

    @classmethod
    def of_stage(cls, stage):
        """Those of a config's stage of depth."""
        source = f'stages.{getattr(stage, "name", "depth")}.source'
        return cls(f'{source}.kind={{}}', f'{source}.scale={{}}', f'{source}.layout.network={{}}', f'{source}.folder',
                   'a stage AddFocal of DepthFocal')


def findings_of_maps(samples, kind, solver=None, options=None):
    """What is wrong with depth maps, by the meshes drawn over them: list of :class:`Finding`.

    Args:
        samples: with ``pred_maps`` (disparity, id_map, z_map); of maps in metres, where known, ``pred_camera`` and the
            metainfo ``depth_focal`` (px) tell more.
        kind: what the maps are taken for, see :data:`mmhuman_dto.perception.depth_kinds.KINDS`.
        solver: that is to place the people.
        options: :class:`Options` that the cure is said in; None: those of programs for single pictures.
    """
    options = options or Options()
    samples = [sample for sample in samples if 'disparity' in sample.pred_maps]
    constant = [sample for sample in samples if _is_constant(sample.pred_maps.disparity)]
    if samples and len(constant) / len(samples) >= MOST:
        return [Finding(f'{len(constant)} of {len(samples)} depth maps are constant: nothing in them is nearer than '
                        f'anything else. {options.folder} must name maps of these pictures', True)]
    people = [_people_in(sample.pred_maps) for sample in samples]
    if reversed_ := _of_order(people, kind, options):
        return reversed_
    if kind == 'metres':
        return _of_metres(people, samples, options)
    return _of_scale(people, kind, solver, options)


def findings_of_files(samples, stage):
    """What is odd about the files that a source's maps come from; nothing where they don't come from plain files."""
    stored = getattr(getattr(stage, 'source', None), 'stored', None)
    if stored is None:
        return []
    said, folder, options = [], stage.source.folder, Options.of_stage(stage)
    arrays = [(sample, values) for sample in samples if (values := stored(sample)) is not None]
    if stage.source.scale_path is None and stage.source.scale == 1 and (folder / 'scale.json').is_file():
        path = f'{stage.config["folder"]}/scale.json'
        said.append(f'{folder / "scale.json"} is not used: {options.scale.format(path)}')
    coarse = [sample for sample, values in arrays if values.dtype.itemsize == 1]
    if coarse:
        said.append(f'{len(coarse)} of {len(arrays)} depth maps have 8 bits, 256 steps from the nearest to the '
                    f'farthest ({coarse[0].img_id}): people who stand near each other share one. Store 16 bits, or '
                    'floats as .npy')
    small = [(sample, values) for sample, values in arrays if max(values.shape) < max(sample.ori_shape) / 4]
    if small:
        sample, values = small[0]
        said.append(f'{len(small)} of {len(arrays)} depth maps are less than a quarter as large as their pictures '
                    f'({sample.img_id}: {by(values.shape)} for {by(sample.ori_shape)}, height x width, px): are '
                    'these of thumbnails?')
    return [Finding(text, False) for text in said]


def _is_constant(disparity):
    values = disparity[torch.isfinite(disparity)]
    return not len(values) or float(values.max() - values.min()) <= 1e-3 * float(values.abs().max())


def _people_in(maps):
    """(n, 3) of each person with enough pixels in a map: median disparity, median z (m), and the correlation of
    disparity and 1 / z within the person, each image row's mean taken off both."""
    step = -(-max(maps.id_map.shape) // _LONG_SIDE)
    ids, disparity, z = (field[::step, ::step].cpu().double().numpy()
                         for field in (maps.id_map, maps.disparity, maps.z_map))
    usable, rows = (ids > 0) & np.isfinite(disparity) & (disparity > 0) & (z > 0), np.indices(ids.shape)[0]
    found = []
    for person in np.unique(ids[usable]):
        mine = usable & (ids == person)
        if mine.sum() >= PIXELS:
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


def _of_order(people, kind, options):
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
    said = [f'of {pairs} pairs of people {right} are in the order of their meshes'] if pairs else []
    if len(within):
        said.append(f'within people the correlation with the meshes is {np.median(within):.2f} (median of '
                    f'{len(within)})')
    # Order alone is no proof: a map of the ground, flat within people, can have it reversed.
    proven = within_says and (between_says or pairs < _PAIRS)
    return [Finding(f'the depth maps {"are" if proven else "may be"} inverted, they say the reverse of the meshes: '
                    f'{"; ".join(said)}. '
                    f'{_inverted(np.concatenate(people), kind, options)}', proven)]


def _inverted(people, kind, options):
    """What maps that say the reverse are likely to be, and how to say so."""
    if kind != 'disparity':
        return f'Do the files hold disparity, not {kind}? {options.kind.format("disparity")}'
    ratio = np.median(people[:, 0] / people[:, 1])
    unit = '' if abs(math.log(ratio)) < math.log(_OFF) else _nearest(ratio, _UNITS)
    if unit is None:
        return (f'Do the files hold depth, not disparity? {options.kind.format("depth")}, or, where it is in m but for '
                f'a scale, {options.kind.format("metres")}')
    return (f'Do the files hold {f"depth in {_UNITS[unit]}" if unit else "metres"}, not disparity? '
            f'{options.kind.format("metres")}' + (f' {options.scale.format(f"{1 / unit:g}")}' if unit else ''))


def _of_metres(people, samples, options):
    """Units and focal lengths of maps in metres."""
    people = np.concatenate(people) if people else np.zeros((0, 3))
    if len(people) < FEW:
        return []
    ratio = float(np.median(PER_KILOMETRE / people[:, 0] / people[:, 1]))
    if found := _of_focals(ratio, samples, options):
        return found
    if 1 / _OFF < ratio < _OFF:
        return []
    said = f'the depth maps put people {ratio:.3g} x as far away as their meshes are, and are taken for metres'
    return [Finding(f'{said}: {_unit_cure(ratio, samples, options)}', not .1 < ratio < 10)]


def _of_focals(ratio, samples, options):
    """Maps in metres that are off because another focal length came with them."""
    pairs = [(_focal(sample), sample.get('depth_focal', math.nan)) for sample in samples]
    pairs = [pair for pair in pairs if np.isfinite(pair).all()]
    if not pairs:
        return []
    theirs = float(np.median([math.log(map_focal / focal) for focal, map_focal in pairs]))
    if abs(theirs) < _FOCAL_DIFFERS or abs(math.log(ratio) - theirs) > abs(math.log(ratio)):
        return []
    return [Finding(f'the depth maps put people {ratio:.3g} x as far away as their meshes are, as they come with '
                    f'another focal length: {pairs[0][1]:.4g} px, the meshes have {pairs[0][0]:.4g}. If that of the '
                    f'maps is right: {options.focal}', False)]


def _unit_cure(ratio, samples, options):
    """What maps in metres are likely to be that put people ``ratio`` times as far away as their meshes."""
    unit = _nearest(ratio, _UNITS)
    if unit is not None:
        return f'are they in {_UNITS[unit]}? Then {options.scale.format(f"{1 / unit:.4g}")} is missing'
    focals = [(_focal(sample), _FED / max(sample.pred_maps.disparity.shape)) for sample in samples]
    if np.isfinite(focals).all():
        focal, fed = np.median(focals, axis=0)
        if _nearest(ratio, [300 / (focal * fed)]):
            return f'are they of DA3METRIC, times focal / 300? {options.network.format("metric")}'
        if _nearest(ratio, [1000 / focal]):
            return "are they of Metric3D, times focal / 1000? layout=dict(type='Metric3D')"
    factor = 10.**round(math.log10(1 / ratio))
    return (f"is a scale missing ({options.scale.format(f'{factor:g}')} or the maps' own), or are they depth up to a "
            f'factor? {options.kind.format("depth")}')


def _focal(sample):
    """Focal length of a sample's camera, px; nan without one."""
    return float(sample.pred_camera.intrinsics[1, 1]) if 'pred_camera' in sample else math.nan


def _nearest(ratio, named):
    """The number among those that have a name which a ratio is near to; None."""
    close = min(named, key=lambda number: abs(math.log(ratio / number)), default=None)
    return close if close is not None and abs(math.log(ratio / close)) < _NEAR else None


def _of_scale(people, kind, solver, options):
    """Units of maps that have none, where the solver does not find them itself, or where they look like metres."""
    people = np.concatenate(people) if people else np.zeros((0, 3))
    if len(people) < FEW or solver is None:
        return []
    disparity = np.median(people[:, 0])
    if not isinstance(solver, PaperDTO):
        ratio = np.median(PER_KILOMETRE / people[:, 0] / people[:, 1])
        if kind == 'depth' and abs(math.log(ratio)) < _NEAR / 2:
            return [Finding(f'the depth maps put people {ratio:.3g} x as far away as their meshes are, if their values '
                            f'are metres; {options.kind.format("metres")} would use that', False)]
        return []
    low, high = _PAPER_RANGE
    if not solver.split or low <= disparity <= high:
        return []
    factor = 10.**round(math.log10(_PAPER_CENTRE / disparity))
    cure = ('PosteriorDTO needs no unit' if kind == 'depth' else
            f"is a scale missing? {options.scale.format(f'{factor:g}')} or the maps' own")
    return [Finding(f'the disparity of people is {disparity:.3g} (median of {len(people)}); PaperDTO takes people '
                    f'below {1 / FAR_DEPTH:g} for far ones and expects about 100 to 1000: {cure}', False)]
