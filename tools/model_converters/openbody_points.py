"""Named points of the body: vertices picked once on the full mesh, and targets of the keypoint regressors."""
import anny
import numpy as np
from anny.face_segmentation import get_face_segmentation_mask
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mmhuman_dto.body_models.joint_sets import JOINT_SETS

FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')
#: The MakeHuman mesh has an inner mouth and eye sockets; they close the surface but are hardly seen.
CAVITIES = ('mouth_cavity', 'eye_cavity.L', 'eye_cavity.R', 'eye_back.L', 'eye_back.R')


def components(faces, size):
    """(V,) label of each vertex's connected piece."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    return connected_components(coo_matrix((np.ones(len(edges)), edges.T), shape=(size, size)), directed=False)[1]


def cavity_faces(rig):
    """(F,) bool, faces of the inner mouth, eye sockets and backs of the eyes."""
    return get_face_segmentation_mask(rig.model, list(CAVITIES)).numpy()


def coco_points(rig, vertices):
    """COCO's 17 keypoints, small and big toes and heels by anny's regressor: names, (S, K, 3)."""
    regressor = anny.KeypointsRegressor.coco(rig.model)
    return list(regressor.labels), np.einsum('kv,svc->skc', regressor.regression_weights.numpy(), vertices)


def picked_vertices(rig, vertices, mirror):
    """Vertex of each of the 21 joints that smplx's SMPL adds to the 24, by name.

    Args:
        vertices: (V, 3), m, the mean body in SMPL's rest pose.
    """
    labels, points = coco_points(rig, vertices[None])
    coco = dict(zip(labels, points[0], strict=True))
    piece = components(rig.faces, len(vertices))
    skin = piece == np.bincount(piece).argmax()
    central = mirror == np.arange(len(mirror))

    def nearest(point, among):
        index = np.flatnonzero(among)
        return index[np.linalg.norm(vertices[index] - point, axis=1).argmin()]

    def tip(bone, direction):
        weight = rig.weights[:, rig.bone(bone)]
        index = np.flatnonzero(weight > .5 * weight.max())
        return index[(vertices[index] @ np.asarray(direction)).argmax()]

    head = rig.weights[:, rig.bone('head')] > .5
    eye = ~skin & (np.linalg.norm(vertices - coco['left_eye'], axis=1) < .03)
    left = {
        'eye': np.flatnonzero(eye)[vertices[eye, 2].argmax()],
        'ear': nearest(coco['left_ear'], skin & head),
        'big_toe': tip('toe1-2.L', (0, 0, 1)), 'small_toe': tip('toe5-3.L', (.3, 0, 1)),
        'heel': nearest(coco['left_heel'], skin)}
    for i, finger in enumerate(FINGERS):
        left[finger] = tip(f'finger{i + 1}-3.L', (.6, 0, .8) if finger == 'thumb' else (1, 0, 0))
    picked = {'nose': np.flatnonzero(skin & head & central)[vertices[skin & head & central, 2].argmax()]}
    for name, vertex in left.items():
        picked[f'left_{name}'], picked[f'right_{name}'] = vertex, mirror[vertex]
    return picked


def crown(vertices, mirror):
    """The highest vertex on the mirror plane."""
    central = np.flatnonzero(mirror == np.arange(len(mirror)))
    return central[vertices[central, 1].argmax()]


def keypoint_targets(rig, vertices, joints, joint_names, picked, top):
    """Points (S, K, 3) of each keypoint set in every sampled body, by set name.

    COCO's are anny's own. CrowdPose adds the crown and the base of the neck; of Human3.6M's, limbs are the centres of
    rotation, the pelvis lies between the hips, the spine half-way from there to the neck, the head half-way from the
    skull's joint to the nose.
    """
    labels, points = coco_points(rig, vertices)
    centre = {name: joints[:, k] for k, name in enumerate(joint_names)}
    coco = {name: points[:, k] for k, name in enumerate(labels)}
    neck = (centre['neck'] + (centre['left_collar'] + centre['right_collar']) / 2) / 2
    pelvis = (centre['left_hip'] + centre['right_hip']) / 2
    extra = {'neck': neck, 'head_top': vertices[:, top], 'pelvis': pelvis, 'spine': (pelvis + neck) / 2,
             'head': (centre['head'] + vertices[:, picked['nose']]) / 2}
    sources = {'coco17': coco, 'crowdpose14': {**coco, **extra}, 'h36m17': {**centre, **extra}}
    return {name: np.stack([source[joint] for joint in JOINT_SETS[name].names], 1) for name, source in sources.items()}
