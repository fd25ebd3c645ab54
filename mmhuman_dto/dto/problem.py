"""A batch of scenes as DTO solvers see it: padded tensors of what is known about each person."""
from dataclasses import dataclass

import torch

from .evidence import DropReason, EvidenceExtractor
from .prior import HeightPrior


@dataclass
class DTOProblem:
    """P places for people in each of S scenes; all (S, P), float64 unless said. Padding is finite and positive.

    Attributes:
        mask: bool, whether the place has a person.
        person_index: int64, the person's row in its sample.
        depth, depth_std, z, down_depth, down_z, slope, correlation: the person's :class:`Evidence`.
        heights: rest-pose height of the initial mesh, m.
        prior_mean, prior_std, height_class: the person's :class:`HeightTargets`, m.
        apparent_size: part of the image's shorter side that 2 m cover at the person's initial distance.
        drop_reasons: S int64 tensors (N_i), the :class:`DropReason` of each person of each sample.
    """
    mask: torch.Tensor
    person_index: torch.Tensor
    depth: torch.Tensor
    depth_std: torch.Tensor
    z: torch.Tensor
    down_depth: torch.Tensor
    down_z: torch.Tensor
    slope: torch.Tensor
    correlation: torch.Tensor
    heights: torch.Tensor
    prior_mean: torch.Tensor
    prior_std: torch.Tensor
    height_class: torch.Tensor
    apparent_size: torch.Tensor
    drop_reasons: tuple

    @classmethod
    def from_samples(cls, samples, body_model, prior=None, evidence=None):
        """Gather the evidence of S samples and drop people without any.

        Args:
            samples: S :class:`HumanDataSample` with ``pred_instances`` (betas, transl, visible_vertices; optional ages
                and male_probs, unknown where absent), ``pred_camera.intrinsics`` and ``pred_maps`` (disparity, id_map,
                z_map), on the device of the body model.
            body_model: anything with ``height(betas)`` and ``num_betas``.
            prior: (heights, ages, male_probs) -> HeightTargets; default :class:`HeightPrior`.
            evidence: (maps, visible_vertices) -> Evidence; default :class:`EvidenceExtractor`.

        Raises:
            ValueError: a field is missing, or maps don't fit each other or the people.
        """
        prior, evidence = prior or HeightPrior(), evidence or EvidenceExtractor()
        people = [sample.pred_instances for sample in samples]
        sizes = [len(group) for group in people]
        betas, transl = stack_rows(people, 'betas', (body_model.num_betas, )), stack_rows(people, 'transl', (3, ))
        heights = body_model.height(betas).double()
        known = (stack_rows(people, name, fill=torch.nan, device=heights.device) for name in ('ages', 'male_probs'))
        targets = prior(heights, *known)
        visible = stack_rows(people, 'visible_vertices').split(sizes)
        found = evidence([sample.pred_maps for sample in samples], visible)
        bad_mesh = ~(heights > 0) | ~heights.isfinite() | ~(transl[:, 2] > 0) | ~transl.isfinite().all(-1)
        reason = torch.where(bad_mesh, int(DropReason.BAD_MESH), found.reason)
        pad = _Padder(reason == DropReason.KEPT, sizes)
        index = torch.cat([torch.arange(size) for size in sizes]).to(reason.device)
        return cls(
            mask=pad(torch.ones_like(bad_mesh), False),
            person_index=pad(index, 0),
            **{name: pad(getattr(found, name), 1.) for name in
               ('depth', 'depth_std', 'z', 'down_depth', 'down_z', 'slope', 'correlation')},
            heights=pad(heights, 1.),
            prior_mean=pad(targets.mean, 1.),
            prior_std=pad(targets.std, 1.),
            height_class=pad(targets.height_class, 0),
            apparent_size=pad(_apparent_size(samples, transl[:, 2], sizes), 1.),
            drop_reasons=reason.split(sizes))


def stack_rows(people, name, row=(), fill=None, device=None):
    """One field of the people of several images, (M, *row), at least float32.

    Args:
        people: one :class:`People` an image. name: the field. row: shape of a row.
        fill: value, on ``device``, for images without the field; None makes its absence an error.
    """
    rows = []
    for group in people:
        if name in group:
            rows.append(torch.as_tensor(group[name]))
        elif fill is not None:
            rows.append(torch.full((len(group), *row), fill, device=device))
        elif len(group):
            raise ValueError(f'DTO needs the field {name!r} of pred_instances; present: {", ".join(group.keys())}')
    if not rows:
        return torch.zeros(0, *row)
    return torch.cat([rows[0].new_zeros(0, *row, dtype=torch.float32), *rows])


def _apparent_size(samples, z, sizes):
    """Part (M) of the image's shorter side that 2 m cover at distance z (M), m."""
    focal_over_side = [
        float(sample.pred_camera.intrinsics[1, 1]) / min(sample.pred_maps.disparity.shape) for sample in samples]
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
        padded = torch.full(self.shape, fill, dtype=values.dtype, device=values.device)
        padded[self.scene, self.place] = values[self.kept]
        return padded
