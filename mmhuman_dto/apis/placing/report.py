"""What placing found, as plain numbers: who is where, how sure that is, and how much each mesh grew."""
import numpy as np

from mmhuman_dto.visualization import people_rows
from mmhuman_dto.visualization.clip_motion import height_of, median_of

FORMAT, VERSION = 'mmhuman_dto.placement', 1
_WORDS = dict(
    time='s, from the first frame of the video on',
    distance='m along the camera axis, mean of the mesh', height='m, rest pose',
    shift='m, camera frame, of the pelvis and of every translation, for another focal length too',
    scale='new over old size of the mesh about its pelvis; shape parameters do not carry it',
    std='standard deviations in the same units, null where not known',
    people='of a video: height m and its standard deviation, one of each person, and when it is seen',
    unsure_order='rows of pairs of people of whom it is not known who is nearer (less than 90 % sure)')


class Report:
    """Collects the placed pictures of results, as JSON-able numbers.

    Args:
        reader: :class:`~mmhuman_dto.results.ResultReader`. results: :class:`~mmhuman_dto.results.Results`.
    """

    def __init__(self, reader, results):
        self.content = dict(format=FORMAT, version=VERSION, kind=reader.kind, program=reader.program,
                            results=str(reader.path), meaning=_WORDS, notes=list(results.notes), images=[],
                            failed=list(results.failed))

    def add(self, image, scene, moves, time=None):
        """A picture: :class:`~mmhuman_dto.results.ImageResult`, its scene and :class:`~mmhuman_dto.results.Moves`;
        ``time``: s, of a frame of a video."""
        rows = {row.person: row for row in people_rows(scene.scene.last)}  # of tracks, where there are such
        tracks = image.people.track_ids.tolist() if 'track_ids' in image.people else [None] * len(image.people)
        people = [dict(row=i, **({} if track is None else dict(track_id=track)),
                       **_numbers(rows.get(i if track is None else track)),
                       shift=_rounded(moves.shift[i]), scale=_rounded(moves.scale[i]))
                  for i, track in enumerate(tracks)]
        frame = {} if image.frame is None else dict(frame=image.frame)
        self.content['images'].append(dict(
            name=image.name, **frame, **({} if time is None else dict(time=_rounded(time))),
            image_size=list(scene.sample.ori_shape), intrinsics=_rounded(scene.sample.pred_camera.intrinsics),
            focal_source=scene.sample.get('focal_source', ''), people=people,
            unsure_order=[list(pair) for pair in scene.sample.get('unsure_order', ())], note=scene.note))


def people_of(clip, bodies, frames):
    """What is known of each person of a :class:`~mmhuman_dto.structures.Clip` as a whole, as JSON-able numbers.

    Args:
        bodies: those of its meshes. frames: (T) numbers of its frames in the video.
    """
    return [dict(
        track_id=track.track_id, height=_rounded(height_of(track.people, bodies)),
        height_std=_rounded(median_of(track.people, 'heights_std', np.nan)), frames=len(track),
        first_frame=frames[track.frames[0]], last_frame=frames[track.frames[-1]],
        first_time=_rounded(clip.times[track.frames[0]]), last_time=_rounded(clip.times[track.frames[-1]]))
        for track in clip.tracks]


def _numbers(row):
    if row is None:
        return dict(placed=False, note='not placed: mesh is not finite')
    return dict(placed=not row.note, note=row.note, height=_rounded(row.height), height_std=_rounded(row.height_std),
                distance=_rounded(row.distance), distance_std=_rounded(row.distance_std))


def _rounded(values):
    """Numbers to 6 digits, None for those that are not finite."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim:
        return [_rounded(value) for value in values]
    return float(f'{values:.6g}') if np.isfinite(values) else None
