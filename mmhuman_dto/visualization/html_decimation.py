"""Fewer triangles for pages that show many people: the same ones for all of them."""
import fast_simplification
import numpy as np


def decimate(shapes, faces, target):
    """Collapse the edges that the first shape misses least (quadric errors), the same ones in all shapes.

    Args:
        shapes: (S, V, 3), m: meshes of the same triangles.
        faces: (F, 3) integers.
        target: number of triangles wanted; all are kept where there are no more, or no shapes.

    Returns:
        tuple: (S, V', 3) vertices, moved to where they keep each surface best; (F', 3) triangles of all of them; (V')
        the vertex before that each stands for.
    """
    shapes, faces = np.asarray(shapes, np.float32), np.asarray(faces, np.int32)
    if len(faces) <= target or len(shapes) == 0:
        return shapes, faces, np.arange(shapes.shape[1])
    centres = shapes.mean(1, keepdims=True)
    *_, collapses = fast_simplification.simplify(
        shapes[0] - centres[0], faces, target_count=target, return_collapses=True)
    replayed = [fast_simplification.replay_simplification(shape, faces, collapses) for shape in shapes - centres]
    vertices, triangles, became = replayed[0]
    # Of those that became one vertex, the one nearest to it.
    order = np.linalg.norm(vertices[became] - (shapes[0] - centres[0]), axis=1).argsort()
    origin = order[np.unique(became[order], return_index=True)[1]]
    return np.stack([vertices for vertices, *_ in replayed]) + centres, triangles, origin
