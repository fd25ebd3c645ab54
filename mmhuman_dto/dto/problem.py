"""A batch of scenes as DTO solvers see it: padded tensors of what is known about each person."""
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch

from ..body_models.joint_sets import JOINT_SETS
from ..geometry import project
from ..structures.fields import SEEN_SCORE
from .bodies import FOOT_JOINTS, PELVIS, bodies_of, stack_rows
from .evidence import DropReason, EvidenceExtractor
from .prior import HeightPrior

#: What of :class:`Evidence` a problem holds.
STATISTICS = ('depth', 'depth_std', 'z', 'down_depth', 'down_z', 'slope', 'correlation', 'disparity', 'inverse_z',
              'residual_std')
#: Columns of the field ``dto_evidence``: all that maps say of a person, and the depth of the mesh it was found for.
CACHED = (*STATISTICS, 'feet_seen', 'root_z')
#: Fields of a problem that are not (S, P, ...).
OF_SCENES = ('focal_std', 'drop_reasons')
#: The joints of a picture that show the feet.
ANKLES = ('left_ankle', 'right_ankle')
#: A foot is seen where its person shows this near to it, m.
REACH = .08


@dataclass
class DTOProblem:
    """P places for people in each of S scenes; all (S, P), float64 unless said. Padding is finite and positive."""
    mask: torch.Tensor  # bool, whether the place has a person
    person_index: torch.Tensor  # int64, the person's row in its sample
    #: depth, depth_std, z, down_depth, down_z, slope, correlation, disparity, inverse_z, residual_std: the person's
    #: :class:`Evidence`
    depth: torch.Tensor
    depth_std: torch.Tensor
    z: torch.Tensor
    down_depth: torch.Tensor
    down_z: torch.Tensor
    slope: torch.Tensor
    correlation: torch.Tensor
    disparity: torch.Tensor
    inverse_z: torch.Tensor
    residual_std: torch.Tensor
    heights: torch.Tensor  # rest-pose height of the initial mesh, m
    #: ages, male_probs: years and probability, nan unknown
    ages: torch.Tensor
    male_probs: torch.Tensor
    pelvis: torch.Tensor  # (S, P, 3) of the initial mesh, m, camera frame
    balls: torch.Tensor  # (S, P, 2, 3) of its left and right foot, m, camera frame
    feet: torch.Tensor  # (S, P, 3) the lower of the two (the larger y)
    #: bool, whether that foot is seen: the id map shows the person there, and the picture's joints the ankle
    feet_seen: torch.Tensor
    leg_reach: torch.Tensor  # how far its leg reaches on along the trunk, 1 as far as it is long, as of who stands
    has_depth: torch.Tensor  # bool, whether a depth map says anything of the person
    size_std: torch.Tensor  # of the logarithm of true over initial size in the image, nan where not stated
    #: prior_mean, prior_std, height_class: the person's :class:`HeightTargets`, m
    prior_mean: torch.Tensor
    prior_std: torch.Tensor
    height_class: torch.Tensor
    apparent_size: torch.Tensor  # part of the image's shorter side that 2 m cover at the person's initial distance
    focal_std: torch.Tensor  # (S) of the logarithm of true over given focal length, nan where not stated
    drop_reasons: tuple  # S int64 tensors (N_i), the :class:`DropReason` of each person of each sample

    @classmethod
    def from_samples(cls, samples, body_model, prior=None, evidence=None, depth='needed'):
        """Gather what is known of the people of S samples.

        What depth maps say is taken from ``pred_maps``, or, where there are none, is what was kept with the people as
        ``dto_evidence`` (see :meth:`cached`). Kept evidence follows a mesh that was moved along its ray, its size with
        it, since then; poses should be about the same.

        Args:
            samples: S :class:`HumanDataSample`, on the device of the body model, with ``pred_instances``
                (of a body model global_orient, body_pose, betas, transl; optional, unknown where absent: ages,
                male_probs, sizes_std, ``keypoint_scores`` of the metainfo ``keypoint_set``) and ``pred_camera``
                (intrinsics, optional ``focal_std``). Either ``pred_maps`` (disparity, id_map, z_map) of the camera's
                image and ``visible_vertices`` of the people, or ``dto_evidence`` of the people, the metainfo
                ``ori_shape`` and the original image's camera.
            body_model: a body model or other :class:`~.bodies.Bodies`, which say what else people need.
            prior: (heights, ages, male_probs) -> HeightTargets; default :class:`HeightPrior`.
            evidence: (maps, visible_vertices) -> Evidence; default :class:`EvidenceExtractor`.
            depth: 'needed' drops people of whom the maps say nothing; 'used' keeps them, without ``has_depth``, and
                samples need no maps; 'unused' looks at no depth map.

        Raises:
            ValueError: a field is missing, or maps don't fit each other or the people.
        """
        people = [sample.pred_instances for sample in samples]
        sizes = [len(group) for group in people]
        meshes = _Meshes.of(people, bodies_of(body_model))
        known, reason = _known_of_depth(samples, meshes, evidence or EvidenceExtractor(), depth)
        if 'feet_seen' not in known:
            known['feet_seen'] = _shown(meshes.feet, samples, sizes) & _ankles_seen(samples, meshes.right)
        has_depth = reason == DropReason.KEPT
        if depth != 'needed':
            reason = torch.full_like(reason, DropReason.KEPT)
        sides = [min(sample.pred_maps.disparity.shape if _has_map(sample, 'disparity') else sample.ori_shape)
                 for sample in samples]
        ages, male_probs, size_std = (stack_rows(people, name, fill=torch.nan, device=meshes.heights.device).double()
                                      for name in ('ages', 'male_probs', 'sizes_std'))
        targets = (prior or HeightPrior())(meshes.heights, ages, male_probs)
        reason = torch.where(meshes.bad, int(DropReason.BAD_MESH), reason)
        pad = _Padder(reason == DropReason.KEPT, sizes)
        index = torch.cat([torch.arange(size) for size in sizes]).to(reason.device)
        return cls(
            mask=pad(torch.ones_like(meshes.bad), False),
            person_index=pad(index, 0),
            **{name: pad(values, name != 'feet_seen') for name, values in known.items()},
            heights=pad(meshes.heights, 1.),
            ages=pad(ages, 1.),
            male_probs=pad(male_probs, 1.),
            pelvis=pad(meshes.pelvis, 1.),
            balls=pad(meshes.balls, 1.),
            feet=pad(meshes.feet, 1.),
            leg_reach=pad(meshes.leg_reach, 1.),
            has_depth=pad(has_depth, False),
            size_std=pad(size_std, 1.),
            prior_mean=pad(targets.mean, 1.),
            prior_std=pad(targets.std, 1.),
            height_class=pad(targets.height_class, 0),
            apparent_size=pad(_apparent_size(samples, meshes.transl_z, sizes, sides), 1.),
            focal_std=meshes.heights.new_tensor([float(sample.pred_camera.get('focal_std', torch.nan))
                                                 for sample in samples]),
            drop_reasons=reason.split(sizes))

    @property
    def root_z(self):
        """(S, P) z of the initial mesh's pelvis, m."""
        return self.pelvis[..., 2]

    def reference(self, name, values):
        """Values that scene variables are counted from: a picture's own, in a video the same for all its windows."""
        return values

    def worth(self, known, correlation_time):
        """How many independent observations each of those that are ``known`` (S, P) is: in a picture each is one."""
        return 1.

    def set_prior(self, prior):
        """Ask a height prior anew, where heights, ages or sexes are others than the samples'."""
        targets = prior(self.heights.flatten(), self.ages.flatten(), self.male_probs.flatten())
        self.prior_mean, self.prior_std, self.height_class = (values.view(self.mask.shape) for values in targets)

    def of_places(self, places):
        """The problem (S, k) of some of the places (k) alone."""
        return replace(self, **{field.name: getattr(self, field.name)[:, places] for field in fields(DTOProblem)
                                if field.name not in OF_SCENES})

    def of_scenes(self, scenes):
        """The problem of a slice of the scenes alone."""
        return replace(self, drop_reasons=self.drop_reasons[scenes], **{
            field.name: getattr(self, field.name)[scenes] for field in fields(self) if field.name != 'drop_reasons'})

    def cached(self, scene):
        """Rows (N, len(CACHED)) of the field ``dto_evidence`` of a scene's N people, float32; of people without depth
        the ``STATISTICS`` are nan."""
        mask = self.mask[scene]
        rows = torch.stack([getattr(self, name)[scene][mask].float() for name in CACHED], -1)
        of_depth = torch.tensor([name in STATISTICS for name in CACHED], device=rows.device)
        return torch.where(self.has_depth[scene][mask][:, None] | ~of_depth, rows, torch.nan)


class _Meshes(NamedTuple):
    """M initial meshes: heights, transl_z (M), m; pelvis (M, 3), balls (M, 2, 3) of the left and right foot, feet
    (M, 3) the lower of them, m, right (M) whether it is the right one, leg_reach (M) of its leg; bad (M) where one
    can't be placed."""
    heights: torch.Tensor
    pelvis: torch.Tensor
    transl_z: torch.Tensor
    balls: torch.Tensor
    feet: torch.Tensor
    right: torch.Tensor
    leg_reach: torch.Tensor
    bad: torch.Tensor

    @classmethod
    def of(cls, people, bodies):
        heights, joints, depths, leg_reach, finite = bodies.measure(people)
        balls = joints[:, FOOT_JOINTS]
        left, right = balls.unbind(1)
        lower = ~(left[:, 1] > right[:, 1])
        bad = ~(heights > 0) | ~heights.isfinite() | ~(depths > 0) | ~finite
        # Feet that are not known are at the camera, where no term looks at them.
        feet = torch.where(lower[:, None], right, left).nan_to_num(0.)
        reach = torch.where(lower, leg_reach[:, 1], leg_reach[:, 0])
        return cls(heights, joints[:, PELVIS], depths, balls.nan_to_num(0.), feet, lower, reach, bad)

    @property
    def root_z(self):
        return self.pelvis[:, 2]


def _known_of_depth(samples, meshes, extractor, depth):
    """``STATISTICS`` (M) by name, feet_seen too where it was kept, and the :class:`DropReason` (M) of who has none."""
    people = [sample.pred_instances for sample in samples]
    mapped = any(_has_map(sample, 'disparity') for sample in samples)
    if mapped and depth != 'unused' and not all(_has_map(sample, 'disparity') for sample in samples):
        raise ValueError('some of the samples have pred_maps.disparity and others have not; place them apart')
    kept = depth == 'needed' or all('dto_evidence' in group for group in people)
    if depth == 'unused' or not (mapped or kept):
        feet = {'feet_seen': _kept_statistics(people, meshes)['feet_seen']} if kept and not mapped else {}
        return _no_statistics(meshes) | feet, torch.full_like(meshes.bad, DropReason.NO_DEPTH, dtype=torch.long)
    if mapped:
        found = extractor([sample.pred_maps for sample in samples],
                          stack_rows(people, 'visible_vertices').split([len(group) for group in people]))
        known, reason = {name: getattr(found, name) for name in STATISTICS}, found.reason
    else:
        known = _kept_statistics(people, meshes)
        reason = torch.where(known['depth'].isfinite(), int(DropReason.KEPT), int(DropReason.NO_DEPTH))
    if depth == 'needed':
        return known, reason  # who has none is dropped
    has_depth, nothing = reason == DropReason.KEPT, _no_statistics(meshes)
    return known | {name: known[name].where(has_depth, nothing[name]) for name in STATISTICS}, reason


def _no_statistics(meshes):
    """``STATISTICS`` (M) of people without depth: finite, and nothing that a term could learn from."""
    values = dict(z=meshes.root_z, down_z=meshes.root_z, inverse_z=1 / meshes.root_z, slope=0., correlation=0.,
                  residual_std=0.)
    return {name: torch.ones_like(meshes.root_z) * values.get(name, 1.) for name in STATISTICS}


def _kept_statistics(people, meshes):
    """``STATISTICS`` and feet_seen (M) from ``dto_evidence``, for meshes that may have moved along their rays since."""
    if any(len(group) and 'dto_evidence' not in group for group in people):
        raise ValueError('DTO needs pred_maps (disparity, id_map, z_map), or dto_evidence kept with the people')
    columns = stack_rows(people, 'dto_evidence', (len(CACHED), )).double().unbind(-1)
    statistics = dict(zip(CACHED, columns))
    ratio = meshes.root_z / statistics.pop('root_z')
    for name in ('z', 'down_z', 'slope', 'residual_std'):
        statistics[name] = statistics[name] * ratio
    statistics['inverse_z'] = statistics['inverse_z'] / ratio
    statistics['feet_seen'] = statistics['feet_seen'] > 0
    return statistics


def _has_map(sample, name):
    return 'pred_maps' in sample and name in sample.pred_maps


def _shown(points, samples, sizes):
    """Whether each person's id is where its point (M, 3), m, falls, give or take :data:`REACH`; (M) bool.

    Without an id map: whether the point falls into the picture.
    """
    seen, steps = [], torch.linspace(-1, 1, 5, device=points.device, dtype=points.dtype)
    for sample, part in zip(samples, points.split(sizes)):
        drawn = _has_map(sample, 'id_map')
        shape = sample.pred_maps.id_map.shape if drawn else sample.ori_shape
        intrinsics = torch.as_tensor(sample.pred_camera.intrinsics).to(part)
        reach = intrinsics[1, 1] * REACH / part[:, 2].clamp(min=REACH)
        column, row = ((centre[:, None] + reach[:, None] * steps).nan_to_num(-1.).floor()
                       for centre in project(part, intrinsics).unbind(-1))
        columns_in, rows_in = (column >= 0) & (column < shape[1]), (row >= 0) & (row < shape[0])
        inside = rows_in[:, :, None] & columns_in[:, None]
        if drawn:
            ids = torch.as_tensor(sample.pred_maps.id_map)[
                row.where(rows_in, 0.).long()[:, :, None], column.where(columns_in, 0.).long()[:, None]].int()
            inside &= ids == torch.arange(1, len(part) + 1, device=part.device)[:, None, None]
        seen.append(inside.any(-1).any(-1) & (part[:, 2] > 0))
    return torch.cat(seen)


def _ankles_seen(samples, right):
    """Whether the picture's joints show the ankle, the right one where ``right`` (M), of each person; (M) bool.

    Everybody's is, where no joints of the picture are known.
    """
    rows = []
    for sample in samples:
        people = sample.pred_instances
        scores = torch.ones(len(people), 2)
        if 'keypoint_scores' in people:
            names = JOINT_SETS[sample.keypoint_set].names
            scores = torch.as_tensor(people.keypoint_scores)[:, [names.index(name) for name in ANKLES]]
        rows.append(scores.to(right.device) >= SEEN_SCORE)
    left_seen, right_seen = torch.cat(rows).unbind(-1)
    return right_seen.where(right, left_seen)


def _apparent_size(samples, z, sizes, sides):
    """Part (M) of the image's shorter side that 2 m cover at distance z (M), m."""
    focal_over_side = [float(sample.pred_camera.intrinsics[1, 1]) / side for sample, side in zip(samples, sides)]
    repeats = torch.tensor(sizes, device=z.device)
    return 2 * z.new_tensor(focal_over_side, dtype=torch.float64).repeat_interleave(repeats) / z


class _Padder:
    """Moves the kept ones of M people of S scenes to their places in (S, P)."""

    def __init__(self, kept, sizes):
        scene = torch.arange(len(sizes), device=kept.device).repeat_interleave(torch.tensor(sizes, device=kept.device))
        self.kept, self.scene = kept, scene[kept]
        count = torch.bincount(self.scene, minlength=len(sizes))
        first = count.cumsum(0) - count
        self.place = torch.arange(len(self.scene), device=kept.device) - first[self.scene]
        self.shape = len(sizes), max(1, int(count.max()))

    def __call__(self, values, fill):
        padded = torch.full((*self.shape, *values.shape[1:]), fill, dtype=values.dtype, device=values.device)
        padded[self.scene, self.place] = values[self.kept]
        return padded
