"""What PromptHMR saves of a video."""
from pathlib import Path

import torch

from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, geodesic_distance, matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import Moves
from .files import numbers
from .posing import BodiesReader
from .smpl_family import REST_PELVIS
from .stored import Stored, load_stored, save_stored

_FILE = 'results.pkl'
#: Camera poses are those of the world's people where these turn as the camera's people do, to so many rad.
_SAME_TURN = .05
#: They are also where the camera's people are seen, to so many m.
_SAME_PLACE = .2
_WORLD_STAYS = ('smplx_world is left as it is: the file has no poses of the camera by which it could be moved, or none '
                'that fits to the people in it')


@RESULTS.register_module()
class PromptHmrVideo(BodiesReader):
    """``results.pkl``: {people {id: {frames (T), smplx_cam {rotmat (T, 55, 3, 3), shape (T, 10), trans (T, 3), ...},
    smplx_world {pose (T, 165), shape, trans}}}, camera and camera_world {Rwc (F, 3, 3), Twc, Rcw, Tcw, img_focal,
    img_center}, ...} of SMPL-X, m; smplx_cam in the camera frame, smplx_world in a world with y up.

    Pixels are those of the extracted frames, at most 896 high. Translations of the world are turned as the camera was.
    """
    kind = 'prompthmr_video'
    program = 'PromptHMR (https://github.com/yufu-wang/PromptHMR), videos'
    files = 'results.pkl of the video pipeline'
    licence = 'non-commercial'

    @classmethod
    def sniff(cls, path):
        return mentions(tracks.file_in(path, _FILE), 'smplx_cam', 'img_focal', 'people')

    def understood(self):
        self.file = tracks.file_in(self.path, _FILE)
        self.stored = load_stored(self.file)
        content = tracks.dictionary(self.stored.content, self.file, self.files, 'people')
        self.tracks = [_track(number, person, f'{self.file}, person {number}')
                       for number, person in content['people'].items()]
        camera, size = self._camera(content)
        self.turns = [self._turns(person, track) for person, track in zip(content['people'].values(), self.tracks)]
        self.camera_poses = self._poses(content)
        stays = any(turns is None and 'smplx_world' in person
                    for turns, person in zip(self.turns, content['people'].values()))
        notes = ('the pictures are the frames as PromptHMR extracts them, at most 896 px high',
                 *([_WORLD_STAYS] if stays else ()))
        return tracks.rows_of_tracks('smplx', self.tracks), tracks.shots_of(self.tracks, camera, size), notes, False

    def _camera(self, content):
        """((3, 3), (height, width)) of the extracted frames."""
        return tracks.camera_of(content.get('camera') or content.get('camera_world'), f'{self.file}, key camera')

    def _poses(self, content):
        """(F, 4, 4) world -> camera, where the people of the world stand where the camera's are seen; None."""
        poses = tracks.poses_of(content.get('camera_world'), 'Rwc', 'Twc')
        if poses is None or None in self.turns:
            return None
        rest, apart = torch.tensor(REST_PELVIS['smplx']).double(), [torch.zeros(0).double()]
        for person, track in zip(content['people'].values(), self.tracks):
            there = torch.as_tensor(person['smplx_world']['trans']).double() + rest
            seen = (poses[track.frames, :3, :3] @ there[..., None])[..., 0] + poses[track.frames, :3, 3]
            apart.append((seen - track.transl - rest).norm(dim=-1))
        apart = torch.cat(apart)
        return poses if len(apart) and apart.median() < _SAME_PLACE else None

    def _turns(self, person, track):
        """Rotations (T, 3, 3) from the camera to the world of ``smplx_world``; None where none fits to its people."""
        poses = self.stored.content.get('camera_world')
        if not isinstance(poses, dict) or 'smplx_world' not in person or 'Rwc' not in poses or not len(track.frames):
            return None
        turns = torch.as_tensor(poses['Rwc']).double()
        if turns.ndim != 3 or int(track.frames.max()) >= len(turns):
            return None
        turns = turns[track.frames]
        numbers(person['smplx_world'], 'trans', (len(turns), 3), str(self.file))
        world = torch.as_tensor(person['smplx_world']['pose']).double().view(len(turns), -1, 3)[:, 0]
        apart = geodesic_distance(turns @ axis_angle_to_matrix(track.pose[:, 0]), axis_angle_to_matrix(world))
        return turns if apart.median() < _SAME_TURN else None

    def write(self, out, moves):
        cameras = {key: tracks.with_camera(self.stored.content[key], moves) for key in ('camera', 'camera_world')
                   if isinstance(self.stored.content.get(key), dict)}
        moves, people = self.of_rows(moves), {}
        for (number, person), rows, turns in zip(self.stored.content['people'].items(), tracks.slices_of(self.tracks),
                                                 self.turns):
            people[number] = dict(person, smplx_cam=_moved(person['smplx_cam'], moves.of(rows)))
            if turns is not None:
                world = Moves((turns @ moves.shift[rows][..., None])[..., 0], moves.scale[rows])
                people[number]['smplx_world'] = _moved(person['smplx_world'], world)
        changed = dict(self.stored.content, people=people, **cameras)
        save_stored(written := Path(out) / self.file.name, Stored(changed, self.stored.form))
        return [written]


def _moved(body, moves):
    return dict(body, trans=tracks.moved_track(moves, slice(None), body['trans']))


def _track(number, person, where):
    person = tracks.dictionary(person, where, 'frames, smplx_cam', 'smplx_cam')
    body = tracks.dictionary(person['smplx_cam'], f'{where}, key smplx_cam', 'rotmat, shape, trans')
    pose = matrix_to_axis_angle(numbers(body, 'rotmat', (None, 55, 3, 3), where))
    return tracks.Track(int(number), numbers(person, 'frames', (None, ), where).long(), pose,
                        numbers(body, 'shape', (None, 10), where),
                        numbers(body, 'trans', (None, 3), where)).checked(where)
