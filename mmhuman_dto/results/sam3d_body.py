"""SAM 3D Body and Fast SAM 3D Body: what ``process_one_image`` returns, or the meshes of the notebook."""
import numpy as np
import torch

from mmhuman_dto.body_models.mhr import mhr_smpl24
from mmhuman_dto.body_models.topologies import mhr_file
from mmhuman_dto.registry import BODY_MODELS, RESULTS

from .base import SHRINKING_BODIES, ImageResult
from .cameras import centred, diagonal, measured
from .files import FilesReader, Picture, like_list, number_like, numbers, person_list, stacked
from .meshes_only import check_meshes, faces_for, mesh_people, nobody
from .sam3d_meshes import SavedMeshes, meshes_in

#: SMPL's joints among MHR's 70 keypoints: rows of SMPL, rows of MHR (left and right hip, knee, ankle, shoulder, elbow,
#: wrist, and the neck). The others have no counterpart: MHR's toes are the tips.
_SMPL_ROWS = (1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21, 12)
_MHR_ROWS = (9, 10, 11, 12, 13, 14, 5, 6, 7, 8, 62, 41, 69)
_HIPS = (9, 10)
#: Hips, knees and ankles of MHR's skeleton are so near (m) to the keypoints of the same name.
_SAME_JOINT = .1
#: Keys of an npz that are no names of pictures.
_ONE_PICTURE = ('outputs', 'results', 'people', 'arr_0')
_NOTE = ("pred_keypoints_2d are not where focal_length shows pred_keypoints_3d: the picture's middle is taken for the "
         'principal point')


@RESULTS.register_module()
class Sam3DBody(FilesReader):
    """A list of people a picture, each a dictionary of arrays: ``pred_vertices`` (18439, 3) m without the translation
    ``pred_cam_t`` (3), ``focal_length`` px, ``pred_keypoints_3d`` (70, 3), ``pred_keypoints_2d`` (70, 2) px.

    Placing changes ``pred_cam_t`` alone (and ``focal_length`` with the camera). Of the notebook's files it changes the
    vertices in the PLY files.
    """
    kind = 'sam3d_body'
    initial_heights = SHRINKING_BODIES
    faces_hint = ('Save those of the estimator once beside the results: np.save("faces.npy", estimator.faces); or set '
                  'SAM3D_MHR_PATH to mhr_model.pt.')
    program = ('SAM 3D Body (https://github.com/facebookresearch/sam-3d-body), Fast SAM 3D Body '
               '(https://github.com/yangtiming/Fast-SAM-3D-Body)')
    files = ('a file a picture with the list that process_one_image returns, one with {picture: list}, or the '
             "notebook's *_mesh_000.ply and *_focal_length.json")
    licence = 'SAM License (Fast SAM 3D Body: MIT); the body MHR: Apache-2.0'

    def __init__(self, path, context):
        super().__init__(path, context)
        self._saved = SavedMeshes(path, context) if meshes_in(path) else None
        self._faces = None

    @classmethod
    def sniff(cls, path):
        return bool(meshes_in(path)) or super().sniff(path)

    @classmethod
    def knows(cls, content):
        lists = _lists(content).values() if isinstance(content, dict) else [content]
        lists = [person_list(value) for value in lists]
        if not lists or None in lists:
            return False
        people = [person for people in lists for person in people]
        return all('pred_vertices' in person for person in people) if people else None

    def read(self):
        return self._saved.read() if self._saved else super().read()

    def write(self, out, moves):
        return self._saved.write(out, moves) if self._saved else super().write(out, moves)

    def parts(self, content, name, where):
        if not isinstance(content, dict):
            return {name: content}
        self._faces = content.get('faces', self._faces)
        lists = _lists(content)
        key, = lists if len(lists) == 1 else (None, )
        return {name: lists[key]} if key in _ONE_PICTURE else lists

    def joined(self, content, parts):
        return {**content, **dict(zip(_lists(content), parts))} if isinstance(content, dict) else parts[0]

    def picture(self, part, name, where):
        people, image_size = person_list(part), self.context.image_size(name)
        if not people:
            return Picture(ImageResult(name, nobody(), None, image_size), None, 'MHR')
        image_size = image_size or _mask_size(people)
        cam_t = stacked(people, 'pred_cam_t', (3, ), where)[:, None]
        vertices = stacked(people, 'pred_vertices', (None, 3), where) + cam_t
        check_meshes(vertices, where, 'pred_vertices')
        given = self.own_faces() if self._faces is None else self._faces
        faces = faces_for(vertices, given, self.context, where)
        keypoints = None
        if all('pred_keypoints_3d' in person for person in people):
            keypoints = stacked(people, 'pred_keypoints_3d', (70, 3), where) + cam_t
        more = {}
        if all('bbox' in person for person in people):
            more['bboxes'] = stacked(people, 'bbox', (4, ), where).float()
        intrinsics, notes = _camera(people, keypoints, image_size, where)
        guess = image_size is not None and abs(_focal(people[0], where) - diagonal(image_size)) < .5
        more.update(_heights(people, self.context, where))
        pelvis, joints = _joints(people, keypoints, cam_t, where)
        image = ImageResult(name, mesh_people(vertices, faces, pelvis, joints, **more), intrinsics, image_size)
        return Picture(image, faces, 'MHR', notes, guess)

    def moved(self, part, picture, moves):
        changed = []
        for row, person in enumerate(person_list(part)):
            new = dict(person, pred_cam_t=moves.translated(row, person['pred_cam_t']))
            if moves.intrinsics is not None:
                new['focal_length'] = number_like(moves.intrinsics[0, 0], person['focal_length'])
            changed.append(new)
        return like_list(changed, part)


def _camera(people, keypoints, image_size, where):
    """Intrinsics, None where they are not known, and notes; 2D keypoints tell the principal point."""
    focal, notes = _focal(people[0], where), ()
    if keypoints is not None and all('pred_keypoints_2d' in person for person in people):
        found = measured(keypoints, stacked(people, 'pred_keypoints_2d', (70, 2), where), focal)
        if found is not None:
            return found, notes
        notes = (_NOTE, )
    return (None if image_size is None else centred(focal, image_size)), notes


def _lists(content):
    return {key: value for key, value in content.items() if key != 'faces'}


def _focal(person, where):
    if 'focal_length' not in person:
        numbers(person, 'focal_length', (), where)
    return float(np.asarray(person['focal_length'], np.float64).reshape(-1)[0])


def _mask_size(people):
    """(height, width) of the picture by the first mask; None without."""
    return next((tuple(person['mask'].shape[:2]) for person in people if person.get('mask') is not None), None)


def _joints(people, keypoints, cam_t, where):
    """Pelvis (N, 3) and SMPL's joints (N, 24, 3), nan unknown, m, camera frame; (None, None) where neither is known.

    By the 127 joints of MHR's skeleton, of which the root is the pelvis, where they are among the 70 keypoints; else by
    these, and the pelvis is the middle of the hips.
    """
    if keypoints is None:
        return None, None
    if all('pred_joint_coords' in person for person in people):
        joints = mhr_smpl24(stacked(people, 'pred_joint_coords', (127, 3), where) + cam_t)
        if (joints[:, _SMPL_ROWS[:6]] - keypoints[:, _MHR_ROWS[:6]]).norm(dim=-1).max() < _SAME_JOINT:
            return joints[:, 0], joints
    joints = keypoints.new_full((len(keypoints), 24, 3), torch.nan)
    joints[:, _SMPL_ROWS] = keypoints[:, _MHR_ROWS]
    return keypoints[:, _HIPS].mean(1), joints


def _heights(people, context, where):
    """{field: values} of heights by MHR's own file, where it is at hand and the people tell its parameters; else {}."""
    if not all({'shape_params', 'mhr_model_params'} <= set(person) for person in people):
        return {}
    try:
        file = mhr_file(getattr(context.bodies, 'model_path', None))
    except FileNotFoundError:
        file = mhr_file()
    if file is None:
        return {}
    shape, pose = (stacked(people, key, (size, ), where).float() for key, size in (
        ('shape_params', 45), ('mhr_model_params', 204)))
    with torch.no_grad():
        heights = BODY_MODELS.build(dict(type='MHR', model_path=str(file))).height(shape, pose)
    return dict(heights=heights, heights_std=torch.zeros(len(people)))
