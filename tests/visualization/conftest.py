import numpy as np
import pytest
from pictures import record_texts

from mmhuman_dto.synthetic.layout import BOX_FACES
from mmhuman_dto.visualization import Placement

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)


@pytest.fixture
def faces():
    return BOX_FACES


@pytest.fixture
def intrinsics():
    """100 px focal length for a picture 240 wide and 200 high."""
    return np.array([[100., 0, 120], [0, 100, 100], [0, 0, 1]])


@pytest.fixture
def boxes(intrinsics):
    """Placement of boxes given as (x, y, z) centres and half sides, all in m."""

    def build(centers, half=(.5, .5, .5), ids=None):
        centers = np.asarray(centers, np.float32).reshape(-1, 1, 3)
        count = len(centers)
        vertices = centers + CORNERS * np.asarray(half, np.float32).reshape(-1, 1, 3)
        vertices = np.broadcast_to(vertices, (count, 8, 3))
        ids = np.arange(count) if ids is None else np.asarray(ids)
        return Placement(vertices, np.full(count, 1.7), ids, intrinsics)

    return build


@pytest.fixture
def texts(monkeypatch):
    """What is written on pictures, see :class:`pictures.Text`."""
    return record_texts(monkeypatch)
