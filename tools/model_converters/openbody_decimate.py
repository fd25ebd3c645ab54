"""Mirror-symmetric mesh decimation to a subset of the vertices (half-edge collapses by quadric error).

Garland & Heckbert, "Surface Simplification Using Quadric Error Metrics" (SIGGRAPH 1997), on the left half only: a
collapse there stands for itself and its mirror image. Vertices never move, so every attribute carries over exactly.
Ready-made decimation (fast-simplification) moves vertices, looks at one shape, and keeps neither the mirror image nor
chosen vertices.
"""
import heapq

import numpy as np

#: Cost of moving along the surface, as a fraction of moving off it: keeps triangles regular.
TANGENTIAL = 2e-3
#: Cost of changing all skinning weights, as metres off the surface: keeps edges where the body bends.
WEIGHT_CHANGE = 4e-3


def decimate(shapes, faces, mirror, skin_weights, importance, keep, target):
    """Vertices to keep and the triangles between them.

    Args:
        shapes: (S, V, 3), m, bodies whose surfaces are to be kept, mirror-symmetric, left = +x.
        faces: (F, 3), closed and mirror-symmetric, no face across the mirror plane.
        mirror: (V,) vertex on the other side, itself on the plane.
        skin_weights: (V, K).
        importance: (F,) weight of a face's error.
        keep: vertices not to remove.
        target: number of vertices wanted.

    Returns:
        tuple: (N,) kept vertices ascending, (F', 3) triangles as indices into them.
    """
    half = _HalfMesh(shapes, faces, mirror, skin_weights, importance, keep)
    half.run(target)
    left = np.array(list(half.faces.values()))
    both = np.concatenate([left, mirror[left][:, ::-1]])
    kept = np.unique(both)
    return kept, np.searchsorted(kept, both)


class _HalfMesh:
    """The left half, with its connectivity as sets and a heap of possible collapses."""

    def __init__(self, shapes, faces, mirror, skin_weights, importance, keep):
        self.plane = mirror == np.arange(len(mirror))
        self.protected = np.zeros(len(mirror), bool)
        self.protected[keep] = self.protected[mirror[keep]] = True
        on_left = ((shapes[0][:, 0] > 0) | self.plane)[faces].all(1)
        self.shapes, self.skin_weights = shapes, skin_weights
        self.faces = {i: tuple(face) for i, face in enumerate(faces[on_left].tolist())}
        self.around = {v: set() for v in np.unique(faces[on_left]).tolist()}
        for i, face in self.faces.items():
            for v in face:
                self.around[v].add(i)
        self.quadrics, self.areas = _quadrics(shapes, faces, importance)
        self.count = sum(1 if self.plane[v] else 2 for v in self.around)

    def neighbours(self, v):
        return {u for i in self.around[v] for u in self.faces[i]} - {v}

    def run(self, target):
        heap = []
        for v in self.around:
            self._push(heap, v)
        heapq.heapify(heap)
        while self.count > target and heap:
            cost, u, v = heapq.heappop(heap)
            if u not in self.around or v not in self.around or v not in self.neighbours(u):
                continue
            if self._cost(u, v) > cost * (1 + 1e-9) or not self._allowed(u, v):
                continue
            for w in self._collapse(u, v):
                self._push(heap, w, push=heapq.heappush)

    def _push(self, heap, v, push=list.append):
        for u in self.neighbours(v):
            for a, b in ((v, u), (u, v)):
                if not self.protected[a] and (self.plane[b] or not self.plane[a]):
                    push(heap, (self._cost(a, b), a, b))

    def _cost(self, u, v):
        points = self.shapes[:, v]
        homogeneous = np.concatenate([points, np.ones((len(points), 1))], 1)
        off = np.einsum('si,sij,sj->', homogeneous, self.quadrics[:, u], homogeneous)
        along = TANGENTIAL * ((self.shapes[:, u] - points)**2).sum()
        bend = (WEIGHT_CHANGE * np.abs(self.skin_weights[u] - self.skin_weights[v]).sum() / 2)**2 * len(points)
        return off + self.areas[u] * (along + bend)

    def _allowed(self, u, v):
        """No pinching, no edge of the mirror plane doubled, no triangle turned over."""
        shared = self.neighbours(u) & self.neighbours(v)
        dying = self.around[u] & self.around[v]
        if len(shared) != len(dying):
            return False
        if self.plane[v]:
            fresh = self.neighbours(u) - {v} - shared
            inner_edge = self.plane[u] and len(dying) > 1
            if inner_edge or (not self.plane[u] and any(self.plane[w] for w in fresh)):
                return False
        moved = np.array([self.faces[i] for i in self.around[u] - dying])
        if not len(moved):
            return False
        before, after = _normals(self.shapes, moved), _normals(self.shapes, np.where(moved == u, v, moved))
        size = np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1)
        return bool(((before * after).sum(-1) > .3 * size).all())

    def _collapse(self, u, v):
        """Moves u onto v; returns the vertices whose costs changed."""
        for i in list(self.around[u]):
            face = self.faces[i]
            if v in face:
                for w in face:
                    self.around[w].discard(i)
                del self.faces[i]
            else:
                self.faces[i] = tuple(v if w == u else w for w in face)
                self.around[v].add(i)
        del self.around[u]
        self.quadrics[:, v] += self.quadrics[:, u]
        self.areas[v] += self.areas[u]
        self.count -= 1 if self.plane[u] else 2
        return [v]


def _normals(shapes, faces):
    a, b, c = (shapes[:, faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _quadrics(shapes, faces, importance):
    """Area-weighted plane quadrics (S, V, 4, 4) and areas (V,) of the vertices."""
    normals = _normals(shapes, faces)
    double_area = np.linalg.norm(normals, axis=-1)
    normals /= np.maximum(double_area, 1e-12)[..., None]
    offset = -(normals * shapes[:, faces[:, 0]]).sum(-1, keepdims=True)
    planes = np.concatenate([normals, offset], -1)
    weight = double_area / 6 * importance
    outer = planes[..., :, None] * planes[..., None, :] * weight[..., None, None]
    quadrics, areas = np.zeros(shapes.shape[:2] + (4, 4)), np.zeros(shapes.shape[1])
    for s in range(len(shapes)):
        for k in range(3):
            np.add.at(quadrics[s], faces[:, k], outer[s])
            np.add.at(areas, faces[:, k], weight[s] / len(shapes))
    return quadrics, areas
