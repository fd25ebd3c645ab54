"""Bodies of SMPL's family that results give by parameters: by their model's files, or by a body that stands in."""
from typing import NamedTuple

import torch

from mmhuman_dto.body_models.assets import find_body_file, read_body
from mmhuman_dto.registry import BODY_MODELS

#: Pelvis of the mean shape at zero pose, m; of single shapes within about .02 m of it.
REST_PELVIS = dict(smpl=(0., -.23, .03), smplx=(0., -.35, .01))
#: Standard deviation (m) of the height of somebody of whom only the pose is known: that of adults, and what the height
#: of a stand-in that was scaled to given vertices may be off, as a share (same pose, another body's proportions).
UNKNOWN_HEIGHT_STD, SCALED_HEIGHT_STD = .1, .03
#: Joints of a pose that SMPL and SMPL-X share: root and body without hands.
_SHARED = 22


class PosedBodies(NamedTuple):
    """M bodies: vertices (M, V, 3), smpl_joints (M, 24, 3) and pelvis (M, 3), m, in the frame of their pose and
    transl; heights and heights_std (M), m; faces (F, 3) and the name of the body; notes for the user."""
    vertices: torch.Tensor
    smpl_joints: torch.Tensor
    pelvis: torch.Tensor
    heights: torch.Tensor
    heights_std: torch.Tensor
    faces: torch.Tensor
    body: str
    notes: tuple = ()

    def fields(self):
        """What :class:`~mmhuman_dto.results.ImageResult` wants of its people, by name."""
        names = ('vertices', 'smpl_joints', 'pelvis', 'heights', 'heights_std')
        return {name: getattr(self, name).float() for name in names}

    def split(self, counts):
        """:meth:`fields` of the first ``counts[0]`` bodies, of the next ``counts[1]``, ..."""
        parts = {name: values.split(list(counts)) for name, values in self.fields().items()}
        return [{name: values[i] for name, values in parts.items()} for i in range(len(counts))]


class SmplFamily:
    """Poses bodies of SMPL and SMPL-X.

    Args:
        model_path: folder of SMPL's or SMPL-X's own files; None: OpenBody stands in, in the same pose at the same
            place, as large as given vertices are.
    """

    def __init__(self, model_path=None):
        self.model_path, self._models = model_path, {}

    @torch.no_grad()
    def __call__(self, layout, pose, betas, transl=None, gender='neutral', vertices=None, ages=None, pelvis=None,
                 hands_of_mean=False):
        """:class:`PosedBodies` of M bodies, in the frame of ``pose`` and ``transl``.

        Args:
            layout: 'smpl' or 'smplx'.
            pose: (M, J, 3) rad, axis-angle, root first; J is 22 (without hands), 24 (SMPL) or 55 (SMPL-X, hands as
                rotations, not relative to a mean).
            betas: (M, B) without the age. transl: (M, 3) m, the model's own: the pelvis is at transl + rest pelvis;
                None: ``pelvis`` says where they are.
            gender: of the model's file.
            vertices: (M, V, 3) m, absolute, in the same frame, where the results have them: kept as they are where
                the model's files tell their faces, else what a stand-in is scaled to.
            ages: (M) 0 adult .. 1 infant, SMPL+A's blend; None: adults.
            pelvis: (M, 3) m, the root joint, where the results have it; None: ``transl`` says where they are.
            hands_of_mean: the hands' rotations are relative to the mean of SMPL-X's file.
        """
        pose, betas = (torch.as_tensor(values).float() for values in (pose, betas))
        model = self._model(layout, gender, betas.shape[1], ages is not None, hands_of_mean)
        if model is None:
            if pelvis is None:
                pelvis = torch.as_tensor(transl).float() + torch.tensor(REST_PELVIS[layout])
            return self._stand_in(layout, pose, torch.as_tensor(pelvis).float(), vertices, ages)
        wanted = model.num_body_joints + 1
        pose = torch.nn.functional.pad(pose[:, :wanted], (0, 0, 0, max(wanted - pose.shape[1], 0)))
        if ages is not None:
            betas = torch.cat([betas, torch.as_tensor(ages).float()[:, None]], 1)
        betas = torch.nn.functional.pad(betas, (0, model.num_betas - betas.shape[1]))  # no expression
        if pelvis is not None:
            transl = torch.as_tensor(pelvis).float() - model.skeleton(torch.zeros_like(pose), betas)[:, 0]
        transl = torch.as_tensor(transl).float()
        posed = model(pose, betas, transl)
        joints = model.skeleton(pose, betas, transl)
        given = vertices is not None and vertices.shape[-2] == model.num_vertices
        return PosedBodies(torch.as_tensor(vertices).float() if given else posed.vertices, joints, joints[:, 0],
                           model.height(betas), torch.zeros(len(pose)), model.faces, type(model).__name__)

    def _model(self, layout, gender, num_betas, with_ages, hands_of_mean=False):
        """The body model of the files, on first use; None without files."""
        if self.model_path is None:
            return None
        key = layout, gender, num_betas, with_ages, hands_of_mean
        if key not in self._models:
            kind = (dict(type='SMPLX', whole_body=True, flat_hand_mean=not hands_of_mean) if layout == 'smplx' else
                    dict(type='SMPL+A' if with_ages else 'SMPL'))
            self._models[key] = BODY_MODELS.build(dict(
                kind, model_path=self.model_path, gender=gender, num_betas=num_betas)).eval()
        return self._models[key]

    def joints_of(self, layout, vertices):
        """(M, 24, 3) of posed meshes (M, V, 3) by the regressor of the user's file, within about .01 m of those that
        posed them; None without files."""
        if self.model_path is None:
            return None
        body = read_body(find_body_file(self.model_path, layout, 'neutral'), dict(smpl=24, smplx=55)[layout])
        joints = torch.as_tensor(body.joint_regressor) @ torch.as_tensor(vertices).double()
        return joints[:, [*range(_SHARED), 28, 43] if layout == 'smplx' else slice(None)]

    def _stand_in(self, layout, pose, pelvis, vertices, ages):
        """OpenBody in the same pose, its pelvis at theirs (M, 3), as large as the vertices where given."""
        model = self._models.setdefault('OpenBody', BODY_MODELS.build(dict(type='OpenBody')))
        betas = torch.zeros(len(pose), model.num_betas)
        if ages is not None:
            betas[:, model.child_coefficient] = torch.as_tensor(ages).float()
        pose = torch.nn.functional.pad(pose[:, :_SHARED], (0, 0, 0, model.num_body_joints + 1 - _SHARED))
        posed, joints = model(pose, betas).vertices, model.skeleton(pose, betas)
        size, std = torch.ones(len(pose)), torch.full((len(pose), ), UNKNOWN_HEIGHT_STD)
        if vertices is not None and len(pose):
            size = _extent(torch.as_tensor(vertices).float()) / _extent(posed)
            std = SCALED_HEIGHT_STD * size * model.height(betas)
        root = joints[:, :1]

        def place(points):
            return (points - root) * size[:, None, None] + pelvis[:, None]

        name = dict(smpl='SMPL', smplx='SMPL-X')[layout]
        note = (f"{name}'s files were not given: bodies are drawn and measured as OpenBody in the same pose; "
                'with --body-models FOLDER they are the real ones')
        return PosedBodies(place(posed), place(joints), pelvis, model.height(betas) * size, std, model.faces,
                           f'OpenBody in the pose of {name}', (note, ))


def _extent(points):
    """Diagonal (M) of the boxes of point sets (M, V, 3)."""
    return (points.amax(1) - points.amin(1)).norm(dim=-1)
