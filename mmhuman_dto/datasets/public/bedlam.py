"""BEDLAM: synthetic clothed people in motion."""
from mmhuman_dto.registry import READERS

from .base import Place, SetInfo
from .parsing import COMPONENTS, array, number_of_people, one_camera, padded_betas, rows
from .world import WorldReader


@READERS.register_module()
class BEDLAM(WorldReader):
    """BEDLAM's SMPL parameters, as ``gt_instances``.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    as public instructions have it: {train,validation}/
        DATA_ROOT/bedlam_smpl_{train_1fps,train_6fps,validation_6fps}.npz    npz: annots = {IMAGE: {
            cam_int     (3, 3)        px
            cam_rot     N x (3, 3)    world -> camera: x_cam = cam_rot x + cam_trans
            cam_trans   N x (3)       m
            shape       N x (10 or 11), all of them principal components
            pose_world  N x (72)      rad, axis-angle, root in the world frame
            trans_world N x (3)       m, world frame: SMPL's translation}}

    Fields: global_orient, body_pose, betas, transl (camera frame). An 11th component of shape is dropped where the body
    model has 10; it is never a blend to a child.

    Images whose path has ``closeup`` were taken with the camera on its side and are stored lying: turned 90 degrees
    clockwise, their people stand. Nothing but the picture is turned: poses, camera and intrinsics (of an image
    higher than wide, with its principal point) are annotated for the turned one. Such samples have the metainfo
    ``quarter_turns`` = 1, the others 0, and ``LoadImage`` turns the picture by that.
    """
    info = SetInfo(
        'bedlam', 'BEDLAM', 'https://bedlam.is.tue.mpg.de',
        dict(train='bedlam_smpl_train_1fps.npz', train_6fps='bedlam_smpl_train_6fps.npz',
             validation='bedlam_smpl_validation_6fps.npz'), metric='AGORAMetric',
        public=Place('bedlam', images='{split}'))
    supervision = dict(has_3d=True, fully_annotated=True)
    keys = ('cam_int', 'cam_rot', 'cam_trans', 'shape', 'pose_world', 'trans_world')

    def _parse(self, record, img_id):
        count = number_of_people(record, 'pose_world')
        pose = rows(record, 'pose_world', count, 72)
        betas = padded_betas(list(rows(record, 'shape', count, None)), 'shape', self.space, cut=COMPONENTS)
        people = self._people(
            pose[:, :3], pose[:, 3:], betas, rows(record, 'trans_world', count, 3),
            rows(record, 'cam_rot', count, 3, 3), rows(record, 'cam_trans', count, 3))
        return people, one_camera(array(record, 'cam_int'), 'cam_int'), dict(quarter_turns=int('closeup' in img_id))
