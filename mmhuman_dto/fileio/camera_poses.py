"""Where a moving camera was, from files: COLMAP's models, trajectories in TUM format (DPVO's), plain npz and json.

All become poses (N, 4, 4), world -> camera, float64, and then those of a clip's frames.
"""
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry.trajectories import interpolated_poses, inverse_poses, make_poses

from .colmap import read_colmap
from .errors import BrokenFileError, reading
from .json_file import load_json
from .safe_pickle import load_npz
from .tum import is_unit, read_tum, write_tum

#: How far a rotation may be from one, as the largest entry of R R^T - 1.
_TOLERANCE = 1e-3
#: What plain files hold of either key: (T, 4, 4) or (T, 3, 4), m.
_KEYS = ('world_to_camera', 'camera_to_world')


@dataclass
class CameraPoses:
    """Poses of a camera as a file tells them.

    Attributes:
        path: of the file or folder.
        poses: (N, 4, 4) float64, world -> camera.
        stamps: (N) float64, rising: s, or numbers of frames.
        unit: what stamps are: 'seconds' or 'frames'.
        names: N names of pictures, or None.
        scale_known: whether the world is in metres; if not, its unit is anybody's guess.
        intrinsics: (N, 3, 3) float64, px, without distortion, or None.
        distorted: whether the file also tells a distortion that ``intrinsics`` leave out.
    """
    path: Path
    poses: torch.Tensor
    stamps: torch.Tensor
    unit: str = 'frames'
    names: tuple[str, ...] | None = None
    scale_known: bool = False
    intrinsics: torch.Tensor | None = None
    distorted: bool = False

    def of_frames(self, times, names=None):
        """Poses (T, 4, 4) float64 of a clip's frames, interpolated where the file has none of a frame.

        Stamps in s that begin after the clip's end are of another clock: the first one is the clip's start. Numbers of
        frames count from 0, or from 1 where there is no 0.

        Args:
            times: (T) s, from the first frame on.
            names: T names of the frames' pictures, by which they are found where the file has names.

        Raises:
            BrokenFileError: the file does not reach from the first frame to the last one.
        """
        times = torch.as_tensor(times, dtype=torch.float64)
        stamps, tolerance, poses = self.stamps, 0., self.poses
        if names is not None and self.names is not None:
            stamps, poses = self._rows_of(names)
        elif self.unit == 'frames':
            stamps = stamps - float(stamps[0] >= 1)
        elif stamps[0] > times[-1]:
            stamps = stamps - stamps[0]
        wanted = torch.arange(len(times), dtype=torch.float64)
        if self.unit == 'seconds':
            wanted, tolerance = times, float(times.diff().median()) / 2 if len(times) > 1 else 0.
        try:
            return interpolated_poses(poses, stamps, wanted, tolerance)
        except ValueError as error:
            raise BrokenFileError(
                f'{self.path}: {error} ({self.unit}, counted from the first of the {len(times)} frames, '
                f'{times[-1]:.2f} s). Run the camera tracker on the whole clip, or cut the clip to what it covers.'
            ) from None

    def _rows_of(self, names):
        """Frames (M) whose pictures are in the file, rising, and their poses (M, 4, 4)."""
        rows = {_stem(name): row for row, name in enumerate(self.names)}
        frames = [(frame, rows[_stem(name)]) for frame, name in enumerate(names) if _stem(name) in rows]
        if not frames:
            raise BrokenFileError(f'{self.path}: none of its {len(rows)} pictures ({self.names[0]!r}, ...) is called '
                                  f'as a frame ({names[0]!r}, ...)')
        frames, rows = map(list, zip(*frames))
        return torch.tensor(frames, dtype=torch.float64), self.poses[rows]


def read_camera_poses(path, kind=None, unit=None, metric=None):
    """The :class:`CameraPoses` of a file or folder.

    Args:
        path: a COLMAP model (a folder with images.txt or images.bin, or one of these), a trajectory in TUM format, a
            .npz or .json with ``world_to_camera`` or ``camera_to_world`` (T, 4, 4) and, optionally, ``times`` (T) s or
            ``frames`` (T), and ``metric``.
        kind: of ``KINDS``; None: told by name and content.
        unit: what the stamps of a trajectory are, 'seconds' or 'frames'; None: frames where all are whole numbers, as
            DPVO writes them.
        metric: whether the world is in metres; None: what the file says. COLMAP's and monocular trackers' worlds are
            not: False; plain files are, unless their ``metric`` is false.

    Raises:
        BrokenFileError: with file, line or key, value and what to do.
    """
    path = Path(path)
    kind = kind or _sniffed(path)
    if kind not in KINDS:
        raise ValueError(f'{kind!r}: unknown kind of camera poses, expected one of {", ".join(KINDS)}')
    poses = KINDS[kind](path)
    if not len(poses.poses):
        raise BrokenFileError(f'{path}: holds no pose')
    poses.unit = unit or poses.unit
    poses.scale_known = poses.scale_known if metric is None else metric
    return poses


def write_trajectory(path, times, camera_poses):
    """Write poses (T, 4, 4), world -> camera, at times (T), s, in TUM format."""
    back = inverse_poses(torch.as_tensor(camera_poses, dtype=torch.float64)).numpy()
    write_tum(path, times, back[:, :3, 3], Rotation.from_matrix(back[:, :3, :3]).as_quat())


def _sniffed(path):
    if path.is_dir() or path.name in ('images.txt', 'images.bin'):
        return 'colmap'
    return 'arrays' if path.suffix.lower() in ('.npz', '.json') else 'tum'


def _colmap(path):
    where, images, cameras = read_colmap(path if path.is_dir() else path.parent)
    lost = sorted({image.camera for image in images} - set(cameras))
    if cameras and lost:
        raise BrokenFileError(f'{where}: its pictures are of camera {lost[0]}, its cameras are {sorted(cameras)}')
    numbers = [_number(image.name, where) for image in images]
    order = np.argsort(numbers, kind='stable')
    images, numbers = [images[row] for row in order], np.array(numbers, float)[order]
    twice = np.flatnonzero(np.diff(numbers) == 0)
    if len(twice):
        raise BrokenFileError(f'{where}: {images[twice[0]].name!r} and {images[twice[0] + 1].name!r} have the same '
                              'number; keep the pictures of one clip')
    turned = np.array([image.quaternion for image in images]).reshape(-1, 4)
    poses = _posed(turned[:, [1, 2, 3, 0]], np.array([image.translation for image in images]).reshape(-1, 3), where)
    own = [cameras[image.camera] for image in images] if cameras else []
    intrinsics = torch.as_tensor(np.array([camera.intrinsics for camera in own])) if own else None
    return CameraPoses(path, poses, torch.as_tensor(numbers), names=tuple(image.name for image in images),
                       intrinsics=intrinsics, distorted=any(camera.distortion.any() for camera in own))


def _tum(path):
    stamps, places, quaternions = read_tum(path)
    whole = (stamps == np.round(stamps)).all()
    return CameraPoses(path, inverse_poses(_posed(quaternions, places, path)), torch.as_tensor(stamps),
                       'frames' if whole else 'seconds')


def _arrays(path):
    if path.suffix.lower() == '.json':
        content = load_json(path)
        content = content if isinstance(content, dict) else {}
    else:
        with load_npz(path) as arrays:
            content = {name: arrays[name] for name in arrays}
    found = [key for key in _KEYS if key in content]
    if len(found) != 1:
        raise BrokenFileError(f'{path}: its keys are {list(content)}; expected one of {" and ".join(_KEYS)}, '
                              '(T, 4, 4) in metres')
    with reading(f'{path}, {found[0]}', 'an array (T, 4, 4) of poses'):
        given = np.asarray(content[found[0]], np.float64)
        poses = _checked(torch.as_tensor(given), path) if len(given) else torch.zeros(0, 4, 4)
    poses = inverse_poses(poses) if found[0] == 'camera_to_world' else poses
    unit = 'seconds' if 'times' in content else 'frames'
    key = 'times' if unit == 'seconds' else 'frames'
    with reading(f'{path}, {key}', f'an array of {len(poses)} numbers that rise'):
        stamps = torch.as_tensor(np.asarray(content.get(key, np.arange(len(poses))), np.float64))
        if stamps.shape != (len(poses), ) or not (torch.isfinite(stamps).all() and (stamps.diff() > 0).all()):
            raise ValueError(f'shape {tuple(stamps.shape)}, or not rising')
    return CameraPoses(path, poses, stamps, unit, scale_known=bool(content.get('metric', True)))


#: Name of a kind of file -> its reader.
KINDS = {'colmap': _colmap, 'tum': _tum, 'arrays': _arrays}


def _posed(quaternions, translations, where):
    """Poses (N, 4, 4) of quaternions (N, 4) x, y, z, w and translations (N, 3)."""
    wrong = ~is_unit(quaternions) | ~np.isfinite(translations).all(1)
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise BrokenFileError(f'{where}: pose {row} is no pose: quaternion {quaternions[row]}, '
                              f'translation {translations[row]}')
    turned = Rotation.from_quat(quaternions).as_matrix() if len(quaternions) else np.zeros((0, 3, 3))
    return make_poses(torch.as_tensor(turned), torch.as_tensor(translations))


def _checked(poses, where):
    """Poses (N, 4, 4) of (N, 4, 4) or (N, 3, 4); ValueError for what is no rotation and translation."""
    if poses.ndim != 3 or poses.shape[1:] not in ((4, 4), (3, 4)):
        raise ValueError(f'shape {tuple(poses.shape)}')
    rotations = poses[:, :3, :3]
    off = (rotations @ rotations.transpose(1, 2) - torch.eye(3, dtype=poses.dtype)).abs().amax((1, 2))
    good = (off < _TOLERANCE) & (torch.linalg.det(rotations) > 0) & torch.isfinite(poses).all(-1).all(-1)
    if poses.shape[1] == 4:
        good &= (poses[:, 3] == torch.tensor([0., 0, 0, 1])).all(-1)
    if not good.all():
        row = int((~good).nonzero()[0])
        raise ValueError(f'row {row} is no rotation and translation: {poses[row].tolist()}')
    return make_poses(rotations, poses[:, :3, 3])


def _stem(name):
    return Path(str(name)).stem


def _number(name, where):
    """The last number in a picture's name."""
    digits = re.findall(r'\d{1,15}', _stem(name))
    if not digits:
        raise BrokenFileError(f'{where}: {name!r} has no number that tells its frame; name pictures by their frames')
    return int(digits[-1])
