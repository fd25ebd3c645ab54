"""CameraHMR: what a few added lines save of its people; its own meshes lack their place."""
import re

import torch

from mmhuman_dto.geometry.rotation import matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS
from mmhuman_dto.structures import People

from .base import ImageResult, ResultError
from .cameras import centred
from .files import FilesReader, Picture, number_like, numbers
from .obj_4dhumans import has_vertices
from .tracks import SIZE_HINT

_MESH, _NUM_VERTICES = re.compile(r'.+_\d{6}\.obj'), 6890
_PATCH = ('the meshes that CameraHMR writes are of one person a picture, without their translation, so nobody can be '
          'placed by them. Add the lines of docs/place_formats.md, "camerahmr", to its mesh_estimator.py, run it again '
          'and give the folder of the .npz files')


@RESULTS.register_module()
class CameraHmr(FilesReader):
    """A file a picture, by np.savez or pickle: ``global_orient`` (N, 1, 3, 3), ``body_pose`` (N, 23, 3, 3), ``betas``
    (N, 10) of SMPL; ``pred_cam_t`` (N, 3) m, camera frame, or ``pred_cam`` (N, 3: scale, x, y) with ``box_center``
    (N, 2) and ``box_size`` (N) px; ``cam_int`` (3, 3) px or ``vfov`` rad, the vertical field of view.

    Optional: ``pred_vertices`` (N, 6890, 3) m without translation, ``img_size`` (height, width).
    """
    kind = 'camerahmr'
    program = 'CameraHMR (https://github.com/pixelite1201/CameraHMR)'
    files = 'a file a picture, saved by the lines of docs/place_formats.md'
    licence = 'no licence file; SMPL non-commercial'

    @classmethod
    def sniff(cls, path):
        try:
            meshes = _meshes(path)
            return has_vertices(meshes[0], _NUM_VERTICES) if meshes else super().sniff(path)
        except OSError:
            return False

    @classmethod
    def knows(cls, content):
        return isinstance(content, dict) and {'global_orient', 'body_pose', 'betas'} <= set(content) and bool(
            {'pred_cam', 'pred_cam_t'} & set(content)) and bool({'cam_int', 'vfov'} & set(content))

    def read(self):
        if not self.found(self.path) and _meshes(self.path):
            raise ResultError(f'{self.path}: {_PATCH}')
        return super().read()

    def parts(self, content, name, where):
        return {name: content}

    def picture(self, part, name, where):
        root = numbers(part, 'global_orient', (None, 1, 3, 3), where)
        pose = torch.cat([root, numbers(part, 'body_pose', (len(root), 23, 3, 3), where)], 1)
        count, size = len(pose), self._size(part, name, where)
        camera = _camera(part, size, where)
        if camera is None and 'pred_cam_t' not in part:
            raise ResultError(f'{where}: {SIZE_HINT}')
        transl = numbers(part, 'pred_cam_t', (count, 3), where) if 'pred_cam_t' in part else _full(
            part, camera, size, where)
        vertices = None
        if 'pred_vertices' in part:
            vertices = numbers(part, 'pred_vertices', (count, _NUM_VERTICES, 3), where) + transl[:, None]
        pose, betas = matrix_to_axis_angle(pose), numbers(part, 'betas', (count, 10), where)
        posed = self.context.bodies('smpl', pose, betas, transl, vertices=vertices)
        people = People(num_people=count, **posed.fields(), global_orient=pose[:, 0].float(),
                        body_pose=pose[:, 1:].float(), betas=betas.float(), transl=transl.float())
        notes = (*posed.notes, *(() if camera is not None else (SIZE_HINT, )))
        return Picture(ImageResult(name, people, camera, size), posed.faces, posed.body, notes)

    def moved(self, part, picture, moves):
        changed, image = {}, picture.image
        if 'pred_cam_t' in part:
            changed['pred_cam_t'] = moves.translated(slice(None), part['pred_cam_t'])
        else:
            camera = image.intrinsics if moves.intrinsics is None else moves.intrinsics
            changed['pred_cam'] = self._of_crop(part, image, moves, camera)
        if moves.intrinsics is not None and 'cam_int' in part:
            changed['cam_int'] = moves.intrinsics.numpy().astype(part['cam_int'].dtype)
        elif moves.intrinsics is not None:
            vfov = 2 * torch.atan(image.image_size[0] / (2 * moves.intrinsics[1, 1]))
            changed['vfov'] = number_like(float(vfov), part['vfov'])
        return {**part, **changed}

    def _of_crop(self, part, image, moves, camera):
        """``pred_cam`` (N, 3) of people who were moved; that of the others as it is."""
        where, cam = str(self.path), part['pred_cam'].copy()
        centre, side = (numbers(part, key, shape, where) for key, shape in (('box_center', (None, 2)),
                                                                            ('box_size', (None, ))))
        middle = torch.tensor([image.image_size[1] / 2, image.image_size[0] / 2], dtype=torch.float64)
        for row in range(len(cam)):
            if moves.moves(row) or moves.intrinsics is not None:
                place = image.people.transl[row].double() + moves.shift[row]
                scale = 2 * camera[0, 0] / (side[row] * place[2])
                offset = place[:2] - 2 * (centre[row] - middle) / (side[row] * scale)
                cam[row] = torch.cat([scale[None], offset]).numpy()
        return cam

    def _size(self, part, name, where):
        if 'img_size' in part:
            return tuple(int(side) for side in numbers(part, 'img_size', (2, ), where))
        return self.context.image_size(name)


def _camera(part, size, where):
    """(3, 3) of the whole picture; None where its size, which a field of view needs, is not known."""
    if 'cam_int' in part:
        return numbers(part, 'cam_int', (3, 3), where)
    if size is None:
        return None
    vfov = float(numbers(part, 'vfov', (), where))
    return centred(size[0] / (2 * torch.tan(torch.tensor(vfov / 2, dtype=torch.float64)).item()), size)


def _full(part, camera, size, where):
    """Translations (N, 3), m, by those of square crops around people."""
    if size is None:
        raise ResultError(f'{where}: {SIZE_HINT}')
    cam = numbers(part, 'pred_cam', (None, 3), where)
    centre = numbers(part, 'box_center', (len(cam), 2), where)
    side = numbers(part, 'box_size', (len(cam), ), where) * cam[:, 0]
    middle = centre.new_tensor([size[1] / 2, size[0] / 2])
    return torch.cat([cam[:, 1:] + 2 * (centre - middle) / side[:, None], (2 * camera[0, 0] / side)[:, None]], 1)


def _meshes(path):
    """CameraHMR's own meshes in a folder."""
    return [file for file in (sorted(path.iterdir()) if path.is_dir() else ()) if _MESH.fullmatch(file.name)]
