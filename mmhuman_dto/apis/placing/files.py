"""Files of placed results: pictures of each, or of a video one film, and its people through time."""
from pathlib import Path

from mmhuman_dto.visualization.clip_motion import camera_to_world
from mmhuman_dto.visualization.clip_video import ClipVideoWriter
from mmhuman_dto.visualization.clip_writers import CLIP_WRITERS, save_clip
from mmhuman_dto.visualization.writers import WRITERS, KindError

from .timeline import FPS

#: What is saved of a video where nothing else is asked for, and of pictures.
VIDEO_KINDS, PICTURE_KINDS = ('mp4', 'params', 'csv'), ('overlay', 'birdseye', 'params', 'glb')
#: The kind that :func:`filmed` writes.
FILM = 'mp4'
#: All that can be saved: of a video some of it as one file, the rest of each frame.
KINDS = tuple(dict.fromkeys([FILM, *CLIP_WRITERS, *WRITERS]))


def sorted_kinds(kinds, is_video):
    """(whether a film is among kinds, those of whole videos, those of pictures and frames).

    Raises:
        KindError: one that only videos have, of pictures.
    """
    if is_video:
        return FILM in kinds, [kind for kind in kinds if kind in CLIP_WRITERS], [
            kind for kind in kinds if kind not in (FILM, *CLIP_WRITERS)]
    wrong = [kind for kind in kinds if kind not in WRITERS]
    if wrong:
        raise KindError(f'--save {" ".join(wrong)}: of videos only, whose results number frames and people; of '
                        f'pictures: {", ".join(WRITERS)}')
    return False, [], list(kinds)


def filmed(placed, out):
    """Yield the scenes of :class:`~.placer.PlacedResults` of a video, and write ``OUT/mp4/NAME.mp4`` meanwhile."""
    steps, to_world = placed.times.diff(), None
    rate = 1 / float(steps.median()) if len(steps) else FPS
    with ClipVideoWriter(Path(out) / FILM / f'{placed.name}.mp4', rate) as video:
        for row, scene in enumerate(placed):
            if row == 0 and placed.through_time and placed.clip.camera_poses is not None:
                to_world = camera_to_world(placed.clip, placed.bodies)
            video.add(scene.scene, float(placed.times[row]), None if to_world is None else to_world[row])
            yield scene


def save_whole(placed, out, kinds):
    """Write ``OUT/KIND/NAME`` of a video's people for each kind of ``CLIP_WRITERS``: the paths; errors as of
    :func:`~mmhuman_dto.visualization.clip_writers.save_clip`."""
    return save_clip(placed.clip, placed.bodies, out, placed.name, kinds)
