"""Triangle meshes as surfaces: normals, and how far points are from them."""
import torch
from scipy.spatial import cKDTree

#: Triangles whose centres are nearest to a point, among which the nearest triangle is looked for.
_CANDIDATES = 16


def vertex_normals(vertices, faces):
    """Area-weighted unit normals (N, V, 3) of vertices (N, V, 3) with faces (F, 3) int64; zero for those of no face."""
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    face_normals = torch.cross(b - a, c - a, dim=-1)
    normals = torch.zeros_like(vertices)
    for k in range(3):
        normals.index_add_(1, faces[:, k], face_normals)
    return torch.nn.functional.normalize(normals, dim=-1)


def distances_to_surface(points, vertices, faces):
    """How far points (P, 3) are from the surface of vertices (V, 3) and faces (F, 3): (P,), of their unit."""
    corners = vertices[faces]
    tree = cKDTree(corners.mean(1).numpy())
    near = torch.from_numpy(tree.query(points.numpy(), k=min(_CANDIDATES, len(faces)))[1]).view(len(points), -1)
    return distance_to_triangles(points[:, None], corners[near]).amin(1)


def distance_to_triangles(points, corners):
    """Distances (*) of points (*, 3) from triangles (*, 3, 3)."""
    a, b, c = torch.broadcast_tensors(points[..., None, :], corners)[1].unbind(-2)
    edges = [(a, b), (b, c), (c, a)]
    to_edges = torch.stack([_to_segment(points, start, end) for start, end in edges], -1).amin(-1)
    normal = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
    away = ((points - a) * normal).sum(-1)
    foot = points - away[..., None] * normal
    # The foot is inside where it is to the left of all edges, seen along the normal.
    left = [(torch.linalg.cross(end - start, foot - start) * normal).sum(-1) >= 0 for start, end in edges]
    inside = torch.stack(left, -1).all(-1) & (normal != 0).any(-1)
    return torch.where(inside, away.abs(), to_edges)


def _to_segment(points, start, end):
    along = end - start
    part = ((points - start) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-18)
    return (points - start - part.clamp(0, 1)[..., None] * along).norm(dim=-1)
