"""What WHAM saves of a video."""
from functools import partial
from pathlib import Path

from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ResultError
from .files import numbers
from .posing import BodiesReader, moved_points
from .stored import Stored, load_stored, save_stored

_WORLD_NOTE = 'pose_world and trans_world are left as they are: the camera\'s own places are not saved'


@RESULTS.register_module()
class Wham(BodiesReader):
    """``wham_output.pkl``: {id: {pose (T, 72), trans (T, 3), pose_world, trans_world, betas (T, 10), verts (T, 6890,
    3), frame_ids (T)}}; pose, trans and verts in the camera frame, m, ``trans`` SMPL's own.

    The focal length, the diagonal unless WHAM was given one, is not saved. ``trans_world`` is the middle of the hips,
    not SMPL's translation.
    """
    kind = 'wham'
    program = 'WHAM (https://github.com/yohanshin/WHAM)'
    files = 'wham_output.pkl of demo.py --save_pkl'
    licence = 'code MIT, SMPL non-commercial'

    @classmethod
    def sniff(cls, path):
        return mentions(tracks.file_in(path, 'wham_output.pkl'), 'pose_world', 'trans_world', 'frame_ids')

    def understood(self):
        self.file = tracks.file_in(self.path, 'wham_output.pkl')
        self.stored = load_stored(self.file)
        people = tracks.dictionary(self.stored.content, self.file, self.files)
        self.tracks = [self._track(number, track, f'{self.file}, person {number}') for number, track in people.items()]
        image_size = tracks.size_of_frames(self.context, self.tracks)
        camera, notes = tracks.diagonal_camera(image_size)
        meshes = [track.get('verts') for track in people.values()]
        vertices = None if any(verts is None for verts in meshes) or not meshes else partial(
            tracks.gathered, self.tracks, meshes)
        return (tracks.rows_of_tracks('smpl', self.tracks, vertices=vertices),
                tracks.shots_of(self.tracks, camera, image_size), (*notes, _WORLD_NOTE), True)

    def _track(self, number, track, where):
        track = tracks.dictionary(track, where, 'pose, trans, betas, frame_ids')
        frames = numbers(track, 'frame_ids', (None, ), where).long()
        if 'verts' in track and tuple(track['verts'].shape) != (len(frames), 6890, 3):
            raise ResultError(f'{where}, key verts: shape {tuple(track["verts"].shape)}, expected '
                              f'({len(frames)}, 6890, 3)')
        return tracks.Track(int(number), frames, numbers(track, 'pose', (None, 72), where).view(-1, 24, 3),
                            numbers(track, 'betas', (None, 10), where),
                            numbers(track, 'trans', (None, 3), where)).checked(where)

    def write(self, out, moves):
        moves, changed = self.of_rows(moves), {}
        pelvises = self.pelvises() if any('verts' in track for track in self.stored.content.values()) else None
        for (number, track), rows in zip(self.stored.content.items(), tracks.slices_of(self.tracks)):
            changed[number] = dict(track, trans=tracks.moved_track(moves, rows, track['trans']))
            if 'verts' in track:
                changed[number]['verts'] = moved_points(moves.of(rows), track['verts'], pelvises[rows])
        save_stored(written := Path(out) / self.file.name, Stored(changed, self.stored.form))
        return [written]
