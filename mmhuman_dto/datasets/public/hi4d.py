"""Hi4D: pairs of people in close contact."""
from mmhuman_dto.registry import READERS

from .base import SetInfo
from .parsing import entry, list_of_people, one_camera, pinhole, shapes, vectors
from .world import GenderedWorldReader, male_probs


@READERS.register_module()
class Hi4D(GenderedWorldReader):
    """Hi4D's SMPL parameters, as ``gt_instances``.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE
        DATA_ROOT/hi4d_smpl_{train,val,test}.npz    npz: annots = {IMAGE: [{         one a person
            focal         (2)       px                princpt    (2)   px
            cam_rot       (3, 3)    world -> camera: x_cam = cam_rot x + cam_trans
            cam_trans     (3)       m
            global_orient (3)       rad, axis-angle, world frame
            body_pose     (69)      rad
            transl        (3)       m, world frame
            betas         (10)      of the gender's SMPL
            genders                 male or female}]}

    Fields: global_orient, body_pose, betas, transl (camera frame), male_probs (1 or 0).
    """
    info = SetInfo(
        'hi4d', 'Hi4D', 'https://yifeiyin04.github.io/Hi4D/',
        {split: f'hi4d_smpl_{split}.npz' for split in ('train', 'val', 'test')}, metric='DPWMetric', keep_empty=None)
    supervision = dict(has_3d=True, fully_annotated=True)
    keys = ('focal', 'princpt', 'cam_rot', 'cam_trans', 'global_orient', 'body_pose', 'transl', 'betas', 'genders')

    def _parse(self, record, img_id):
        bodies = list_of_people(record)
        people = self._people(
            vectors(bodies, 'global_orient', 3), vectors(bodies, 'body_pose', 69),
            shapes(bodies, 'betas', self.space), vectors(bodies, 'transl', 3),
            vectors(bodies, 'cam_rot', 3, 3), vectors(bodies, 'cam_trans', 3),
            male_probs=male_probs(entry(body, 'genders') for body in bodies))
        return people, one_camera(pinhole(bodies), 'focal, princpt') if bodies else None, {}
