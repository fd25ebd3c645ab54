"""Meshes of a per-person network, from which DTO starts."""
from mmhuman_dto.registry import READERS

from .base import AnnotsReader, LayoutError, SetInfo
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
                                      cam_int   (N, 3, 3) px, the same for everyone
                                      body_model          optional, such as 'OpenBody'; SMPL+A where it is not said}}
    """
    info = SetInfo(
        'initial-meshes', 'meshes of any network', 'docs/generate_dto.md', dict(train='initial_meshes.npz'), 'images',
        'SMPL+A', 11, keep_empty=None)
    side = 'pred'
    any_body_model = True
    keys = ('trans_cam', 'pose_cam', 'shape', 'cam_int', 'body_model')

    @property
    def body_model(self):
        """Name of the body model that the entries say, else SMPL+A.

        Raises:
            LayoutError: entries say different ones.
        """
        names = {str(record.get('body_model', self.info.body_model)) for record in self.records.values()
                 if isinstance(record, dict)}  # what else there is fails by itself
        if len(names) > 1:
            raise LayoutError(f'{self.path}: its meshes are of {" and ".join(sorted(names))}; make a file of each')
        return names.pop() if names else self.info.body_model

    def _parse(self, record, img_id):
        people = smpl_people(record, is_released=False)
        return people, one_camera(array(record, 'cam_int'), 'cam_int') if len(people) else None, {}
