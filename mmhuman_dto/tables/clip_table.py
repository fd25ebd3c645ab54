"""A clip as a :class:`~mmhuman_dto.tables.people_table.PeopleTable`: a frame an image, people with ``track_ids``.

Columns of images are also ``time`` and, where the camera's poses are known, ``camera_pose``; the table's provenance has
the clip's name and where shots begin.
"""
import shutil
from pathlib import Path

import torch

from mmhuman_dto.fileio.atomic import publish
from mmhuman_dto.structures import Clip

from .people_table import PeopleTable, PeopleTableBuilder, TableError


def write_clip(folder, clip):
    """Write a clip into a folder, in the place of a clip that is there.

    Raises:
        TableError: people of two frames that have other fields, or something else is in the folder.
    """
    folder = Path(folder)
    builder = PeopleTableBuilder(clip.body_model, dict(clip=clip.name, shots=list(clip.shots)))
    for frame, sample in enumerate(clip.samples()):
        sample.set_metainfo(dict(time=float(clip.times[frame])))
        if clip.camera_poses is not None:
            sample.set_metainfo(dict(camera_pose=clip.camera_poses[frame].tolist()))
        builder.add(sample)
    if folder.exists() and any(folder.iterdir()) and not (folder / 'schema.json').is_file():
        raise TableError(f'{folder}: there is something else than a table; move it away')
    temporary = folder.with_name(f'.{folder.name}.tmp')
    shutil.rmtree(temporary, ignore_errors=True)
    builder.write(temporary)
    shutil.rmtree(folder, ignore_errors=True)
    publish(temporary, folder)


def read_clip(folder):
    """The :class:`~mmhuman_dto.structures.Clip` that :func:`write_clip` wrote.

    Raises:
        TableError: not such a table.
    """
    table = PeopleTable(folder)
    said = table.schema['provenance']
    if 'image.time' not in table.columns or not isinstance(said, dict) or not {'clip', 'shots'} <= said.keys():
        raise TableError(f'{folder}: a table without times of its frames, which a clip has')
    samples = [table[frame] for frame in range(len(table))]
    poses = None
    if 'image.camera_pose' in table.columns:
        poses = torch.from_numpy(table.columns['image.camera_pose'].copy())
    return Clip.from_samples(samples, table.columns['image.time'].copy(), str(said['clip']), camera_poses=poses,
                             shots=[int(shot) for shot in said['shots']], body_model=table.schema['body_model'])
