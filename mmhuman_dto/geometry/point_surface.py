"""Surfaces of which only points are known: triangles between neighbours, and how far it is along the surface."""
import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

#: Neighbours that a point has triangles with.
_RING = 7
#: The inside is where the middle of so many neighbours is, one of each cell of this size, as a share of the whole.
_AROUND, _CELL = 30, .02
#: Neighbours in a ring that are farther apart than this, rad, have a gap between them.
_WIDEST = 2.2


def triangles_of_points(points):
    """Triangles (F, 3) int64 between neighbours among points (V, 3) of a closed surface, their front sides outside.

    They cover the surface but overlap, and bridge parts that touch: good enough to be drawn and to hide what is behind.
    """
    points = np.asarray(points, np.float64)
    count = len(points)
    tree = cKDTree(points)
    ring = tree.query(points, min(_RING + 1, count))[1][:, 1:]
    inside = _middles_around(points)
    offsets = points[ring] - points[:, None]
    # The plane of the ring: its normal varies least.
    axes = np.linalg.eigh(np.einsum('vki,vkj->vij', offsets, offsets))[1]
    normals, first = axes[..., 0], axes[..., 2]
    normals = normals * np.sign(((points - inside) * normals).sum(-1, keepdims=True) + 1e-12)
    second = np.cross(normals, first)
    angles = np.arctan2((offsets * second[:, None]).sum(-1), (offsets * first[:, None]).sum(-1))
    order = np.argsort(angles, 1)
    ring, angles = np.take_along_axis(ring, order, 1), np.take_along_axis(angles, order, 1)
    gaps = (np.roll(angles, -1, 1) - angles) % (2 * np.pi)
    faces = np.stack([np.broadcast_to(np.arange(count)[:, None], ring.shape), ring, np.roll(ring, -1, 1)], -1)
    faces = faces[gaps < _WIDEST]
    _, kept = np.unique(np.sort(faces, 1), axis=0, return_index=True)
    return torch.from_numpy(faces[np.sort(kept)].astype(np.int64))


def _middles_around(points):
    """Middles (V, 3) of what is around each of points (V, 3), however dense they are there."""
    cells = np.unique((points / (_CELL * np.ptp(points, 0).max())).astype(np.int64), axis=0, return_index=True)[1]
    sparse = points[cells]
    return sparse[cKDTree(sparse).query(points, min(_AROUND, len(sparse)))[1]].mean(1)


def longest_way(points):
    """The longest shortest way, m, from neighbour to neighbour of points (V, 3): of bodies from foot to hand."""
    points = np.asarray(points, np.float64)
    lengths, near = cKDTree(points).query(points, min(_RING + 1, len(points)))
    rows = np.broadcast_to(np.arange(len(points))[:, None], near.shape)
    graph = coo_array((lengths[:, 1:].ravel(), (rows[:, 1:].ravel(), near[:, 1:].ravel())), (len(points), ) * 2).tocsr()
    end, longest = int(points[:, 1].argmax()), 0.
    for _ in range(3):  # each sweep starts where the one before ended
        ways = dijkstra(graph, directed=False, indices=end)
        ways[~np.isfinite(ways)] = 0
        end, longest = int(ways.argmax()), float(ways.max())
    return longest
