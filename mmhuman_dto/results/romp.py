"""ROMP: an npz a picture with one dictionary, or one of a video with a dictionary a frame."""
from pathlib import Path

import torch

from mmhuman_dto.registry import RESULTS
from mmhuman_dto.structures import People

from .base import ImageResult
from .cameras import centred
from .files import FilesReader, Picture, numbers
from .meshes_only import check_meshes, nobody

#: Focal length, px, of its picture of 512 px, to which the longer side of any is brought.
FOCAL, FRAME = 443.4, 512
#: File of a video: {'results': {frame: dictionary}, 'sequence_results': ...}.
VIDEO = 'video_results.npz'
#: SMPL's joints come first in ``joints``: then the pelvis is so near (m) to the middle of the hips, and no other is.
_PELVIS_TO_HIPS = .2


@RESULTS.register_module()
class ROMP(FilesReader):
    """``<picture>.npz`` with the key ``results``, a dictionary of ``smpl_thetas`` (N, 72), ``smpl_betas`` (N, 10),
    ``cam_trans`` (N, 3), ``verts`` (N, 6890, 3) and ``joints`` (N, 71, 3), m; camera points are verts + cam_trans.

    Placing changes ``cam_trans``.
    """
    kind = 'romp'
    program = 'ROMP (https://github.com/Arthur151/ROMP)'
    files = 'an .npz a picture, or video_results.npz, with the key results'
    licence = 'Apache-2.0, simple_romp MIT; SMPL: MPI, non-commercial'
    suffixes = ('.npz', )
    num_betas = 10

    @classmethod
    def found(cls, path):
        """Of a folder with the results of a whole video these alone, for its frames are in there."""
        found = super().found(path)
        return [entry for entry in found if entry[0].name == VIDEO] or found

    @classmethod
    def knows(cls, content):
        if not isinstance(content, dict) or 'results' not in content:
            return False
        results = content['results']
        pictures = [results] if _is_picture(results) else results.values() if isinstance(results, dict) else [False]
        if not all(_is_picture(picture) for picture in pictures):
            return False
        betas = [picture['smpl_betas'].shape[-1] for picture in pictures if picture]
        return set(betas) == {cls.num_betas} if betas else None

    def parts(self, content, name, where):
        results, self._is_video = content['results'], not _is_picture(content['results'])
        return {name: results} if _is_picture(results) else {str(frame): part for frame, part in results.items()}

    def joined(self, content, parts):
        results = content['results']
        return {**content, 'results': parts[0] if _is_picture(results) else dict(zip(results, parts))}

    def picture(self, part, name, where):
        stem = Path(name).stem
        frame = int(stem) if self._is_video and stem.isdigit() else None
        image_size = self.context.image_size(name, frame)
        intrinsics = None if image_size is None else centred(FOCAL / FRAME * max(image_size), image_size)
        if not part or not len(part['cam_trans']):
            image = ImageResult(name, nobody(), intrinsics, image_size, frame)
            return Picture(image, None, 'SMPL', focal_is_guess=True)
        people, posed = self._people(part, where)
        image = ImageResult(name, people, intrinsics, image_size, frame)
        return Picture(image, posed.faces, posed.body, posed.notes, True)

    def moved(self, part, picture, moves):
        if not part or not len(part['cam_trans']):
            return part
        return {**part, 'cam_trans': moves.translated(slice(None), part['cam_trans'])}

    def _people(self, part, where):
        """(People, posed bodies) of the dictionary of a picture."""
        cam_trans = numbers(part, 'cam_trans', (None, 3), where)
        count = len(cam_trans)
        pose = numbers(part, 'smpl_thetas', (count, 72), where).unflatten(1, (24, 3))
        betas = numbers(part, 'smpl_betas', (count, self.num_betas), where)
        vertices = numbers(part, 'verts', (count, 6890, 3), where) + cam_trans[:, None] if 'verts' in part else None
        if vertices is not None:
            check_meshes(vertices, where, 'verts')
        joints = _smpl_joints(part, count, cam_trans, where)
        posed = self._posed(pose, betas, cam_trans, vertices, None if joints is None else joints[:, 0])
        fields = posed.fields()
        if joints is not None:
            fields['smpl_joints'] = joints.float()
        for key, name in (('track_ids', 'track_ids'), ('center_confs', 'scores')):
            if key in part and torch.as_tensor(part[key]).numel() == count:
                fields[name] = torch.as_tensor(part[key]).reshape(count)
        return People(num_people=count, **fields, global_orient=pose[:, 0].float(), body_pose=pose[:, 1:].float(),
                      betas=betas.float()), posed

    def _posed(self, pose, betas, cam_trans, vertices, pelvis):
        """Bodies whose origin is that of SMPL, so that ``cam_trans`` is SMPL's translation."""
        return self.context.bodies('smpl', pose, betas, cam_trans, vertices=vertices, pelvis=pelvis)


def _is_picture(results):
    """Whether this is the dictionary of one picture, or nothing, for nobody."""
    return results is None or isinstance(results, dict) and 'cam_trans' in results and 'smpl_betas' in results


def _smpl_joints(part, count, cam_trans, where):
    """SMPL's joints (N, 24, 3), camera frame, which come first; None without."""
    if 'joints' not in part:
        return None
    joints = numbers(part, 'joints', (count, None, 3), where)[:, :24]
    if joints.shape[1] < 24 or (joints[:, 0] - joints[:, 1:3].mean(1)).norm(dim=1).max() > _PELVIS_TO_HIPS:
        return None
    return joints + cam_trans[:, None]
