"""Meshes of a per-person network, from which DTO starts."""
from mmhuman_dto.registry import READERS

from .base import AnnotsReader, SetInfo
from .parsing import array, one_camera, smpl_people


@READERS.register_module()
class InitialMeshes(AnnotsReader):
    """Meshes of a per-person network, as ``pred_instances``.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/ANN_FILE          npz: annots = {IMAGE: {
                                      trans_cam (N, 3)    m, camera frame: SMPL's translation
                                      pose_cam  (N, 72)   rad, axis-angle, root in the camera frame
                                      shape     (N, 10, or 11 with the child blend last)
                                      cam_int   (N, 3, 3) px, the same for everyone}}
    """
    info = SetInfo(
        'initial-meshes', 'meshes of any network', 'docs/generate_dto.md', dict(train='initial_meshes.npz'), 'images',
        'SMPL+A', 11, keep_empty=None)
    side = 'pred'
    any_body_model = True
    keys = ('trans_cam', 'pose_cam', 'shape', 'cam_int')

    def _parse(self, record, img_id):
        people = smpl_people(record, is_released=False)
        return people, one_camera(array(record, 'cam_int'), 'cam_int') if len(people) else None, {}
