"""From meshes to triangles on a sub-pixel grid of the image: shared by both rasteriser backends.

Snapping corners to a grid makes the edge tests of the backends exact in integers, so triangles that share an edge
neither overlap nor leave cracks, and both backends cover the same pixels.
"""
from typing import NamedTuple

import torch

# Numba's cache of the compiled loop does not notice when numbers imported from here change: touch its file then.
#: Corners are snapped to 1 / 2**SUBPIXEL_BITS px.
SUBPIXEL_BITS = 12
#: Parts of triangles nearer than this (m) are cut off.
NEAR = 0.01
#: Parts of triangles farther than this (px) from the image origin are cut off, which keeps edge tests within int64.
GUARD = 2**16
#: Both backends keep one int64 key a pixel: the bits of the inverse depth as a float32, which order as the (positive)
#: float does, above ``LAST_TRIANGLE - triangle``. The largest key is the nearest triangle, the first of equally near
#: ones; 0 is none.
LAST_TRIANGLE = 2**32 - 1


class Soup(NamedTuple):
    """Triangles of several meshes in one list: ``points`` (V, 3) float64, ``corners`` (T, 3) int32 rows of points,
    ``mesh`` and ``face`` (T,) int32, the mesh a triangle is of and its face there."""
    points: torch.Tensor
    corners: torch.Tensor
    mesh: torch.Tensor
    face: torch.Tensor


class Screen(NamedTuple):
    """What is drawn: ``xy`` (2, V) int32, points in 1 / 2**SUBPIXEL_BITS px, on a grid where pixel i's centre is at i;
    ``inverse_depth`` (V,) float64, 1/m; ``corners``, ``mesh``, ``face`` as in :class:`Soup`."""
    xy: torch.Tensor
    inverse_depth: torch.Tensor
    corners: torch.Tensor
    mesh: torch.Tensor
    face: torch.Tensor


def collect(meshes, device):
    """Meshes [(vertices (V, 3), faces (F, 3)), ...] as one :class:`Soup`, mesh after mesh.

    Raises:
        ValueError: wrong shapes, or a face that names a vertex its mesh does not have.
    """
    points, corners, mesh, face, first_vertex = [torch.zeros(0, 3, device=device)], [], [], [], 0
    for i, (vertices, faces) in enumerate(meshes):
        _check(i, vertices, faces)
        points.append(vertices)
        corners.append(faces.to(torch.int32) + first_vertex)
        mesh.append(torch.full((len(faces), ), i, dtype=torch.int32, device=device))
        face.append(torch.arange(len(faces), dtype=torch.int32, device=device))
        first_vertex += len(vertices)
    none = torch.zeros(0, dtype=torch.int32, device=device)
    return Soup(torch.cat(points).double(), torch.cat([none.view(0, 3), *corners]),
                torch.cat([none, *mesh]), torch.cat([none, *face]))


def to_screen(soup, intrinsics):
    """Clip a soup of the camera frame (m) to what can be drawn and project it with intrinsics (3, 3), px."""
    points = intrinsics.to(soup.points) @ soup.points.T  # rows u z, v z, z: contiguous, which is faster
    limit = GUARD * points[2]
    drawable = (points[2] >= NEAR) & (points[:2].abs() <= limit).all(0)
    if not drawable.all():
        soup = _clip(soup._replace(points=points.T), drawable)
        points = soup.points.T
    inverse_depth = 1 / points[2]
    xy = (points[:2] * inverse_depth - 0.5) * 2**SUBPIXEL_BITS
    return Screen(xy.round().to(torch.int32), inverse_depth, soup.corners, soup.mesh, soup.face)


def _check(i, vertices, faces):
    for name, array in ('vertices', vertices), ('faces', faces):
        if array.ndim != 2 or array.shape[-1] != 3:
            raise ValueError(f'{name} of mesh {i} have shape {tuple(array.shape)}, expected (*, 3)')
    if len(faces):
        lowest, highest = (int(bound) for bound in faces.aminmax())
        if lowest < 0 or highest >= len(vertices):
            raise ValueError(f'faces of mesh {i} name vertices {lowest} to {highest}, but it has {len(vertices)}')


def _distances(points):
    """Signed distances (5, ...) of homogeneous pixels (..., 3) to the near plane and the guard band, >= 0 inside."""
    u, v, z = points.unbind(-1)
    return torch.stack([z - NEAR, GUARD * z - u, GUARD * z + u, GUARD * z - v, GUARD * z + v])


def _clip(soup, drawable):
    """A soup of homogeneous pixels, each triangle with a point that is not drawable replaced by its drawable part."""
    whole = drawable[soup.corners.long()].all(-1)
    cut = soup.points[soup.corners[~whole].long()]
    owner = torch.stack([soup.mesh, soup.face], -1)
    cut_owner = owner[~whole]
    finite = cut.isfinite().all(-1).all(-1)
    cut, cut_owner = cut[finite], cut_owner[finite]
    for plane in range(5):
        cut, source = _clip_to_plane(cut, _distances(cut)[plane])
        cut_owner = cut_owner[source]
    new_corners = len(soup.points) + torch.arange(3 * len(cut), dtype=torch.int32, device=cut.device).view(-1, 3)
    # Points that no triangle uses any more must still project to something finite.
    harmless = torch.where(drawable[:, None], soup.points, soup.points.new_ones(3))
    owner = torch.cat([owner[whole], cut_owner])
    return Soup(torch.cat([harmless, cut.flatten(0, 1)]), torch.cat([soup.corners[whole], new_corners]), *owner.T)


def _clip_to_plane(triangles, distance):
    """Parts of triangles (T, 3, 3) on the positive side of a plane, given their corners' distances (T, 3) to it.

    Returns:
        (S, 3, 3) triangles and (S,) the triangle each is a part of.
    """
    inside = distance >= 0
    count = inside.sum(-1)
    source = torch.arange(len(triangles), device=triangles.device)

    # Turn the corner that is alone on its side to the front; the order around the triangle stays.
    alone = torch.where(count == 1, inside.int().argmax(-1), inside.int().argmin(-1))
    order = (alone[:, None] + torch.arange(3, device=alone.device)) % 3
    turned = triangles.gather(1, order[..., None].expand(-1, -1, 3))
    (a, b, c), (da, db, dc) = turned.unbind(1), distance.gather(1, order).unbind(1)

    one = count == 1
    tips = torch.stack([a, _cross(a, b, da, db), _cross(a, c, da, dc)], 1)[one]
    two = count == 2
    ab, ac = _cross(b, a, db, da), _cross(c, a, dc, da)
    first, second = torch.stack([ab, b, c], 1)[two], torch.stack([ab, c, ac], 1)[two]
    whole = count == 3
    return (torch.cat([triangles[whole], tips, first, second]),
            torch.cat([source[whole], source[one], source[two], source[two]]))


def _cross(inner, outer, inner_distance, outer_distance):
    """Where edges meet the plane, computed from the inner end: the two triangles at an edge get the same point."""
    share = inner_distance / (inner_distance - outer_distance)
    return inner + share[:, None] * (outer - inner)
