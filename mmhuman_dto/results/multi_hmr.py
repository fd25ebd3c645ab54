"""Multi-HMR: the list of people that its model returns, or the vertices that its demo saves."""
import numpy as np
import torch

from mmhuman_dto.body_models import topology_of
from mmhuman_dto.registry import RESULTS
from mmhuman_dto.structures import People

from .base import ANY_BODIES, ImageResult
from .cameras import centred, longer_side_focal, measured
from .files import FilesReader, Picture, like_list, numbers, person_list, stacked
from .meshes_only import check_meshes, faces_for, mesh_people, nobody

#: Field of view, degrees, along both sides of the square that the network sees, hence along the picture's longer side.
FIELD_OF_VIEW = 60.
#: Its rotations: root, 21 joints of the body, 15 of each hand, jaw. SMPL-X has jaw and eyes before the hands.
_ROTATIONS, _BODY, _JAW = 53, 22, 52
#: Names of the list in a dictionary with the camera.
_LIST = 'humans'
_SAME_PELVIS = .01
_MESH_NOTE = 'vertices alone do not tell joints: people are scaled about the middle of their surface, not the pelvis'


@RESULTS.register_module()
class MultiHMR(FilesReader):
    """A list of people a picture, each a dictionary with ``v3d`` (10475, 3) and ``transl_pelvis`` (1, 3), m, camera
    frame; ``transl`` is that of the head. With the camera, {'humans': list, 'K': (3, 3)}, K px of the network's square.

    Also the array (N, V, 3) that ``--save_mesh`` leaves.
    """
    kind = 'multi_hmr'
    program = 'Multi-HMR (https://github.com/naver/multi-hmr)'
    files = "a file a picture with the list of people of the model, {'humans': list, 'K': K}, or *.png.npy of the demo"
    licence = 'NAVER, non-commercial; SMPL-X: MPI, non-commercial'
    body = 'SMPL-X'
    faces_hint = ("Name the folder of SMPL-X's files with --body-models, or save triangles as faces.npy beside the "
                  'results.')
    _takes_meshes = True

    @classmethod
    def knows(cls, content):
        if _is_mesh(content):
            return cls._takes_meshes and content.ndim == 3 and content.shape[2] == 3
        people = _people(content)
        if people is None:
            return False
        return all('v3d' in person and cls._is_body(person) for person in people) if people else None

    @classmethod
    def _is_body(cls, person):
        return 'K' not in person

    def parts(self, content, name, where):
        if _is_mesh(content):
            name = self._named(name.removesuffix('.png'))
        return {name: content}

    def picture(self, part, name, where):
        image_size = self.context.image_size(name)
        if _is_mesh(part):
            return self._saved_mesh(part, name, image_size, where)
        people = _people(part)
        if not people:
            empty = ImageResult(name, nobody(), None, image_size)
            return Picture(empty, None, self.body)
        vertices = stacked(people, 'v3d', (None, 3), where)
        check_meshes(vertices, where, 'v3d')
        pelvis = stacked(people, 'transl_pelvis', (1, 3), where)[:, 0]
        intrinsics, guess = self._camera(part, people, image_size, where)
        people, faces, body, notes = self._bodies(people, vertices, pelvis, where)
        return Picture(ImageResult(name, people, intrinsics, image_size), faces, body, notes, guess)

    def moved(self, part, picture, moves):
        pelvis = picture.image.people.pelvis
        if _is_mesh(part):
            rows = [moves.points(row, part[row], pelvis[row]) for row in range(len(part))]
            return np.stack(rows) if rows else part
        changed = []
        for row, person in enumerate(_people(part)):
            new = dict(person)
            for key in ('transl', 'transl_pelvis'):
                if key in person:
                    new[key] = moves.translated(row, person[key])
            for key in ('v3d', 'j3d'):
                if key in person:
                    new[key] = moves.points(row, person[key], pelvis[row])
            changed.append(self._refocused(new, moves, picture.image))
        return self._put_back(part, changed, moves, picture.image)

    def _bodies(self, people, vertices, pelvis, where):
        """(People, faces, body, notes) of dictionaries."""
        rotations = stacked(people, 'rotvec', (_ROTATIONS, 3), where)
        pose = torch.cat([rotations[:, :_BODY], rotations[:, [_JAW]], rotations.new_zeros(len(people), 2, 3),
                          rotations[:, _BODY:_JAW]], 1)
        shape = stacked(people, 'shape', (None, ), where)
        posed = self.context.bodies('smplx', pose, shape[:, :10], pelvis=pelvis, vertices=vertices)
        fields = posed.fields()
        if shape.shape[1] > 10:
            self.initial_heights = ANY_BODIES  # of which an eleventh coefficient may make children
        child = (shape[:, 10:] != 0).any(1)  # whose heights the first ten do not tell
        for name in ('heights', 'heights_std'):
            fields[name][child] = torch.nan
        if all('j3d' in person for person in people):
            joints = stacked(people, 'j3d', (None, 3), where)[:, :_BODY]
            if joints.shape[1] == _BODY and (joints[:, 0] - pelvis).norm(dim=1).max() < _SAME_PELVIS:
                fields['smpl_joints'][:, :_BODY] = joints.float()
        more = dict(scores=stacked(people, 'scores', (), where).float()) if all('scores' in p for p in people) else {}
        found = People(num_people=len(people), **fields, global_orient=pose[:, 0].float(),
                       body_pose=pose[:, 1:_BODY].float(), betas=shape[:, :10].float(), **more)
        return found, posed.faces, posed.body, posed.notes

    def _camera(self, part, people, image_size, where):
        """(intrinsics, whether their focal length is the program's default)."""
        if image_size is None:
            return None, True
        default = longer_side_focal(FIELD_OF_VIEW, image_size)
        square = self._stated(part, people, where)
        if square is None and all('j3d' in person and 'j2d' in person for person in people):
            points, pixels = (stacked(people, key, (None, size), where) for key, size in (('j3d', 3), ('j2d', 2)))
            square = measured(points, pixels) if points.shape[1] == pixels.shape[1] else None
        focal = default if square is None else float(square[0, 0] / (2 * square[0, 2])) * max(image_size)
        return centred(focal, image_size), abs(focal / default - 1) < .01

    def _stated(self, part, people, where):
        """Intrinsics of the square that the network saw, where the results have them; None."""
        if not isinstance(part, dict) or 'K' not in part:
            return None
        return numbers(dict(K=_matrix(part['K'])), 'K', (3, 3), where)

    def _refocused(self, person, moves, image):
        """A person with the new camera, where it is in there."""
        return person

    def _put_back(self, part, people, moves, image):
        """The part with people in place of its own, and with the new camera where it has one."""
        if isinstance(part, dict):
            part = {**part, _LIST: like_list(people, part[_LIST])}
            if moves.intrinsics is not None and 'K' in part:
                part['K'] = square_camera(part['K'], moves.intrinsics, image.image_size)
            return part
        return part if not people else like_list(people, part)

    def _saved_mesh(self, vertices, name, image_size, where):
        points = torch.as_tensor(vertices).double()
        check_meshes(points, where, 'the array')
        faces = faces_for(points, self.own_faces(), self.context, where) if len(points) else None
        intrinsics = None if image_size is None else centred(longer_side_focal(FIELD_OF_VIEW, image_size), image_size)
        image = ImageResult(name, mesh_people(points, faces), intrinsics, image_size)
        return Picture(image, faces, topology_of(points.shape[1]) or self.body, (_MESH_NOTE, ), True)

    def _named(self, name):
        """The picture of a file ``<picture>_<model>``: the longest beginning that is one."""
        words = name.split('_')
        beginnings = ['_'.join(words[:size]) for size in range(len(words), 0, -1)]
        return next((part for part in beginnings if self.context.image_size(part) is not None), name)


def square_camera(example, intrinsics, image_size):
    """K of the network's square for intrinsics of the picture, as the K (3, 3) or (1, 3, 3) that stood there."""
    side = 2 * float(_matrix(example)[0][2])
    changed = example.clone() if torch.is_tensor(example) else np.array(example)
    for axis in range(2):
        changed[..., axis, axis] = float(intrinsics[axis, axis]) * side / max(image_size)
    return changed


def _is_mesh(content):
    return isinstance(content, np.ndarray) and content.dtype.kind == 'f'


def _matrix(camera):
    return camera[0] if getattr(camera, 'ndim', 2) == 3 else camera


def _people(content):
    """The list of people in what a file holds; None of anything else."""
    if isinstance(content, dict):
        return person_list(content.get(_LIST))
    if isinstance(content, tuple) and len(content) == 2 and content[0] == {} and not content[1]:
        return []  # what the model returns of a picture with nobody
    return person_list(content)
