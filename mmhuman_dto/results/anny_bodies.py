"""Anny's bodies as results give them: 163 rotations, phenotypes, and where the root joint is."""
import functools

import torch

from mmhuman_dto.body_models import topology_of
from mmhuman_dto.registry import BODY_MODELS

#: Vertices of a posed body and of a result are the same to this, m (median): then its joints are the result's.
_SAME = .01


@functools.cache
def anny_body():
    """Anny with the rig of results, built once; None where the package is not installed."""
    try:
        return BODY_MODELS.build(dict(type='Anny', rig='makehuman')).eval()
    except ImportError:
        return None


@torch.no_grad()
def anny_heights(shape):
    """{field of people: values} of phenotypes (N, 6 or more); {} without the package."""
    body = anny_body()
    if body is None or not len(shape):
        return {}
    return dict(heights=body.height(shape.float()).float(), heights_std=torch.zeros(len(shape)))


@torch.no_grad()
def anny_joints(pose, shape, pelvis, vertices):
    """SMPL's joints (N, 24, 3), m, of meshes (N, V, 3), camera frame; None without the package, or of other bodies.

    Args:
        pose: (N, 163, 3) rad, the root's into the camera frame. shape: (N, 6 or more) phenotypes.
        pelvis: (N, 3) m, of the root joint.
    """
    body = anny_body()
    if body is None or topology_of(vertices.shape[1]) != 'Anny' or pose.shape[1] != len(body.bone_names):
        return None
    posed = body(pose.float(), shape.float(), pelvis.float())
    same = (posed.vertices - vertices.float()).norm(dim=-1).median() < _SAME
    return posed.joints.float() if same else None
