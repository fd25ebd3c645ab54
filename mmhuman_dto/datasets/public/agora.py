"""AGORA: synthetic crowds of scans, children among them."""

from mmhuman_dto.registry import READERS

from .base import Place, SetInfo
from .parsing import LayoutError, array, entry, list_of_people, one_camera, rows, shapes, vectors
from .world import WorldReader


@READERS.register_module()
class AGORA(WorldReader):
    """AGORA's SMPL fits, as ``gt_instances``.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    as public instructions have it: {train,validation}/, the files in
                                      smpl_neutral_annots/
        DATA_ROOT/annots_smpl_{train_fit,validation}.npz    npz: annots = {IMAGE: {
            isValid        (N)          who counts; the others are left out
            kid            (N)          children
            cam_intrinsics (1, 3, 3)    px
            cam_rot        N x (3, 3)   world -> camera: x_cam = cam_rot x + cam_trans
            cam_trans      N x (3)      m
            smpl_gt        N x {betas (10, or 11 with the child blend last), global_orient (3) rad, body_pose (69) rad,
                                transl (3) m}, world frame}}

    Fields: global_orient, body_pose, betas, transl (camera frame), is_child. Children need ``body_model`` to have a
    child coefficient (SMPL+A); adults have 0 there.
    """
    info = SetInfo(
        'agora', 'AGORA', 'https://agora.is.tue.mpg.de',
        dict(train='annots_smpl_train_fit.npz', validation='annots_smpl_validation.npz'), body_model='SMPL+A',
        num_betas=11, metric='AGORAMetric', public=Place('agora', ('smpl_neutral_annots', ), '{split}'))
    supervision = dict(has_3d=True, fully_annotated=True)
    keys = ('isValid', 'kid', 'cam_intrinsics', 'cam_rot', 'cam_trans', 'smpl_gt', 'betas', 'global_orient',
            'body_pose', 'transl')

    def _parse(self, record, img_id):
        bodies = list_of_people(entry(record, 'smpl_gt'))
        count = len(bodies)
        people = self._people(
            vectors(bodies, 'global_orient', 3), vectors(bodies, 'body_pose', 69),
            shapes(bodies, 'betas', self.space, child_last=True), vectors(bodies, 'transl', 3),
            rows(record, 'cam_rot', count, 3, 3), rows(record, 'cam_trans', count, 3),
            is_child=rows(record, 'kid', count).bool())
        people = people[rows(record, 'isValid', count).bool()]
        if self.space.child and people.betas[~people.is_child, -1].any():
            raise LayoutError(f'betas of somebody who is no child (kid) have a blend to a child, '
                              f'{people.betas[~people.is_child, -1].abs().max():.3g}, as their 11th coefficient')
        return people, one_camera(array(record, 'cam_intrinsics'), 'cam_intrinsics'), {}
