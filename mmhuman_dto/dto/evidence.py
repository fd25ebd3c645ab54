"""What the maps of an image say of each person: where its visible mesh is and how deep the depth map puts it.

Reduces disparity, id map and z map to a few numbers a person (DTO paper, arXiv 2511.13282, with the constants of its
public release). Pixels of all people of all images are one flat list; statistics are segment sums over it.
"""
from collections import Counter
from enum import IntEnum
from typing import NamedTuple

import torch

#: Variance below this part of the squared mean is rounding, not variation.
ROUNDING = 1e-24


class DropReason(IntEnum):
    """Why a person has no evidence and leaves the scene."""
    KEPT = 0
    BAD_MESH = 1  # not finite, or not in front of the camera
    TOO_FEW_PIXELS = 2  # of its visible mesh
    TOO_FEW_VISIBLE_VERTICES = 3
    NO_DEPTH = 4  # too few pixels with a usable disparity
    DEPTH_OUTLIERS = 5  # too few pixels with a depth between the outlier fences
    DEPTH_UNLIKE_MESH = 6  # no pixel where the depth map follows the mesh

    @property
    def words(self):
        """The reason in plain words, for tables and pictures; '' of those who are kept."""
        return _WORDS[self]


def count_reasons(reasons):
    """How many people were left out for what, in words, the most first: {'too few pixels with depth': 2}."""
    return dict(Counter(DropReason(code).words for code in reasons if code != DropReason.KEPT).most_common())


_WORDS = {
    DropReason.KEPT: '',
    DropReason.BAD_MESH: 'mesh broken or behind the camera',
    DropReason.TOO_FEW_PIXELS: 'too few pixels seen',
    DropReason.TOO_FEW_VISIBLE_VERTICES: 'too little of the body seen',
    DropReason.NO_DEPTH: 'too few pixels with depth',
    DropReason.DEPTH_OUTLIERS: 'depth too scattered',
    DropReason.DEPTH_UNLIKE_MESH: 'depth does not follow the mesh',
}


def counted(reasons):
    """Counts of reasons in words: '2 too few pixels with depth, 1 depth too scattered'."""
    return ', '.join(f'{number} {reason}' for reason, number in reasons.items())


class Evidence(NamedTuple):
    """Statistics of M people, all (M), over the pixels where the map follows the mesh; float64 except ``reason``.

    Depth is 1 / disparity, whose unit is the map's. Values of dropped people mean nothing.
    """
    reason: torch.Tensor  # :class:`DropReason`, int64
    #: depth, depth_std: mean and population std of depth
    depth: torch.Tensor
    depth_std: torch.Tensor
    z: torch.Tensor  # mean z of the visible mesh, m
    #: down_depth, down_z: means of depth and z over the person's lowest pixels
    down_depth: torch.Tensor
    down_z: torch.Tensor
    slope: torch.Tensor  # of mesh z over depth within the person, both less their image row's mean, m per unit of depth
    correlation: torch.Tensor  # of the two, -1..1
    disparity: torch.Tensor  # mean disparity, unit of the map
    inverse_z: torch.Tensor  # mean 1 / z of the visible mesh, 1/m
    residual_std: torch.Tensor  # root mean square of what the slope leaves of mesh z, m


class Pixels(NamedTuple):
    """K pixels with a mesh: person (index of M) and row, int64; depth (unit of the map) and z (m), float64; all (K)."""
    person: torch.Tensor
    row: torch.Tensor
    depth: torch.Tensor
    z: torch.Tensor

    def where(self, keep):
        """The pixels where ``keep`` (K) holds."""
        index = keep.nonzero().squeeze(1)
        return self if len(index) == len(keep) else Pixels(*[field.index_select(0, index) for field in self])

    def spread(self, values):
        """Each pixel's (K) entry of its person's ``values`` (M)."""
        return values.index_select(0, self.person)


class EvidenceExtractor:
    """Reduce maps to per-person evidence, a batch of images at a time.

    Args:
        min_area: part of the image a person's pixels must cover.
        min_visible_vertices: vertices of the mesh that must be seen.
        whisker: depths beyond the quartiles by this many interquartile ranges are outliers.
        max_residual: largest distance (m) of a pixel's mesh z from the person's line over depth.
        down_quantile: pixels in rows from this quantile of the person's rows on are its lowest.
    """

    def __init__(self, min_area=1 / 400, min_visible_vertices=500, whisker=1.5, max_residual=.1, down_quantile=.9):
        self.min_area = min_area
        self.min_visible_vertices = min_visible_vertices
        self.whisker = whisker
        self.max_residual = max_residual
        self.down_quantile = down_quantile

    def __call__(self, maps, visible_vertices):
        """Evidence of all people of S images.

        Args:
            maps: S objects with ``disparity`` (H, W) any float, ``id_map`` (H, W) integers with 0 nobody and i + 1
                person i, ``z_map`` (H, W) m; sizes may differ between images. A disparity of zero or less counts as
                the smallest positive one of its map; pixels with a disparity that isn't finite or a z that isn't
                positive count for nobody.
            visible_vertices: S tensors (N_i), one entry a person.

        Returns:
            Evidence of the M = sum(N_i) people in order.

        Raises:
            ValueError: maps of one image differ in size, or name a person that doesn't exist.
        """
        visible = torch.cat([torch.as_tensor(rows) for rows in visible_vertices])
        pixels, area = _gather_pixels(maps, [len(rows) for rows in visible_vertices])
        num, min_pixels = len(area), self.min_area * area

        mesh = pixels.where((pixels.z > 0) & (pixels.z < torch.inf))
        deep = mesh.where((mesh.depth > 0) & (mesh.depth < torch.inf))
        inliers = deep.where(self._is_inlier(deep, num))
        slope, correlation, residual = _fit_within_rows(inliers, num)
        follows = residual.abs() <= self.max_residual
        kept = inliers.where(follows)
        down = kept.where(self._is_lowest(kept, num))

        count, down_count = _count(kept, num), _count(down, num)
        depth = _sum(kept.depth, kept.person, num) / count
        variance = _sum((kept.depth - kept.spread(depth)).square(), kept.person, num) / count
        return Evidence(
            reason=_first_reason({
                DropReason.TOO_FEW_PIXELS: _count(mesh, num) < min_pixels,
                DropReason.TOO_FEW_VISIBLE_VERTICES: visible.to(area.device) < self.min_visible_vertices,
                DropReason.NO_DEPTH: _count(deep, num) < min_pixels,
                DropReason.DEPTH_OUTLIERS: _count(inliers, num) < min_pixels,
                DropReason.DEPTH_UNLIKE_MESH: count < 1,
            }),
            depth=depth,
            depth_std=variance.sqrt(),
            z=_sum(kept.z, kept.person, num) / count,
            down_depth=_sum(down.depth, down.person, num) / down_count,
            down_z=_sum(down.z, down.person, num) / down_count,
            slope=slope,
            correlation=correlation,
            disparity=_sum(1 / kept.depth, kept.person, num) / count,
            inverse_z=_sum(1 / kept.z, kept.person, num) / count,
            residual_std=(_sum(residual.square() * follows, inliers.person, num) / count).sqrt())

    def _is_inlier(self, pixels, num):
        """Whether each pixel's depth is strictly between the outlier fences of its person."""
        lower, upper = _quartiles(pixels, num)
        reach = self.whisker * (upper - lower)
        low, high = pixels.spread((lower - reach).clamp(min=0)), pixels.spread(upper + reach)
        return (pixels.depth > low) & (pixels.depth < high)

    def _is_lowest(self, pixels, num):
        """Whether each pixel's row is at or below the quantile of its person's rows."""
        if not len(pixels.row):
            return pixels.row.bool()
        height = int(pixels.row.max()) + 1
        histogram = torch.bincount(pixels.person * height + pixels.row, minlength=num * height)
        ranks = histogram.view(num, height).cumsum(-1)
        quantile = _interpolate(lambda k: (ranks <= k[:, None]).sum(-1).double(), ranks[:, -1], self.down_quantile)
        return pixels.row >= pixels.spread(quantile)


def _gather_pixels(maps, sizes):
    """Pixels with a mesh of S images of ``sizes`` people, and the area (M), px, of each person's image."""
    parts, areas, first = [], [], 0
    for index, (image, size) in enumerate(zip(maps, sizes)):
        disparity, id_map, z_map = map(torch.as_tensor, (image.disparity, image.id_map, image.z_map))
        id_map = id_map.int()  # unsigned 16-bit masks exist, but hardly any operation on them does
        if not disparity.shape == id_map.shape == z_map.shape:
            raise ValueError(f'image {index} of the batch: disparity {tuple(disparity.shape)}, id_map '
                             f'{tuple(id_map.shape)} and z_map {tuple(z_map.shape)} must have the same size')
        pixel = id_map.flatten().nonzero().squeeze(1)
        person, values, z = (field.flatten().index_select(0, pixel) for field in (id_map, disparity, z_map))
        person = person.long() - 1
        if len(person) and not 0 <= int(person.min()) <= int(person.max()) < size:
            raise ValueError(f'image {index} of the batch: id_map holds person {int(person.max()) + 1}, '
                             f'but there are {size} people')
        depth = 1 / values.float().clamp(min=_smallest_positive(disparity)).double()
        parts.append(Pixels(person + first, pixel // id_map.shape[1], depth, z.double()))
        areas.append(torch.full((size, ), id_map.numel(), device=id_map.device))
        first += size
    return Pixels(*[torch.cat(field) for field in zip(*parts)]), torch.cat(areas)


def _smallest_positive(disparity):
    """Smallest positive value of a map as float; 0 where there is none."""
    low = float(torch.where(disparity > 0, disparity, torch.inf).min())
    return low if low < torch.inf else 0.


def _quartiles(pixels, num):
    """First and third quartile (M) of depth within each person, linearly interpolated.

    Depth falls as disparity rises, so sorting (person, disparity) packed into one integer sorts depth downwards, at a
    fraction of a sort of floats: positive floats order like their bits. Disparity was float32 before it was inverted.
    """
    disparity = (1 / pixels.depth).float()
    ordered = ((pixels.person << 32) | disparity.view(torch.int32)).sort().values
    count = _count(pixels, num)
    last = count.cumsum(0) - 1

    def kth(k):
        if not len(ordered):
            return torch.zeros_like(k)
        bits = ordered[(last - k.long()).clamp(min=0)] & 0x7fffffff
        return 1 / bits.int().view(torch.float32).double()

    return _interpolate(kth, count, .25), _interpolate(kth, count, .75)


def _interpolate(kth, count, quantile):
    """Linearly interpolated quantile (M) of ``count`` sorted values; ``kth`` (M) -> (M) gives the one of a rank."""
    position = quantile * (count - 1).clamp(min=0).double()
    low = position.floor()
    lower, upper = kth(low), kth(position.ceil())
    return torch.lerp(lower, upper, position - low)


def _fit_within_rows(pixels, num):
    """Least squares of z over depth within each person, each image row's mean taken off both.

    Takes off what changes with the row, such as a slope of the ground. The intercept is 0, as both have mean 0.

    Returns:
        slope (M), 0 where depth is constant; correlation (M), 0 where either is; residual (K) of each pixel, m.
    """
    height = int(pixels.row.max()) + 1 if len(pixels.row) else 1
    row = pixels.person * height + pixels.row
    count = torch.bincount(row, minlength=num * height)

    def within_rows(values):
        """Values less their row's mean, and what sums of their squares owe to rounding."""
        total = _sum(values, row, num * height)
        level = total.view(num, height).sum(-1).square() / count.view(num, height).sum(-1)
        return values - (total / count).index_select(0, row), ROUNDING * level

    (depth, depth_rounding), (z, z_rounding) = within_rows(pixels.depth), within_rows(pixels.z)
    dd, zz, dz = (_sum(product, pixels.person, num) for product in (depth * depth, z * z, depth * z))
    varies = dd > depth_rounding
    slope = torch.where(varies, dz / dd, 0.)
    correlation = torch.where(varies & (zz > z_rounding), dz / (dd * zz).sqrt(), 0.)
    return slope, correlation, z - pixels.spread(slope) * depth


def _first_reason(conditions):
    """Of the conditions (M) that hold, the first one's reason (M); KEPT where none holds."""
    reason = torch.full_like(next(iter(conditions.values())), DropReason.KEPT, dtype=torch.long)
    for code, condition in reversed(conditions.items()):
        reason[condition] = code
    return reason


def _sum(values, index, num):
    return values.new_zeros(num).scatter_add_(0, index, values)


def _count(pixels, num):
    return torch.bincount(pixels.person, minlength=num)
