"""Tracks of PHALP, as 4D-Humans and TokenHMR leave them of a video."""
from pathlib import Path, PurePosixPath

import torch

from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.geometry.rotation import matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS

from .base import ResultError
from .cameras import centred
from .files import numbers
from .posing import BodiesReader, BodyRows, Shot
from .stored import Stored, load_stored, save_stored
from .tracks import dictionary

#: Focal length (px) of HMR's networks for their input of so many px, stretched to the longer side of the picture.
CROP_FOCAL, CROP_SIZE = 5000, 256
_LISTS = ('tid', 'tracked_time', 'smpl', 'camera', 'size')


@RESULTS.register_module()
class Phalp(BodiesReader):
    """``results/<dataset>_<video>.pkl``: {frame: {time, frame_path, and lists with an entry a person: tid, bbox (x, y,
    width, height px), tracked_time, size [height, width], camera (3), smpl {global_orient (1, 3, 3), body_pose
    (23, 3, 3), betas (10)}, 3d_joints, ...}}.

    ``camera`` is the translation in the camera frame, m, for a focal length of 5000 / 256 of the picture's longer side;
    people of whom ``tracked_time`` > 0 were not seen but predicted, and stay in the file as they are.
    """
    kind = 'phalp'
    program = '4D-Humans (https://github.com/shubham-goel/4D-Humans), TokenHMR and PHALP'
    files = 'results/<dataset>_<video>.pkl of track.py'
    licence = '4D-Humans and PHALP MIT, TokenHMR and SMPL non-commercial'

    @classmethod
    def sniff(cls, path):
        return mentions(path, 'tracked_time', 'frame_path', 'camera_bbox', '3d_joints')

    def understood(self):
        self.stored = load_stored(self.path)
        frames = dictionary(self.stored.content, self.path, self.files)
        self.places, people, shots, size = [], [], [], None
        for key, frame in frames.items():
            where = f'{self.path}, frame {key}'
            seen = self._seen(frame, where)
            rows = list(range(len(people), len(people) + len(seen)))
            people += [self._person(frame, place, where) for place in seen]
            self.places += [(key, place) for place in seen]
            size = next((tuple(int(side) for side in value) for value in frame['size']), size)
            name = PurePosixPath(str(frame.get('frame_path', key))).name
            shots.append(Shot(name, rows, None, size, int(frame['time'])))
        shots = [shot._replace(image_size=shot.image_size or size) for shot in shots]
        if size is not None:
            camera = centred(CROP_FOCAL / CROP_SIZE * max(size), size)
            shots = [shot._replace(intrinsics=camera) for shot in shots]
        return _rows(people), shots, (), True

    def _seen(self, frame, where):
        """Places in the lists of a frame of the people who were seen in it."""
        dictionary(frame, where, self.files, 'time', *_LISTS)
        counts = {name: len(frame[name]) for name in _LISTS}
        if len(set(counts.values())) > 1:
            said = ', '.join(f'{name} {count}' for name, count in counts.items())
            raise ResultError(f'{where}: lists of different lengths: {said}')
        return [place for place, time in enumerate(frame['tracked_time']) if time == 0]

    def _person(self, frame, place, where):
        where = f'{where}, person {place}'
        smpl = dictionary(frame['smpl'][place], f'{where}, key smpl', 'global_orient, body_pose, betas',
                          'global_orient', 'body_pose', 'betas')
        pose = torch.cat([numbers(smpl, 'global_orient', (1, 3, 3), where),
                          numbers(smpl, 'body_pose', (23, 3, 3), where)])
        entry = {name: frame[name][place] for name in ('camera', 'bbox', 'conf') if place < len(frame.get(name, ()))}
        box = numbers(entry, 'bbox', (4, ), where) if 'bbox' in entry else torch.full((4, ), torch.nan)
        return dict(pose=pose.float(), betas=numbers(smpl, 'betas', (10, ), where).float(),
                    transl=numbers(entry, 'camera', (3, ), where), track_ids=torch.tensor(int(frame['tid'][place])),
                    bboxes=torch.cat([box[:2], box[:2] + box[2:]]).float(),
                    scores=torch.tensor(float(entry.get('conf', torch.nan))))

    def write(self, out, moves):
        moves, changed = self.of_rows(moves), {}
        for key, frame in self.stored.content.items():
            changed[key] = dict(frame, camera=list(frame['camera']))
        for row, (key, place) in enumerate(self.places):
            cameras = changed[key]['camera']
            cameras[place] = moves.translated(row, cameras[place])
        save_stored(written := Path(out) / self.path.name, Stored(changed, self.stored.form))
        return [written]


def _rows(people):
    """:class:`BodyRows` of what was read of each person."""
    empty = dict(pose=torch.zeros(0, 24, 3, 3), betas=torch.zeros(0, 10), transl=torch.zeros(0, 3),
                 track_ids=torch.zeros(0, dtype=torch.long), bboxes=torch.zeros(0, 4), scores=torch.zeros(0))
    joined = {name: torch.stack([person[name] for person in people]) if people else value
              for name, value in empty.items()}
    pose = matrix_to_axis_angle(joined.pop('pose'))
    return BodyRows('smpl', pose, joined.pop('betas'), joined.pop('transl'), fields=joined)
