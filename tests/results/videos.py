"""People of a crowd who move through a video, as SMPL or SMPL-X bodies of synthetic files, with exact truth."""
import functools
import io
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from results.peers import context, crowd, malicious, shown
from smplx_files import write_smplx

from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.results import open_results
from mmhuman_dto.results.smpl_family import REST_PELVIS
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

SIZE = 480, 720
#: Frames in which each of the three people is.
FRAMES = ([0, 1, 2, 3], [0, 1, 3], [2, 3])


class TrueTrack(NamedTuple):
    """Truth of one person in T frames: float32 arrays, m, rad, camera frame."""
    frames: list
    pose: np.ndarray  # (T, 24 or 55, 3)
    betas: np.ndarray  # (T, 10)
    transl: np.ndarray
    vertices: np.ndarray  # (T, V, 3)
    joints: np.ndarray  # (T, 24, 3)

    @property
    def matrices(self):
        return axis_angle_to_matrix(torch.as_tensor(self.pose)).numpy()

    @property
    def pelvis(self):
        return self.joints[:, 0]

    def at(self, frame):
        """Row of a frame of the video."""
        return self.frames.index(frame)


@functools.cache
def model_files():
    """Folder with files of SMPL and SMPL-X, kept for all tests; their pelvises are where those of real ones are."""
    folder = Path(tempfile.mkdtemp())
    write_synthetic_smpl(folder)
    write_smplx(folder, .2)
    path = folder / 'smplx' / 'SMPLX_NEUTRAL.npz'
    arrays = dict(np.load(path, allow_pickle=True))
    arrays['v_template'] += REST_PELVIS['smplx'] - arrays['J_regressor'][0] @ arrays['v_template']
    np.savez(path, **arrays)
    return folder


@functools.cache
def body(layout, hands_of_mean=False):
    kind = dict(type='SMPL') if layout == 'smpl' else dict(
        type='SMPLX', whole_body=True, flat_hand_mean=not hands_of_mean)
    return BODY_MODELS.build(dict(kind, model_path=model_files()))


def posed(layout, pose, betas, transl, hands_of_mean=False):
    """Vertices (T, V, 3) and joints (T, 24, 3)."""
    model = body(layout, hands_of_mean)
    pose, betas, transl = (torch.as_tensor(value).float() for value in (pose, betas, transl))
    betas = torch.nn.functional.pad(betas, (0, model.num_betas - betas.shape[1]))
    with torch.no_grad():
        made = model(pose, betas, transl)
    return made.vertices.numpy(), made.joints[:, :24].numpy()


@functools.cache
def true_tracks(layout='smpl', hands_of_mean=False):
    """Three :class:`TrueTrack`, near and far, not all of them in all frames."""
    truth, rng, tracks = crowd(size=SIZE), np.random.default_rng(0), []
    count = 24 if layout == 'smpl' else 55
    for person, frames in enumerate(FRAMES):
        pose = rng.normal(0, .05, (len(frames), count, 3))
        pose[:, :22] += truth.pose[person, :22]
        betas = np.repeat(rng.normal(0, .5, (1, 10)), len(frames), 0)
        walk = truth.joints[person, 0] + np.array(frames)[:, None] * [.1, 0, .05]
        transl = walk - np.array(REST_PELVIS[layout])
        pose, betas, transl = (value.astype(np.float32) for value in (pose, betas, transl))
        tracks.append(TrueTrack(frames, pose, betas, transl, *posed(layout, pose, betas, transl, hands_of_mean)))
    return tracks


def check_frames(results, tracks, camera, numbers, atol=1e-4):
    """Assert that a video's frames show these tracks, with these numbers, vertices where this camera shows them."""
    frames = sorted({frame for track in tracks for frame in track.frames})
    assert [image.frame for image in results.images] == frames
    for image in results.images:
        there = [(number, track) for number, track in zip(numbers, tracks) if image.frame in track.frames]
        assert image.people.track_ids.tolist() == [number for number, _ in there]
        vertices = np.stack([track.vertices[track.at(image.frame)] for _, track in there])
        np.testing.assert_allclose(image.people.vertices, vertices, atol=atol)
        np.testing.assert_allclose(image.people.pelvis, [track.pelvis[track.at(image.frame)] for _, track in there],
                                   atol=atol)
        np.testing.assert_allclose(shown(image.people.vertices, image.intrinsics), shown(vertices, camera), atol=.1)


def check_stand_ins(results, tracks):
    """Assert that OpenBody stands where these tracks are, as it does without SMPL's files."""
    assert results.body.startswith('OpenBody') and any('files were not given' in note for note in results.notes)
    for image in results.images:
        there = [track.pelvis[track.at(image.frame)] for track in tracks if image.frame in track.frames]
        np.testing.assert_allclose(image.people.pelvis, there, atol=.03)
        assert image.people.vertices.shape[1:] == (6900, 3)


def refuses_pickles(file, kind, folder, wrap=lambda payload: payload):
    """Assert that a file that would run something is refused by its name when ``folder`` is read as a kind."""
    payload, evidence = malicious(folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(wrap(payload))
    with pytest.raises(UnsafeFileError, match=f'{file.name}.*refused, it '):
        open_results(folder, kind, context()).read()
    assert not evidence.exists()


def npz_of(key):
    """Function that wraps a pickle as that key of an npz."""
    def npz(payload):
        head, whole = io.BytesIO(), io.BytesIO()
        np.lib.format.write_array_header_1_0(head, dict(descr='|O', fortran_order=False, shape=()))
        with zipfile.ZipFile(whole, 'w') as archive:
            archive.writestr(f'{key}.npy', head.getvalue() + payload)
        return whole.getvalue()
    return npz
