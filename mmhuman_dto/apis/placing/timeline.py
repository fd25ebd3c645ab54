"""When the frames of results were taken, and where their camera was."""
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio.camera_poses import read_camera_poses
from mmhuman_dto.results import ResultError

#: Frames a second, where nobody tells.
FPS = 30.
#: What may be said of a camera without its poses.
_WORDS = ('still', 'moving')


class Timeline(NamedTuple):
    """Of the T frames of results.

    Attributes:
        times: (T) float64, s, from the first frame of the video on.
        cameras: 'still', 'moving' in ways nobody knows, or (T, 4, 4) float64, world -> camera.
        metric: whether these are in m.
        notes: sentences that a user must know: what was assumed.
    """
    times: torch.Tensor
    cameras: object
    metric: bool
    notes: tuple


def is_video(results):
    """Whether :class:`~mmhuman_dto.results.Results` are of the frames of one video, in order, whose people are known
    from frame to frame."""
    frames = results.frames
    if None in frames or not all(first < then for first, then in zip(frames, frames[1:])):
        return False
    people = next((image.people for image in map(results.images.__getitem__, range(len(frames))) if len(image.people)),
                  ())
    return 'track_ids' in people


def timeline(results, pictures, fps=None, cameras=None):
    """The :class:`Timeline` of the frames of results.

    Args:
        results: :class:`~mmhuman_dto.results.Results`. pictures: :class:`~.pictures.Pictures`.
        fps: frames a second; None: what the video says, else :data:`FPS`.
        cameras: 'still', 'moving', or a file of :func:`~mmhuman_dto.fileio.camera_poses.read_camera_poses`; None:
            what the results say, else still, and that is noted.

    Raises:
        ResultError: the video has not all of the frames, or cameras that are neither words nor a file.
        BrokenFileError: a file of cameras that does not reach over all frames.
    """
    frames, metric, own = results.frames, True, results.camera_poses
    count = max(frames, default=-1) + 1
    times, notes = _times(count, pictures, fps)
    if cameras is None and own is not None and len(own) >= count:
        cameras, metric = own[frames], False
        notes = (*notes, 'the camera moves as the results say, whose unit is found anew; --cameras says otherwise')
    elif cameras is None:
        cameras, notes = 'still', (*notes, 'the camera is taken to stand still; --cameras says otherwise')
    elif cameras not in _WORDS:
        if not Path(cameras).exists():
            raise ResultError(f"cameras {cameras}: expected 'still', 'moving', or a file of camera poses that is there")
        poses = read_camera_poses(cameras)
        names = pictures.names if len(pictures.names) >= count else None
        metric = poses.scale_known
        cameras = poses.of_frames(times, None if names is None else names[:count])[frames]
    return Timeline(times[frames] if len(frames) else times, cameras, metric, notes)


def _times(count, pictures, fps):
    """(times (``count``) of the frames from 0 on, notes)."""
    if pictures.video is not None and fps is None:
        times = pictures.video.times[:count]
        if len(times) < count:
            raise ResultError(f'{pictures.root}: has {len(times)} frames, and the results one of number {count - 1}; '
                              'give the video that the program was given')
        return torch.from_numpy(times - times[0] if count else times), ()
    notes = () if fps else (f'frames are taken to be 1/{FPS:.0f} s apart; --fps says otherwise', )
    return torch.from_numpy(np.arange(count) / float(fps or FPS)), notes
