"""Readers and writers of the public npz layouts: initial meshes in, DTO-Humans in and out.

A reader is a sequence: ``len(reader)`` images, ``reader.ids[i]`` the image's path relative to the image folder,
``reader[i]`` a :class:`HumanDataSample` with ``pred_instances`` (the meshes) and ``pred_camera``, as CPU tensors, in
camera frame (x right, y down, z forward), metres and pixels of the original image. The file is opened once, arrays are
parsed when an image is asked for, so one bad image raises :class:`LayoutError` for itself alone.

These files hold pickled objects; they are read with the restricted loader of ``fileio``, never with ``allow_pickle``.
"""
import zipfile
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import Camera, HumanDataSample, People


class LayoutError(ValueError):
    """A file or an image's entry that does not follow its layout; names file, image, key and shape."""


class _Reader:
    """Shared by the readers: paths, ids and the parsing of one image.

    Args:
        ann_file: annotation file, relative to ``data_root``.
        img_prefix: folder the image ids are relative to, itself relative to ``data_root``.
        data_root: root of the data.
    """

    def __init__(self, ann_file, img_prefix='', data_root=''):
        self.path = Path(data_root) / ann_file
        self.img_root = Path(data_root) / img_prefix
        self.records = self._load()
        self.ids = list(self.records)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        img_id = self.ids[index]
        try:
            people, intrinsics, meta = self._parse(self.records[img_id])
            camera = Camera(intrinsics=_one_camera(intrinsics)) if len(people) else None
        except ValueError as error:
            raise LayoutError(f'{self.path}: {img_id}: {error}') from error
        sample = HumanDataSample(metainfo=dict(img_id=img_id, img_path=str(self.img_root / img_id), **meta))
        sample.pred_instances = people
        if camera is not None:
            sample.pred_camera = camera
        return sample


class _AnnotsReader(_Reader):
    """A file with the single key ``annots`` = {image id: entry}."""

    def _load(self):
        with load_npz(self.path) as arrays:
            annots = arrays.get('annots')
            if not isinstance(annots, dict):
                raise LayoutError(f'{self.path}: needs a key "annots", a dictionary of images, has {sorted(arrays)}')
        return annots


@SOURCES.register_module()
class InitialMeshes(_AnnotsReader):
    """Meshes of a per-person network.

    ``annots`` = {image: {trans_cam (N,3), pose_cam (N,72), shape (N,B), cam_int (N,3,3)}}.
    """

    def _parse(self, record):
        return _smpl_people(record, is_released=False), _array(record, 'cam_int'), {}


@SOURCES.register_module()
class DTORaw(_Reader):
    """DTO's raw output ``*_opt.npz``: one key an image, as :class:`InitialMeshes` plus is_released (N) and is_optimize.

    An image is read from the file when it is asked for.
    """

    def _load(self):
        return load_npz(self.path)

    def _parse(self, record):
        people = _smpl_people(record, _array(record, 'is_released').astype(bool))
        return people, _array(record, 'cam_int'), dict(optimised=bool(_array(record, 'is_optimize')))


@SOURCES.register_module()
class CameraHMRRelease(_Reader):
    """CameraHMR / 4D-Humans ``*-release.npz``: flat arrays with a row a person, grouped here by ``imgname``.

    Keys: imgname, center (2), scale (box side / 200), cam_int (3,3), shape (10), pose_cam or pose (72 or 24x3),
    trans_cam or cam_t (3), gtkps (K,3: x, y, confidence) and, optionally, cam_ext (4,4) whose translation is added.
    """

    _ROW_KEYS = ('center', 'scale', 'cam_int', 'shape', 'pose_cam', 'pose', 'trans_cam', 'cam_t', 'gtkps', 'cam_ext')

    def _load(self):
        with load_npz(self.path) as arrays:
            missing = ['/'.join(names) for names in (('imgname', ), ('shape', ), ('cam_int', ), ('pose_cam', 'pose'),
                                                     ('trans_cam', 'cam_t')) if not arrays.keys() & set(names)]
            if missing:
                raise LayoutError(f'{self.path}: lacks {" and ".join(missing)}')
            names = np.asarray(arrays['imgname']).tolist()
            self.arrays = {key: np.asarray(arrays[key]) for key in self._ROW_KEYS if key in arrays}
        for key, array in self.arrays.items():
            if array.shape[:1] != (len(names), ):
                raise LayoutError(f'{self.path}: {key} has shape {array.shape}, imgname {len(names)} rows')
        rows = {}
        for row, name in enumerate(names):
            rows.setdefault(name.decode('utf-8') if isinstance(name, bytes) else str(name), []).append(row)
        return rows

    def _parse(self, rows):
        record = {key: array[rows] for key, array in self.arrays.items()}
        record['pose_cam'] = record.get('pose_cam', record.get('pose'))
        record['trans_cam'] = _array(record, 'trans_cam' if 'trans_cam' in record else 'cam_t')
        if 'cam_ext' in record:
            record['trans_cam'] = record['trans_cam'] + _array(record, 'cam_ext')[:, :3, 3]
        people = _smpl_people(record, is_released=True)
        if 'center' in record and 'scale' in record:
            center, half = _array(record, 'center'), _array(record, 'scale').reshape(-1, 1) * 100
            people.bboxes = torch.from_numpy(np.concatenate([center - half, center + half], 1))
        if 'gtkps' in record:
            keypoints = torch.from_numpy(_array(record, 'gtkps'))
            people.keypoints_2d = keypoints[..., :2]
            people.keypoints_2d_valid = keypoints[..., 2] > 0
        return people, _array(record, 'cam_int'), {}


@SOURCES.register_module()
class DTOHumans(_AnnotsReader):
    """DTO-Humans ``{SET}_CHMR_SMPL_OPT.npz``: ``annots`` = {image: [{smpl_param, cam_param}, ...]}.

    smpl_param = {shape (10 or 11), pose (72), trans (3)}, cam_param = {focal (2), princpt (2)}.
    """

    def _parse(self, record):
        smpl = {key: [_entry(person, 'smpl_param', name) for person in record]
                for key, name in (('shape', 'shape'), ('pose_cam', 'pose'), ('trans_cam', 'trans'))}
        intrinsics = np.tile(np.eye(3, dtype=np.float32), (len(record), 1, 1))
        for matrix, person in zip(intrinsics, record):
            matrix[[0, 1], [0, 1]] = _entry(person, 'cam_param', 'focal')
            matrix[:2, 2] = _entry(person, 'cam_param', 'princpt')
        return _smpl_people(smpl), intrinsics, {}


def write_dto_raw(path, samples):
    """Write DTO's raw layout ``*_opt.npz``, one image at a time; the same samples give the same bytes.

    Args:
        path: file to write.
        samples: iterable of samples with ``pred_instances`` and ``pred_camera``; shapes are padded to 11 coefficients.
    """
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED, allowZip64=True) as archive:
        for sample in samples:
            people, count = sample.pred_instances, len(sample.pred_instances)
            released = people.is_released.numpy() if 'is_released' in people else np.zeros(count, bool)
            record = dict(pose_cam=people.pose.reshape(count, 72).numpy(), shape=_shape11(people.betas),
                          trans_cam=people.transl.numpy(),
                          cam_int=np.repeat(sample.pred_camera.intrinsics.numpy()[None], count, 0),
                          is_released=released, is_optimize=bool(sample.metainfo.get('optimised', False)))
            _write_object(archive, sample.img_id, record)


def write_dto_humans(path, samples):
    """Write the DTO-Humans layout ``{SET}_CHMR_SMPL_OPT.npz``; the same samples give the same bytes.

    The layout is one pickled dictionary, so it is built in memory whole.
    """
    annots = {}
    for sample in samples:
        people, intrinsics = sample.pred_instances, sample.pred_camera.intrinsics.numpy()
        camera = dict(focal=intrinsics[[0, 1], [0, 1]], princpt=intrinsics[:2, 2].copy())
        poses, shapes, transl = people.pose.flatten(1).numpy(), people.betas.numpy(), people.transl.numpy()
        annots[sample.img_id] = [
            dict(smpl_param=dict(shape=shape, pose=pose, trans=trans), cam_param=dict(camera))
            for shape, pose, trans in zip(shapes, poses, transl)]
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED, allowZip64=True) as archive:
        _write_object(archive, 'annots', annots)


def _write_object(archive, key, value):
    # A name alone gives zipfile's fixed 1980 date, so the bytes do not depend on the clock.
    with archive.open(zipfile.ZipInfo(f'{key}.npy'), 'w', force_zip64=True) as file:
        np.lib.format.write_array(file, np.array(value, dtype=object), allow_pickle=True)


def _shape11(betas):
    if betas.shape[1] > 11:
        raise LayoutError(f'the public layouts hold 11 shape coefficients, these people have {betas.shape[1]}')
    return np.pad(betas.numpy(), ((0, 0), (0, 11 - betas.shape[1])))


def _array(record, key):
    if not isinstance(record, dict) or record.get(key) is None:
        raise LayoutError(f'lacks {key}')
    try:
        return np.asarray(record[key], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise LayoutError(f'{key} is not an array of numbers ({error})') from error


def _entry(person, group, name):
    if not isinstance(person, dict) or group not in person:
        raise LayoutError(f'a person lacks {group}')
    return _array(person[group], name)


def _rows(record, key, count, *row):
    """``record[key]`` as (count, ``*row``) float32; a row of None is free."""
    value = _array(record, key)
    if value.ndim != 1 + len(row) or len(value) != count or any(
            want not in (None, have) for want, have in zip(row, value.shape[1:])):
        raise LayoutError(f'{key} has shape {value.shape}, expected ({count}, {", ".join(str(n or "B") for n in row)})')
    return torch.from_numpy(value)


def _smpl_people(record, is_released=None):
    count = len(np.atleast_1d(_array(record, 'trans_cam')))
    if count == 0:
        return People(num_people=0)
    pose = _array(record, 'pose_cam')
    if pose.shape == (count, 24, 3):
        record = dict(record, pose_cam=pose.reshape(count, 72))
    pose = _rows(record, 'pose_cam', count, 72).reshape(count, 24, 3)
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=_rows(record, 'shape', count, None),
                    transl=_rows(record, 'trans_cam', count, 3))
    if is_released is not None:
        people.is_released = torch.from_numpy(np.broadcast_to(is_released, (count, )).copy())
    return people


def _one_camera(intrinsics):
    """The (3, 3) intrinsics every person of an image shares."""
    if intrinsics.shape[1:] != (3, 3):
        raise LayoutError(f'cam_int has shape {intrinsics.shape}, expected (N, 3, 3)')
    if not np.allclose(intrinsics, intrinsics[:1], rtol=1e-4, equal_nan=True):
        raise LayoutError('cam_int differs between the people of one image')
    return torch.from_numpy(intrinsics[0].copy())
