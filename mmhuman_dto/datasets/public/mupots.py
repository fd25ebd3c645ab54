"""MuPoTS-3D: several people, in- and outdoors, with joints from multiple views; for evaluation."""
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import People

from .base import AnnotsReader, Place, SetInfo
from .parsing import check_joints, list_of_people, vectors


@READERS.register_module()
class MuPoTS(AnnotsReader):
    """MuPoTS-3D's joints, as ``gt_instances`` in Human3.6M's order (joint set h36m17); no meshes, no camera.

    ::

        DATA_ROOT/IMG_PREFIX/IMAGE    as public instructions have it: MultiPersonTestSet/
        DATA_ROOT/mupots_annots.npz    npz: annots = {IMAGE: [{         one a person
            annot_2d      (17, 2)   px
            annot_3d      (17, 3)   mm, camera frame
            vis           (17)      which joints are seen, in the order of the file's joints
            annot_3d_univ           joints of a body of universal size; not read}]}

    Fields: keypoints_2d (px), keypoints_2d_valid (vis), keypoints_3d (m), keypoints_3d_valid (all).
    """
    info = SetInfo(
        'mupots', 'MuPoTS-3D', 'https://vcai.mpi-inf.mpg.de/projects/SingleShotMultiPerson/',
        dict(test='mupots_annots.npz'), body_model=None, metric='MuPoTSMetric',
        public=Place('mupots', images='MultiPersonTestSet'))
    supervision = dict(has_3d=False, fully_annotated=True, joint_set='h36m17')
    keys = ('annot_2d', 'annot_3d', 'vis')

    def _parse(self, record, img_id):
        people = list_of_people(record)
        joints, visible = vectors(people, 'annot_3d', 17, 3) / 1000, vectors(people, 'vis', 17).bool()
        check_joints(joints, visible | True, 'h36m17', 'annot_3d', ('mpi17', ))
        return People(keypoints_2d=vectors(people, 'annot_2d', 17, 2), keypoints_2d_valid=visible,
                      keypoints_3d=joints, keypoints_3d_valid=visible | True), None, {}
