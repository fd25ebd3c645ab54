"""DTO-Humans: what the generator writes in the public layouts, and the readers of it."""
import zipfile

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import FOUR_SETS, AnnotsReader, Reader, SetInfo
from .parsing import (
    COMPONENTS,
    LayoutError,
    ShapeSpace,
    array,
    entry,
    list_of_people,
    one_camera,
    pinhole,
    shapes,
    smpl_people,
    vectors,
)

#: SMPL+A's.
_SPACE = ShapeSpace(COMPONENTS, True)


@READERS.register_module()
class DTORaw(Reader):
    """DTO's raw output, as ``pred_instances``; an image is read from the file when it is asked for.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/{SET}_opt.npz    npz with a key IMAGE = {
            trans_cam   (N, 3)      m, camera frame: SMPL's translation
            pose_cam    (N, 72)     rad, axis-angle, root in the camera frame
            shape       (N, 11)     the child blend last
            cam_int     (N, 3, 3)   px, the same for everyone
            is_released (N)         whose initial mesh was a released annotation
            is_optimize             whether people were placed together}
    """
    info = SetInfo(
        'dto-raw', "DTO's raw output", 'docs/generate_dto.md', dict(train='*_opt.npz'), '../4dhumans/images',
        'SMPL+A', 11, keep_empty=None, public=FOUR_SETS)
    side = 'pred'

    def _load(self):
        return load_npz(self.path)

    def _parse(self, record, img_id):
        people = smpl_people(record, array(record, 'is_released').astype(bool))
        camera = one_camera(array(record, 'cam_int'), 'cam_int') if len(people) else None
        return people, camera, dict(optimised=bool(array(record, 'is_optimize')))


@READERS.register_module()
class DTOHumans(AnnotsReader):
    """DTO-Humans as published, and as ``tools/generate_dto.py --public-layout`` writes it, as ``pred_instances``.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    ids of INSTA start with insta-train/
        DATA_ROOT/{AIC,COCO,INSTA,MPII}_CHMR_SMPL_OPT.npz    npz: annots = {IMAGE: [{         one a person
            smpl_param: {shape (10, or 11 with the child blend last), pose (72) rad, trans (3) m}, camera frame
            cam_param:  {focal (2), princpt (2)} px, the same for everyone}]}

    Fields: global_orient, body_pose, betas (always 11, an adult's last one 0), transl.
    """
    info = SetInfo(
        'dto-humans', 'DTO-Humans', 'docs/generate_dto.md', dict(train='*_CHMR_SMPL_OPT.npz'), '../4dhumans/images',
        'SMPL+A', 11, keep_empty=None, public=FOUR_SETS)
    side = 'pred'
    keys = ('smpl_param', 'cam_param', 'shape', 'pose', 'trans', 'focal', 'princpt')

    def _parse(self, record, img_id):
        bodies, cameras = ([entry(person, name) for person in list_of_people(record)]
                           for name in ('smpl_param', 'cam_param'))
        pose = vectors(bodies, 'pose', 72).reshape(-1, 24, 3)
        betas = shapes(bodies, 'shape', _SPACE, child_last=True)
        people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas,
                        transl=vectors(bodies, 'trans', 3))
        return people, one_camera(pinhole(cameras), 'focal, princpt') if cameras else None, {}


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
