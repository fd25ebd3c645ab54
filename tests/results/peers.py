"""A crowd with exact truth, and what tests of readers share: meshes of any size, comparing what was written."""
import functools
import math
import pickle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from hostile.foreign_files import Call

from mmhuman_dto.fileio.image_header import image_size
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.results import Moves
from mmhuman_dto.results.base import ReaderContext
from mmhuman_dto.results.smpl_family import SmplFamily
from mmhuman_dto.synthetic import CrowdConfig, sample_scene


class CrowdTruth(NamedTuple):
    """N people, m, camera frame; float64 arrays.

    Attributes:
        vertices: (N, V, 3), faces (F, 3), of OpenBody. joints: (N, 24, 3). pose: (N, 24, 3). heights, ages: (N).
        size: (height, width) px.
    """
    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    pose: np.ndarray
    heights: np.ndarray
    ages: np.ndarray
    size: tuple

    def __len__(self):
        return len(self.vertices)

    def sampled(self, count):
        """(N, count, 3), for bodies of ``count`` vertices: these, if as many, and points on everybody's surface."""
        rng, own = np.random.default_rng(0), self.vertices[:, :count if count >= self.vertices.shape[1] else 0]
        count -= own.shape[1]
        rows, weights = rng.integers(0, len(self.faces), count), rng.dirichlet(np.ones(3), count)
        points = (self.vertices[:, self.faces[rows]] * weights[None, :, :, None]).sum(2)
        return np.concatenate([own, points], 1)


@functools.cache
def crowd(index=0, people=(3, 3), size=(480, 720)):
    """:class:`CrowdTruth` of the ``index``-th scene."""
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    scene = sample_scene(index, body_model, CrowdConfig(people=people, size=size))
    return CrowdTruth(scene.vertices.astype(np.float64), body_model.faces.numpy(), scene.joints[:, :24], scene.pose,
                      scene.heights, scene.ages, scene.size)


def context(size=None, model_path=None):
    """A :class:`ReaderContext` in which every picture has a size (height, width), or none has one."""
    return ReaderContext(lambda name, frame=None: size, SmplFamily(model_path))


def context_of(folder):
    """One that looks for pictures in a folder, by their names without suffix."""
    sizes = {path.stem: image_size(path) for path in Path(folder).iterdir()}
    return ReaderContext(lambda name, frame=None: sizes.get(Path(name).stem), SmplFamily())


def focal_of(degrees, pixels):
    """Focal length, px, that sees so many degrees along so many px."""
    return pixels / 2 / math.tan(math.radians(degrees) / 2)


def pinhole(focal, cx, cy):
    return np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1.]])


def shown(points, intrinsics):
    """Pixels (*, 2) of points (*, 3)."""
    points, intrinsics = np.asarray(points, np.float64), np.asarray(intrinsics, np.float64)
    pixels = points @ intrinsics.T
    return pixels[..., :2] / pixels[..., 2:]


def check_people(image, vertices, pelvis=None, intrinsics=None):
    """Assert that people have these vertices and pelvises, to 1e-5 m, and are shown where this camera shows them."""
    people = image.people
    np.testing.assert_allclose(people.vertices, vertices, atol=1e-5)
    if pelvis is not None:
        np.testing.assert_allclose(people.pelvis, pelvis, atol=1e-5)
    if intrinsics is not None:
        np.testing.assert_allclose(shown(people.vertices, image.intrinsics), shown(vertices, intrinsics), atol=.05)


def moves_of(results, row=1, shift=(.1, -.2, 1.5), scale=.7, camera=None):
    """Moves of one person of the first picture; everybody else stays."""
    moves = [Moves.none(len(image.people)) for image in results.images]
    moves[0].shift[row] = torch.tensor(shift, dtype=torch.float64)
    moves[0].scale[row] = scale
    moves[0].intrinsics = camera
    return moves


def none_of(results):
    return [Moves.none(len(image.people)) for image in results.images]


def alike(got, want, where=''):
    """Assert that plain objects are the same: types, keys and their order, dtypes, shapes and values."""
    assert type(got) is type(want), where
    if isinstance(want, dict):
        assert list(got) == list(want), where
        for key in want:
            alike(got[key], want[key], f'{where}.{key}')
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want), where
        for i, (a, b) in enumerate(zip(got, want)):
            alike(a, b, f'{where}[{i}]')
    elif isinstance(want, np.ndarray) and want.dtype == object:
        assert got.dtype == object and got.shape == want.shape, where
        alike(got.ravel().tolist(), want.ravel().tolist(), where)
    elif isinstance(want, (np.ndarray, torch.Tensor)):
        assert got.dtype == want.dtype and got.shape == want.shape, where
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want), where)
    elif not (got == want or got != got and want != want):
        raise AssertionError(f'{where}: {got!r}, not {want!r}')


def changed_keys(got, want):
    """Names of the entries of two dictionaries that differ."""
    def differs(a, b):
        try:
            alike(a, b)
        except AssertionError:
            return True
        return False

    assert list(got) == list(want)
    return {key for key in want if differs(got[key], want[key])}


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))
    return path


def malicious(folder):
    """A pickle that would write a file, and that file."""
    evidence = folder / 'ran'
    return pickle.dumps([Call(open, (str(evidence), 'w'))]), evidence
