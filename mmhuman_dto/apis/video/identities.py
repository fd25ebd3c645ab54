"""Who is who in the frames of a video, and the joints of each person through it."""
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fitting import JointTrack
from mmhuman_dto.structures import People
from mmhuman_dto.tracking import Observations, track_people


class Identity(NamedTuple):
    """A person: ``frames`` (F) int64 in which it was found, and its ``rows`` (F) int64 among those found there."""
    track_id: int
    frames: torch.Tensor
    rows: torch.Tensor


def people_of(arrays):
    """:class:`People` of {name: array (N, ...)}, of the fields that people have."""
    return People(**{name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in arrays.items()
                     if name != 'colours'})


def identities(store, times, cuts, body_model, advance=lambda: None):
    """[:class:`Identity`] of everybody in the frames of a :class:`~.store.FrameStore`, by rising id.

    Args:
        times: (T) s. cuts: rows of frames at which shots begin.
        body_model: of the meshes.
    """
    def frames():
        for frame, time in enumerate(times):
            arrays = store[frame]
            seen = Observations.of_people(people_of(arrays), body_model, arrays.get('colours')) if arrays else (
                Observations(boxes=np.zeros((0, 4))))
            yield float(time), seen
            advance()

    found = {}
    for frame, ids in enumerate(track_people(frames(), cuts)):
        for row, number in enumerate(ids.tolist()):
            if number >= 0:
                found.setdefault(number, []).append((frame, row))
    return [Identity(number, *torch.tensor(places).unbind(-1)) for number, places in sorted(found.items())]


def joint_tracks(store, people, times, intrinsics):
    """[(identity, frames (G) int64, :class:`JointTrack`)] of people of whom enough joints are seen, short gaps bridged.

    Args:
        people: list of :class:`Identity`. intrinsics: (3, 3) px, of all frames.
    """
    found = {one.track_id: [] for one in people}
    places = {}
    for one in people:
        for frame, row in zip(one.frames.tolist(), one.rows.tolist()):
            places.setdefault(frame, []).append((one.track_id, row))
    for frame in sorted(places):  # each frame is read once for all
        arrays = store[frame]
        for number, row in places[frame]:
            found[number].append([arrays[name][row] for name in ('keypoints_2d', 'keypoints_2d_valid')])
    times, tracks = torch.as_tensor(times, dtype=torch.float64), []
    intrinsics = intrinsics.double().expand(len(times), 3, 3)
    for one in people:
        joints, scores = (torch.from_numpy(np.stack(values)).double() for values in zip(*found[one.track_id]))
        frames, track = JointTrack.across_gaps(one.frames, joints, scores, times, intrinsics)
        if track.enough.any():
            tracks.append((one, frames, track))
    return tracks
