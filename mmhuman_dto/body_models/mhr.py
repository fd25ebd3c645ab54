"""MHR (Momentum Human Rig), the body of SAM 3D Body, from its published TorchScript file (Apache-2.0)."""
import functools
from pathlib import Path

import torch

from mmhuman_dto.fileio.errors import BrokenFileError, reading
from mmhuman_dto.registry import BODY_MODELS

from .foreign import ForeignBody, restored
from .joint_sets import JOINT_SETS

#: The file as MHR's assets.zip and the weights of SAM 3D Body have it.
MHR_FILE = 'mhr_model.pt'
NUM_PARAMETERS, NUM_IDENTITY, NUM_EXPRESSION, NUM_JOINTS = 204, 45, 72, 127
#: Of the parameters, those of the sizes of bones: what is no pose.
SCALES = slice(136, NUM_PARAMETERS)
#: Rows of SMPL's joints among the 127: root, l_upleg, r_upleg, c_spine1, l_lowleg, r_lowleg, c_spine2, l_foot, r_foot,
#: c_spine3, l_ball, r_ball, c_neck, l_clavicle, r_clavicle, c_head, uparm, lowarm, wrist and middle1 of each side.
SMPL_ROWS = (1, 2, 18, 35, 3, 19, 36, 4, 20, 37, 8, 24, 110, 74, 38, 113, 75, 39, 76, 40, 78, 42, 88, 52)
_CHUNK = 16


@BODY_MODELS.register_module()
class MHR(ForeignBody):
    """MHR at its level of detail 1, 18439 vertices; y up, facing +z, m (its file computes in cm).

    ``betas`` are its 45 of identity, ``pose`` its 204 model parameters: place (0.1 m), 3 angles, 130 of pose and 68 of
    bone sizes, SAM 3D Body's ``shape_params`` and ``mhr_model_params``. Its ``pred_vertices`` are
    ``to_camera(body(pose, betas).vertices)``.

    Args:
        model_path: mhr_model.pt, or the folder that has it. It is a program: take it from its publisher.

    Raises:
        FileNotFoundError: no such file; says where to get it. BrokenFileError: another file.
    """

    def __init__(self, model_path):
        super().__init__()
        self.path = find_mhr(model_path)
        self.model = load_mhr(str(self.path))
        self.register_buffer('faces', read_mhr_faces(str(self.path)), persistent=False)
        self.num_betas, self.num_vertices = NUM_IDENTITY, int(self.faces.max()) + 1

    def forward(self, pose, betas, transl=None, expression=None):
        """As of :class:`ForeignBody`; expression: (*, 72) or None for none."""
        self._check('pose', pose, (NUM_PARAMETERS, ))
        self._check('betas', betas, (NUM_IDENTITY, ))
        expression = betas.new_zeros(NUM_EXPRESSION) if expression is None else expression
        self._check('expression', expression, (NUM_EXPRESSION, ))
        transl = betas.new_zeros(3) if transl is None else transl
        self._check('transl', transl, (3, ))
        parts = (betas, pose, expression, transl)
        lead = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        flat = [part.float().expand(*lead, -1).reshape(-1, part.shape[-1]) for part in parts]
        vertices, joints = [], []
        for *some, place in zip(*(part.split(_CHUNK) for part in flat)):
            mesh, skeleton = self.model(*some)
            vertices.append(mesh / 100 + place[:, None])
            joints.append(self.smpl24(skeleton[..., :3]) / 100 + place[:, None])
        return restored(lead, torch.cat(vertices), torch.cat(joints))

    def height(self, betas, pose=None):
        """Rest-pose height (*), m, of betas (*, 45) and of the bone sizes in ``pose`` (*, 204), None for the mean's."""
        pose = betas.new_zeros(NUM_PARAMETERS) if pose is None else pose
        self._check('pose', pose, (NUM_PARAMETERS, ))
        rest = torch.zeros_like(pose)
        rest[..., SCALES] = pose[..., SCALES]
        y = self(rest, betas).vertices[..., 1]
        return y.amax(-1) - y.amin(-1)

    def smpl24(self, joints):
        return mhr_smpl24(joints)

    def to_camera(self, points):
        return points * torch.tensor([1., -1., -1.]).to(points)


def mhr_smpl24(joints):
    """SMPL's 24 (*, 24, 3) of MHR's joints (*, 127, 3), SAM 3D Body's ``pred_joint_coords`` for one."""
    if joints.shape[-2:] != (NUM_JOINTS, 3):
        raise ValueError(f'joints of MHR are (*, {NUM_JOINTS}, 3), got {tuple(joints.shape)}')
    return joints[..., list(SMPL_ROWS), :]


def find_mhr(model_path):
    """Path of MHR's file, given as such or as its folder; FileNotFoundError says where to get it."""
    path = Path(model_path)
    path = path / MHR_FILE if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f'no {path}. MHR\'s {MHR_FILE} (Apache-2.0) is in the assets.zip of the releases of facebookresearch/MHR, '
            'and in the folder assets of SAM 3D Body\'s weights; see docs/bodies.md')
    return path


@functools.lru_cache(maxsize=2)
def load_mhr(path):
    """MHR's TorchScript module at a path (str); BrokenFileError for another file."""
    with reading(path, 'a TorchScript of MHR'):
        model = torch.jit.load(path, map_location='cpu').eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        return model


def read_mhr_faces(path):
    """Triangles (F, 3) int64 of MHR's mesh; errors as of :func:`load_mhr`."""
    try:
        return load_mhr(str(path)).character_torch.mesh.faces.long()
    except AttributeError as error:
        raise BrokenFileError(f'{path}: it is a TorchScript, but none of MHR: {error}') from error


assert len(SMPL_ROWS) == len(JOINT_SETS['smpl24'].names)
