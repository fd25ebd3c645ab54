"""A clip's numbers as files: all of them as one table, and where everybody is as one sheet."""
import csv
from pathlib import Path

import numpy as np
import torch

from ..tables.clip_table import write_clip
from ..tables.people_table import TableError
from .clip_motion import camera_to_world, height_of, median_of, middles_of, root_places
from .rigs import KindError

COLUMNS = ('frame', 'time_s', 'track_id', 'x_m', 'y_m', 'z_m', 'distance_m', 'distance_std_m', 'height_m',
           'height_std_m', 'score')


def write_clip_table(clip, body_model, path):
    """All that is known, as the folder ``PATH`` (:mod:`~mmhuman_dto.tables.clip_table`)."""
    try:
        write_clip(path, clip)
    except TableError as error:
        raise KindError(str(error)) from error
    return [Path(path)]


def write_clip_csv(clip, body_model, path):
    """Where everybody is in each frame, as ``PATH.csv``, a row a person and frame; '' where a number is not known.

    x, y, z: the pelvis in the world of all other files of the clip; distance: mean of the mesh along the camera's axis,
    as on pictures; the height is one number a person.
    """
    path = Path(f'{path}.csv')
    path.parent.mkdir(parents=True, exist_ok=True)
    to_world = camera_to_world(clip, body_model)
    rows = [row for track in clip.tracks for row in _rows(clip, track, body_model, to_world)]
    with open(path, 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([frame, f'{time:.4f}', number, *map(_text, numbers)]
                         for frame, time, number, *numbers in sorted(rows, key=lambda row: row[:3]))
    return [path]


def _rows(clip, track, body_model, to_world):
    """Rows of a track, in the order of ``COLUMNS``."""
    people, frames = track.people, track.frames.numpy()
    places, matrices = root_places(people, body_model), to_world[frames]
    places = np.einsum('fij,fj->fi', matrices[:, :3, :3], places) + matrices[:, :3, 3]
    size = [[number] * len(frames) for number in (
        height_of(people, body_model), median_of(people, 'heights_std', np.nan))]
    stds, scores = (torch.as_tensor(people[name]).tolist() if name in people else [np.nan] * len(frames)
                    for name in ('depths_std', 'scores'))
    return zip(frames.tolist(), clip.times[track.frames].tolist(), [track.track_id] * len(frames), *places.T.tolist(),
               middles_of(people, body_model)[:, 2].tolist(), stds, *size, scores)


def _text(number):
    return f'{number:.4f}' if np.isfinite(number) else ''
