"""Rest-pose heights of posed bodies of which only joints or a surface are known, with what they may be off by.

Bones keep their lengths in any pose, and a surface roughly its area and volume. Logarithms of such lengths and of the
height are normal, with another mean for each kind of proportions (adults' to toddlers'), around a size that may be any.
So whatever of them is known gives the height by conditioning, a mixture weighed by how well the proportions fit; and a
body that is k times as large is k times as tall, exactly.
"""
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.geometry.point_surface import longest_way

from .joint_sets import JOINT_SETS

#: Written by tools/benchmark/fit_measured_heights.py.
POPULATION = Path(__file__).parent / 'data' / 'measuring.npz'
#: Lengths along chains of SMPL's joints, ``*`` for left and right, whose mean is taken, or the one that is known.
CHAINS = dict(
    shank=('*_knee', '*_ankle'), thigh=('*_hip', '*_knee'), spine=('pelvis', 'spine1', 'spine2', 'spine3', 'neck'),
    head=('neck', 'head'), upper_arm=('*_shoulder', '*_elbow'), forearm=('*_elbow', '*_wrist'),
    foot=('*_ankle', '*_foot'), hips=('left_hip', 'right_hip'), shoulders=('left_shoulder', 'right_shoulder'),
    side=('*_hip', '*_shoulder'))
#: What is measured, in the order of :func:`lengths`; the last two are of the surface.
LENGTHS = (*CHAINS, 'root of area', 'cube root of volume')
#: The longest way along a body's surface over its height, and its standard deviation as a share: of OpenBody's people
#: of all ages in rendered crowds, whose arms may touch.
LONGEST_WAY, LONGEST_WAY_STD = 1.22, .09
#: Vertices of the meshes whose triangles are held at once.
_CHUNK = 1 << 20


class Population(NamedTuple):
    """What bodies are like: C kinds of proportions of L lengths and, last, the height, in logarithms of m.

    Attributes:
        means: (C, L + 1); covariances: (C, L + 1, L + 1), of shapes and poses.
        topology: (L + 1,) standard deviations between body models of what each calls by the same name.
    """
    means: np.ndarray
    covariances: np.ndarray
    topology: np.ndarray


@functools.cache
def population():
    """The :class:`Population` that is bundled."""
    with load_npz(POPULATION) as file:
        return Population(*(file[name].astype(np.float64) for name in Population._fields))


def measured_heights(joints=None, vertices=None, faces=None):
    """Rest-pose heights of posed bodies, without their body model.

    Args:
        joints: (M, 24, 3) m, SMPL's joints in its order, nan for those that are not known; or None.
        vertices: (M, V, 3) m, or None. faces: (F, 3) of the vertices, or None: then they say nothing.

    Returns:
        tuple: heights (M) and their standard deviations (M), m, float32 tensors; nan for whom nothing is known. The
        deviation says how well heights can be told by what is known, other bodies than ours included (figures:
        docs/bodies.md); newborns are told too tall by their surface alone.

    Raises:
        ValueError: neither joints nor vertices, or of another shape.
    """
    with torch.no_grad():
        logs = np.log(lengths(joints, vertices, faces))
    means, stds = np.full((2, len(logs)), np.nan)
    known = np.isfinite(logs)
    for pattern in np.unique(known, axis=0):
        rows = (known == pattern).all(1)
        if pattern.any():
            means[rows], stds[rows] = given(logs[rows][:, pattern], np.flatnonzero(pattern), population())
    heights = np.exp(means)
    return torch.from_numpy(heights).float(), torch.from_numpy(heights * stds).float()


def heights_along_surfaces(vertices):
    """As :func:`measured_heights`, of meshes (M, V, 3) whose triangles are not known."""
    ways = torch.tensor([longest_way(points) for points in torch.as_tensor(vertices).cpu()])
    heights = ways.float() / LONGEST_WAY
    return heights, heights * LONGEST_WAY_STD


def lengths(joints=None, vertices=None, faces=None):
    """What is measured of M bodies: (M, L) float64 numpy, m, by :data:`LENGTHS`, nan where it is not known.

    Arguments as of :func:`measured_heights`.
    """
    if joints is None and vertices is None:
        raise ValueError('heights are measured of joints (M, 24, 3), of vertices (M, V, 3) with faces, or of both')
    joints, vertices = (None if value is None else torch.as_tensor(value).detach().cpu().double()
                        for value in (joints, vertices))
    for name, value, rows in (('joints', joints, 24), ('vertices', vertices, '*')):
        if value is not None and (value.ndim != 3 or value.shape[2] != 3 or value.shape[1] != rows != '*'):
            raise ValueError(f'{name} to measure heights of have shape {tuple(value.shape)}, expected (M, {rows}, 3)')
    size = len(vertices if joints is None else joints)
    measured = torch.full((size, len(LENGTHS)), torch.nan, dtype=torch.float64)
    if joints is not None:
        measured[:, :len(CHAINS)] = torch.stack([_chain(joints, names) for names in CHAINS.values()], 1)
    if vertices is not None and faces is not None:
        measured[:, -2:] = _surface(vertices, torch.as_tensor(faces).cpu().long())
    measured[~(torch.isfinite(measured) & (measured > 0))] = torch.nan
    return measured.numpy()


def _chain(joints, names):
    sides = ('left', 'right') if '*' in names[0] else ('', )
    rows = [[JOINT_SETS['smpl24'].names.index(name.replace('*', side)) for name in names] for side in sides]
    return torch.stack([joints[:, row].diff(dim=1).norm(dim=-1).sum(1) for row in rows]).nanmean(0)


def _surface(vertices, faces):
    """(M, 2): roots of area and of volume of closed surfaces."""
    parts = []
    for part in vertices.split(max(_CHUNK // max(vertices.shape[1], 1), 1)):
        corners = (part - part.mean(1, keepdim=True))[:, faces]
        normals = torch.linalg.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]) / 2
        area = normals.norm(dim=-1).sum(1)
        volume = (normals * corners[:, :, 0]).sum((1, 2)).abs() / 3
        parts.append(torch.stack([area.sqrt(), volume**(1 / 3)], 1))
    return torch.cat(parts) if parts else vertices.new_zeros(0, 2)


def given(logs, known, of):
    """Mean and standard deviation, each (M,), of the log height given logs (M, K) of the lengths ``known`` (K,).

    Each kind of proportions gives the size by generalised least squares, then the height by regression on what is left;
    the evidence for the kind is that of what is left, which does not depend on the size.
    """
    scores, means, variances = [], [], []
    for mean, covariance in zip(of.means, of.covariances):
        own = covariance[np.ix_(known, known)] + np.diag(of.topology[known]**2)
        precision = np.linalg.inv(own)
        weight = precision.sum(0)
        total = weight.sum()
        size = (logs - mean[known]) @ weight / total
        left = logs - mean[known] - size[:, None]
        gain = precision @ covariance[known, -1]
        scores.append(-.5 * (((left @ precision) * left).sum(1) + np.linalg.slogdet(own)[1] + np.log(total)))
        means.append(mean[-1] + size + left @ gain)
        variances.append(np.full(len(logs), covariance[-1, -1] - covariance[known, -1] @ gain
                                 + (1 - gain.sum())**2 / total))
    scores, means, variances = np.stack(scores), np.stack(means), np.stack(variances)
    shares = np.exp(scores - scores.max(0))
    shares /= shares.sum(0)
    mean = (shares * means).sum(0)
    return mean, np.sqrt((shares * (variances + (means - mean)**2)).sum(0) + of.topology[-1]**2)
