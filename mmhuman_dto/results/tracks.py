"""People who are followed through a video: tracks of frames into frames of people."""
import bisect
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.geometry.trajectories import inverse_poses, make_poses

from .base import Moves, ResultError
from .cameras import centred, diagonal, pinhole
from .files import describe, numbers
from .posing import BodyRows, Shot

#: What is said where a video's frames are not known to be of any size.
SIZE_HINT = ('the size of the pictures, which the focal length is made of, is not in the results; give the pictures as '
             '--images')

#: How far a camera's rotation may be from one, as the largest entry of R R^T - 1.
_NO_TURN = 1e-2


class Track(NamedTuple):
    """A person: number, frames (T,), and of each frame pose (T, J, 3), betas (T, B), transl (T, 3)."""
    number: int
    frames: torch.Tensor
    pose: torch.Tensor
    betas: torch.Tensor
    transl: torch.Tensor

    def checked(self, where):
        """Itself; ResultError unless all have as many frames."""
        for name, values in self._asdict().items():
            if name != 'number' and len(values) != len(self.frames):
                raise ResultError(f'{where}: {len(self.frames)} frames, but {name} has {len(values)}')
        return self


def rows_of_tracks(layout, tracks, **more):
    """:class:`BodyRows` of tracks, one after the other."""
    empty = Track(0, torch.zeros(0), torch.zeros(0, 22, 3), torch.zeros(0, 10), torch.zeros(0, 3))
    joined = {name: torch.cat([getattr(track, name) for track in tracks or [empty]])
              for name in ('pose', 'betas', 'transl')}
    numbers = torch.tensor([track.number for track in tracks for _ in track.frames], dtype=torch.int64)
    return BodyRows(layout, **joined, fields=dict(track_ids=numbers), **more)


def slices_of(tracks):
    """[slice] of the rows of each track."""
    slices, start = [], 0
    for track in tracks:
        slices.append(slice(start, start := start + len(track.frames)))
    return slices


def gathered(tracks, arrays, rows):
    """(k, ...) tensor of the values in rows of what each track has in its array (T, ...)."""
    starts = [part.start for part in slices_of(tracks)]
    owners = [bisect.bisect_right(starts, row) - 1 for row in rows]
    values = [torch.as_tensor(arrays[owner][row - starts[owner]]) for owner, row in zip(owners, rows)]
    return torch.stack(values) if values else torch.zeros(0, *arrays[0].shape[1:])


def shots_of(tracks, camera, image_size=None):
    """:class:`Shot` of each frame with people, in order.

    Args:
        camera: (3, 3) intrinsics, or a function of the frame's number that gives them, or None.
    """
    rows = {}
    for row, frame in enumerate(int(frame) for track in tracks for frame in track.frames):
        rows.setdefault(frame, []).append(row)
    return [Shot(str(frame), rows[frame], camera(frame) if callable(camera) else camera, image_size, frame)
            for frame in sorted(rows)]


def size_of_frames(context, tracks):
    """(height, width) px of a video's frames, by the first whose picture is found; None."""
    frames = sorted({int(frame) for track in tracks for frame in track.frames})
    return next((size for frame in frames[:3] if (size := context.image_size(str(frame), frame)) is not None), None)


def camera_of(content, where):
    """((3, 3) intrinsics, (height, width)) of a dictionary with img_focal and img_center, px; the axis goes through the
    middle of the frames."""
    content = dictionary(content, where, 'img_focal, img_center', 'img_focal', 'img_center')
    flat = {key: torch.as_tensor(content[key]).reshape(-1) for key in ('img_focal', 'img_center')}
    (focal, ), (cx, cy) = (numbers(flat, key, (size, ), where).tolist() for key, size in (('img_focal', 1),
                                                                                          ('img_center', 2)))
    return pinhole(focal, cx, cy), (round(2 * cy), round(2 * cx))


def poses_of(content, turn, place):
    """(F, 4, 4) float64, world -> camera, of a dictionary with rotations (F, 3, 3) and places (F, 3) of the camera in
    the world; None where it has none such."""
    if not isinstance(content, dict) or not {turn, place} <= set(content):
        return None
    try:
        turns, places = (torch.as_tensor(content[key]).double() for key in (turn, place))
    except (TypeError, ValueError, RuntimeError):  # no numbers
        return None
    if turns.ndim != 3 or turns.shape[1:] != (3, 3) or places.shape != (len(turns), 3):
        return None
    square = (turns @ turns.transpose(1, 2) - torch.eye(3).double()).abs().amax((1, 2))
    if not (square < _NO_TURN).all() or (torch.linalg.det(turns) < 0).any() or not places.isfinite().all():
        return None
    return inverse_poses(make_poses(turns, places))


def with_camera(content, moves):
    """The dictionary of :func:`camera_of` for the camera that people were placed for, where it is another; of cameras
    that differ from frame to frame the one in the middle."""
    cameras = [move.intrinsics for move in moves if move.intrinsics is not None]
    if not cameras or 'img_focal' not in content:
        return content
    camera = torch.stack(cameras).median(0).values.numpy()
    changed = dict(img_focal=camera[0, 0], img_center=camera[:2, 2])
    return {**content, **{key: _as(value, content[key]) for key, value in changed.items()}}


def _as(value, example):
    """Numbers in the type and shape of an example: number, array or tensor."""
    if torch.is_tensor(example):
        return torch.as_tensor(value).to(example.dtype).reshape(example.shape)
    if isinstance(example, (np.ndarray, np.generic)):
        return np.asarray(value, example.dtype).reshape(example.shape)[()]
    return type(example)(np.asarray(value).tolist())


def diagonal_camera(image_size):
    """((3, 3) or None, notes): a focal length of the diagonal, which programs assume who know none."""
    if image_size is None:
        return None, (SIZE_HINT, )
    return centred(diagonal(image_size), image_size), ()


def moved_track(moves, rows, values):
    """Translations (T, ..., 3), tensor or array, of a track whose rows are a slice, as ``Moves`` of all rows move."""
    shift = moves.shift[rows]
    return Moves(shift.view(len(shift), *[1] * (values.ndim - 2), 3), moves.scale[rows]).translated(slice(None), values)


def file_in(path, name):
    """A file, or the one of that name in a folder."""
    return path / name if path.is_dir() else path


def dictionary(content, where, expected, *keys):
    """``content``; ResultError unless it is a dictionary with these keys."""
    if not isinstance(content, dict) or not set(keys) <= set(content):
        raise ResultError(f'{where}: {describe(content)}; expected {expected}')
    return content
