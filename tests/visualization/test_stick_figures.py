import numpy as np
import pytest

from mmhuman_dto.visualization import draw_overlay, stick_figures
from mmhuman_dto.visualization.stick_figures import RADIUS

EDGES = ((0, 1), (1, 2))
#: Straight up, to the right, and one in a far corner.
JOINTS = np.array([[[0, 0, 4], [0, -1, 4], [1, -1, 4]], [[3, 0, 6], [3, -1, 6], [3, -1, 7]]], float)


def test_bones_surround_their_lines():
    placement, faces = stick_figures(JOINTS, np.ones((2, 3)), EDGES, [0, 1])
    assert placement.vertices.shape == (2, 12, 3) and faces.shape == (16, 3) and faces.max() == 11
    up = placement.vertices[0, :6]
    assert np.hypot(up[:, 0], up[:, 2] - 4) == pytest.approx(RADIUS, abs=1e-6)
    assert sorted(up[:, 1]) == pytest.approx([-1] * 3 + [0] * 3, abs=1e-6)
    along = placement.vertices[1, 6:]
    assert np.hypot(along[:, 0] - 3, along[:, 1] + 1) == pytest.approx(RADIUS, abs=1e-6)
    assert np.isnan(placement.heights).all() and placement.intrinsics is None
    # Each edge of the surface is in two triangles: it is closed.
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    assert (np.unique(sides, axis=0, return_counts=True)[1] == 2).all()


def test_unknown_joints_have_no_bones():
    joints = JOINTS.copy()
    joints[0, 2], joints[1] = np.nan, np.nan
    placement, _ = stick_figures(joints, np.ones((2, 3)), EDGES, [4, 5])
    assert placement.ids.tolist() == [4]
    assert np.isfinite(placement.vertices).all() and np.ptp(placement.vertices[0, 6:], axis=0).max() == 0
    assert np.abs(placement.vertices[0, 6:] - [0, 0, 4]).max() <= RADIUS + 1e-6
    for nobody in (stick_figures(JOINTS, np.zeros((2, 3)), EDGES, [0, 1]), stick_figures(
            np.zeros((0, 3, 3)), np.zeros((0, 3)), EDGES, [])):
        assert nobody[0].vertices.shape == (0, 12, 3)


def test_they_are_drawn_like_bodies(intrinsics):
    placement, faces = stick_figures(JOINTS, np.ones((2, 3)), EDGES, [0, 1], intrinsics)
    photo = np.full((200, 240, 3), 128, np.uint8)
    drawn = (draw_overlay(photo, placement, faces, labels=False) != photo).any(-1)
    # The first person's bone goes up from (120, 100), 25 px a metre.
    assert drawn[76:99, 120].all() and not drawn[80:99, 124:160].any()
