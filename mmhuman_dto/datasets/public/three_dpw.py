"""3DPW: people outdoors, filmed by a moving camera, with sensors on up to two of them."""
import numpy as np

from mmhuman_dto.registry import READERS

from .base import Place, SetInfo
from .parsing import LayoutError, array, entry, number_of_people, one_camera, padded_betas, rows
from .world import GenderedWorldReader, male_probs


@READERS.register_module()
class ThreeDPW(GenderedWorldReader):
    """3DPW's SMPL parameters, as ``gt_instances``; not everyone in an image is annotated.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/annots_smpl_{train,test}_genders.npz    npz: annots = {IMAGE: {         torch tensors or arrays
            betas          (N, 10)     of the gender's SMPL
            global_orient  (N, 3)      rad, axis-angle, world frame
            body_pose      (N, 69)     rad
            transl         (N, 3)      m, world frame
            cam_intrinsics (3, 3)      px
            cam_rot        (3, 3), or one a person    world -> camera: x_cam = cam_rot x + cam_trans
            cam_trans      (3), or one a person       m
            genders, or gender         N names: male, female (or m, f)}}

    Fields: global_orient, body_pose, betas, transl (camera frame), male_probs (1 or 0).
    """
    info = SetInfo(
        '3dpw', '3DPW', 'https://virtualhumans.mpi-inf.mpg.de/3DPW/',
        {split: f'annots_smpl_{split}_genders.npz' for split in ('train', 'test')}, metric='DPWMetric',
        public=Place('3dpw', images='imageFiles'))
    supervision = dict(has_3d=True, fully_annotated=False)
    keys = ('betas', 'global_orient', 'body_pose', 'transl', 'cam_intrinsics', 'cam_rot', 'cam_trans', 'genders',
            'gender')

    def _parse(self, record, img_id):
        count = number_of_people(record, 'global_orient')
        genders = np.atleast_1d(entry(record, 'genders' if 'genders' in record else 'gender')).tolist()
        if len(genders) != count:
            raise LayoutError(f'{len(genders)} genders for {count} people')
        people = self._people(
            rows(record, 'global_orient', count, 3), rows(record, 'body_pose', count, 69),
            padded_betas(list(rows(record, 'betas', count, None)), 'betas', self.space),
            rows(record, 'transl', count, 3), _shared(record, 'cam_rot', count, 3, 3),
            _shared(record, 'cam_trans', count, 3), male_probs=male_probs(genders))
        return people, one_camera(array(record, 'cam_intrinsics'), 'cam_intrinsics'), {}


def _shared(record, key, count, *row):
    """An entry of the image, or one of each person -> (count, ``*row``)."""
    value = array(record, key)
    return rows({key: np.broadcast_to(value, (count, *row)) if value.shape == row else value}, key, count, *row)
