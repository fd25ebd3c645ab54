"""The pseudo ground truth of CameraHMR on 4D-Humans' images."""
import numpy as np
import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import READERS

from .base import FOUR_SETS, Reader, SetInfo
from .parsing import COMPONENTS, LayoutError, array, one_camera, single, smpl_people

_NEEDED = (('imgname', ), ('shape', ), ('cam_int', ), ('pose_cam', 'pose'), ('trans_cam', 'cam_t'))
_ROW_KEYS = ('center', 'scale', 'cam_int', 'shape', 'pose_cam', 'pose', 'trans_cam', 'cam_t', 'gtkps', 'cam_ext')


@READERS.register_module()
class CameraHMRRelease(Reader):
    """CameraHMR / 4D-Humans ``*-release.npz`` as ``pred_instances``: a row a person, grouped here by image.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/ANN_FILE          npz of arrays with M rows:
                                      imgname   (M)         IMAGE
                                      center    (M, 2)      px, of the box
                                      scale     (M)         side of the box / 200 px
                                      cam_int   (M, 3, 3)   px
                                      shape     (M, 10)
                                      pose_cam  (M, 72 or 24 x 3), or pose    rad, axis-angle, camera frame
                                      trans_cam (M, 3), or cam_t              m, camera frame: SMPL's translation
                                      gtkps     (M, 44+, 3) px and confidence
                                      cam_ext   (M, 4, 4)   optional: its translation (m) is added
    """
    info = SetInfo(
        '4dhumans', "CameraHMR's pseudo truth of 4D-Humans", 'https://camerahmr.is.tue.mpg.de',
        dict(train='*-release.npz'), 'images', keep_empty=None,
        # Its 44 joints are of a set of their own; boxes follow from the meshes.
        left_out=('bboxes', 'keypoints_2d', 'keypoints_2d_valid'), public=FOUR_SETS)
    side = 'pred'

    def _load(self):
        with load_npz(self.path) as arrays:
            missing = ['/'.join(names) for names in _NEEDED if not arrays.keys() & set(names)]
            if missing:
                raise LayoutError(f'{self.path}: lacks {" and ".join(missing)}')
            names = np.asarray(arrays['imgname'])
            if names.ndim != 1:
                raise LayoutError(f'{self.path}: imgname has shape {names.shape}, expected a path a person')
            names = names.tolist()
            self.arrays = {key: single(np.asarray(arrays[key])) for key in _ROW_KEYS if key in arrays}
        for key, values in self.arrays.items():
            if values.shape[:1] != (len(names), ):
                raise LayoutError(f'{self.path}: {key} has shape {values.shape}, imgname {len(names)} rows')
        of_image = {}
        for row, name in enumerate(names):
            of_image.setdefault(name.decode('utf-8') if isinstance(name, bytes) else str(name), []).append(row)
        return of_image

    def _parse(self, record, img_id):
        record = {key: values[record] for key, values in self.arrays.items()}
        record['pose_cam'] = record.get('pose_cam', record.get('pose'))
        record['trans_cam'] = array(record, 'trans_cam' if 'trans_cam' in record else 'cam_t')
        if 'cam_ext' in record:
            record['trans_cam'] = record['trans_cam'] + array(record, 'cam_ext')[:, :3, 3]
        people = smpl_people(record, is_released=True)
        if people.betas.shape[1] > COMPONENTS:
            raise LayoutError(f'shape has {people.betas.shape[1]} components, expected {COMPONENTS}: further ones '
                              'would be taken for a blend to a child')
        if 'center' in record and 'scale' in record:
            center, half = array(record, 'center'), array(record, 'scale').reshape(-1, 1) * 100
            people.bboxes = torch.from_numpy(np.concatenate([center - half, center + half], 1))
        if 'gtkps' in record:
            keypoints = torch.from_numpy(array(record, 'gtkps'))
            people.keypoints_2d = keypoints[..., :2]
            people.keypoints_2d_valid = keypoints[..., 2] > 0
        return people, one_camera(array(record, 'cam_int'), 'cam_int'), {}
