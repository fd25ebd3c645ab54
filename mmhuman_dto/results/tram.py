"""Tracks of TRAM and of JOSH, which refines them."""
import re
from pathlib import Path

from mmhuman_dto.fileio import load_npy
from mmhuman_dto.fileio.plain_pickle import object_npy
from mmhuman_dto.geometry.rotation import matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ResultError
from .files import numbers
from .posing import BodiesReader

_CAMERA, _TRACK = 'camera.npy', re.compile(r'hps_track_(\d+)\.npy')
_NO_CAMERA = (f'there is no {_CAMERA} beside the tracks, which has the focal length; give it as --focal')


@RESULTS.register_module()
class Tram(BodiesReader):
    """A folder with ``hps/hps_track_<k>.npy``, each a pickled {pred_rotmat (T, 24, 3, 3), pred_shape (T, 10),
    pred_trans (T, 1, 3), frame (T), ...} of torch tensors, and ``camera.npy``, a pickled {img_focal, img_center,
    world_cam_R (F, 3, 3), world_cam_T (F, 3), ...}, the camera in the world in each frame of the video;
    ``pred_trans`` is SMPL's translation in the camera frame, m.
    JOSH's tracks are the same.
    """
    kind = 'tram'
    program = 'TRAM (https://github.com/yufu-wang/tram), JOSH'
    files = 'a folder with camera.npy and hps/hps_track_<k>.npy'
    licence = 'code MIT, SMPL non-commercial; JOSH has no licence'

    @classmethod
    def sniff(cls, path):
        return bool(_files(path))

    def understood(self):
        self.files_of = _files(self.path)
        if not self.files_of:
            raise ResultError(f'{self.path}: no hps_track_<k>.npy; expected {self.files}')
        self.contents = {file: load_npy(file) for file in self.files_of.values()}
        self.tracks = [_track(number, self.contents[file], str(file)) for number, file in self.files_of.items()]
        camera, size, notes = self._camera()
        return tracks.rows_of_tracks('smpl', self.tracks), tracks.shots_of(self.tracks, camera, size), notes, False

    def _camera(self):
        """Intrinsics, size of the frames, notes."""
        path, self.camera = self.path / _CAMERA, None
        if not path.is_file():
            return None, tracks.size_of_frames(self.context, self.tracks), (_NO_CAMERA, )
        self.camera = load_npy(path)
        self.camera_poses = tracks.poses_of(self.camera, 'world_cam_R', 'world_cam_T')
        return *tracks.camera_of(self.camera, str(path)), ()

    def write(self, out, moves):
        all_moves, moves, written = moves, self.of_rows(moves), []
        for (file, content), rows in zip(self.contents.items(), tracks.slices_of(self.tracks)):
            changed = dict(content, pred_trans=tracks.moved_track(moves, rows, content['pred_trans']))
            written.append(target := Path(out) / file.relative_to(self.path))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(object_npy(changed))
        if self.camera is not None:
            written.append(target := Path(out) / _CAMERA)
            target.write_bytes(object_npy(tracks.with_camera(self.camera, all_moves)))
        return written


def _files(path):
    """{number: file} of the tracks of a folder."""
    folder = path / 'hps' if (path / 'hps').is_dir() else path
    found = {int(match[1]): file for file in (folder.iterdir() if folder.is_dir() else ())
             if (match := _TRACK.fullmatch(file.name))}
    return dict(sorted(found.items()))


def _track(number, content, where):
    content = tracks.dictionary(content, where, 'pred_rotmat, pred_shape, pred_trans, frame')
    pose = matrix_to_axis_angle(numbers(content, 'pred_rotmat', (None, 24, 3, 3), where))
    return tracks.Track(number, numbers(content, 'frame', (None, ), where).long(), pose,
                        numbers(content, 'pred_shape', (None, 10), where),
                        numbers(content, 'pred_trans', (None, 1, 3), where)[:, 0]).checked(where)
