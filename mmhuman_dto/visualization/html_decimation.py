"""Fewer triangles for pages that show many people: one choice of vertices for all of them.

Garland & Heckbert, "Surface Simplification Using Quadric Error Metrics" (SIGGRAPH 1997), by half-edge collapses, so
that the vertices left stay where they were. Many collapses that do not touch each other are done at once.
"""
import numpy as np
from scipy.sparse import coo_matrix

#: Cost of moving along the surface, as a fraction of moving off it: keeps triangles regular.
TANGENTIAL = 1e-3
#: Cosine of how far a triangle may turn.
_TURN = .2


def decimate(shapes, faces, target):
    """Choose vertices that keep the surfaces best.

    Args:
        shapes: (S, V, 3), m: meshes of the same triangles whose surfaces are to be kept.
        faces: (F, 3) integers.
        target: number of triangles wanted; what cannot be removed without pinching or folding a surface stays.

    Returns:
        tuple: (N,) kept vertices ascending, (F', 3) triangles between them as indices into these.
    """
    shapes, faces = np.asarray(shapes, np.float64), np.asarray(faces, np.int64)
    shapes = shapes - shapes.mean(1, keepdims=True)
    points = np.concatenate([shapes, np.ones_like(shapes[..., :1])], -1)
    quadrics, areas = _quadrics(shapes, faces)
    refused = np.zeros(0, np.int64)
    while len(faces) > target:
        edges = _collapsible(faces, shapes.shape[1])
        edges = edges[~np.isin(_keys(edges, shapes.shape[1]), refused)]
        chosen = edges[_apart(edges, faces, _costs(edges, points, quadrics, areas))]
        chosen = chosen[:max((len(faces) - target + 1) // 2, 1)]
        folding = np.isin(chosen[:, 0], _folding(shapes, faces, chosen))
        refused = np.append(refused, _keys(chosen[folding], shapes.shape[1]))
        if len(chosen) == 0:
            break
        gone, onto = chosen[~folding].T
        faces = _moved(faces, gone, onto)
        quadrics[:, onto] += quadrics[:, gone]
        areas[onto] += areas[gone]
    kept = np.unique(faces)
    return kept, np.searchsorted(kept, faces)


def _quadrics(shapes, faces):
    """Area-weighted plane quadrics (S, V, 4, 4) and areas (V) of the vertices."""
    normals = _normals(shapes, faces)
    double = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = normals / np.maximum(double, 1e-12)
    planes = np.concatenate([normals, -(normals * shapes[:, faces[:, 0]]).sum(-1, keepdims=True)], -1)
    weighted = planes[..., :, None] * planes[..., None, :] * double[..., None] / 6
    quadrics, areas = np.zeros((*shapes.shape[:2], 4, 4)), np.zeros(shapes.shape[1])
    for corner in faces.T:
        np.add.at(quadrics, (slice(None), corner), weighted)
        np.add.at(areas, corner, double.mean(0)[:, 0] / 6)
    return quadrics, areas


def _normals(shapes, faces):
    a, b, c = (shapes[:, corner] for corner in faces.T)
    return np.cross(b - a, c - a)


def _collapsible(faces, count):
    """Directed edges (E, 2) whose first vertex may move onto the second: two triangles and no others share them."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    used = coo_matrix((np.ones(len(pairs), np.int32), pairs.T), (count, count)).tocsr()
    linked = (used > 0).astype(np.int32)
    edges = np.stack(linked.nonzero(), -1)
    first, second = edges.T
    shared = np.asarray((linked @ linked)[first, second]).ravel()
    border = np.unique(edges[np.asarray(used[first, second]).ravel() != 2])
    return edges[(shared == 2) & ~np.isin(first, border)]


def _costs(edges, points, quadrics, areas):
    """(E) squared distance off the surface and a little of that along it, times area."""
    gone, onto = edges.T
    off = np.einsum('sei,seij,sej->e', points[:, onto], quadrics[:, gone], points[:, onto])
    along = ((points[:, onto] - points[:, gone])**2).sum((0, -1))
    return off + TANGENTIAL * areas[gone] * along


def _apart(edges, faces, costs):
    """Indices of edges, cheapest first, cheaper than every other near enough to touch the same triangles."""
    order = np.argsort(costs, kind='stable')
    rank = np.empty(len(edges), np.int64)
    rank[order] = np.arange(len(edges))
    best = np.full(faces.max() + 1, len(edges))
    np.minimum.at(best, edges[:, 0], rank)
    for _ in range(2):
        around, best = best[faces].min(1), best.copy()
        for corner in faces.T:
            np.minimum.at(best, corner, around)
    return order[best[edges[order, 0]] == rank[order]]


def _folding(shapes, faces, edges):
    """Vertices that would turn a triangle over by moving along their edge."""
    onto = np.arange(shapes.shape[1])
    onto[edges[:, 0]] = edges[:, 1]
    touched = faces[(onto[faces] != faces).any(1)]
    moved = onto[touched]
    alive = _whole(moved)
    touched, moved = touched[alive], moved[alive]
    before, after = _normals(shapes, touched), _normals(shapes, moved)
    sizes = np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1)
    folds = ((before * after).sum(-1) <= _TURN * sizes).any(0)
    return touched[folds][moved[folds] != touched[folds]]


def _moved(faces, gone, onto):
    target = np.arange(faces.max() + 1)
    target[gone] = onto
    faces = target[faces]
    return faces[_whole(faces)]


def _whole(faces):
    a, b, c = faces.T
    return (a != b) & (b != c) & (c != a)


def _keys(edges, count):
    return edges[:, 0] * count + edges[:, 1]
