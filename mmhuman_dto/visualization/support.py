"""Which parts of a body the picture tells: those whose joints were seen. The others are drawn fainter."""
import numpy as np

from mmhuman_dto.body_models.joint_sets import JOINT_SETS, names_of

_TORSO = ('left_shoulder', 'right_shoulder', 'left_hip', 'right_hip', 'left_collar', 'right_collar', 'pelvis', 'spine',
          'spine1', 'spine2', 'spine3', 'neck')
_HEAD = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'head', 'head_top')
_FOOT = ('*_ankle', '*_foot', '*_heel', '*_big_toe', '*_small_toe')
_HAND = ('*_wrist', '*_hand', '*_thumb', '*_index', '*_middle', '*_ring', '*_pinky')

#: Joints of which one seen tells where a bone is; * stands for its side. A bone has the name of the joint it starts at.
SUPPORT = {
    'pelvis': _TORSO, 'spine1': _TORSO, 'spine2': _TORSO, 'spine3': _TORSO, '*_collar': _TORSO,
    'neck': _HEAD, 'head': _HEAD,
    '*_hip': ('*_knee', ),  # thigh
    '*_knee': ('*_ankle', ),  # shin
    '*_ankle': _FOOT, '*_foot': _FOOT,
    '*_shoulder': ('*_elbow', ),  # upper arm
    '*_elbow': ('*_wrist', ),  # forearm
    '*_wrist': _HAND,
}
#: The first bones are the same in SMPL and SMPL-X: all of SMPL's but the hands' last.
_COMMON_BONES = 22


def vertex_support(seen, joint_set, body_model):
    """How much of each vertex seen joints tell, 0..1: its bones' support, by its skinning weights.

    Args:
        seen: (N, K) bool, joints that were seen.
        joint_set: of the joints, a name of ``JOINT_SETS`` or their names.
        body_model: :class:`~mmhuman_dto.body_models.BodyModel`.

    Returns:
        (N, V) float32.

    Raises:
        ValueError: another number of joints than the set's.
    """
    return bone_support(seen, joint_set, body_model.bone_parents.tolist()) @ body_model.skin_weights.cpu().numpy()


def bone_support(seen, joint_set, parents):
    """Whether a joint of ``SUPPORT`` was seen (N, B) float32, for the root and the bones with ``parents`` (B - 1).

    Bones beyond SMPL's and SMPL-X's common ones (hands, fingers, jaw, eyes) have their parents' support.
    """
    names = names_of(joint_set)
    if seen.shape[1] != len(names):
        raise ValueError(f'keypoint_scores of {seen.shape[1]} joints, keypoint_set {joint_set!r} has {len(names)}')
    bones = JOINT_SETS['smpl24'].names[:_COMMON_BONES]
    columns = [seen[:, [names.index(joint) for joint in _joints_of(bone) if joint in names]].any(1) for bone in bones]
    for parent in parents[_COMMON_BONES - 1:]:
        columns.append(columns[parent])
    return np.stack(columns, 1).astype(np.float32)


def _joints_of(bone):
    side, _, part = bone.partition('_')
    return SUPPORT[bone] if not part else [joint.replace('*', side) for joint in SUPPORT[f'*_{part}']]
