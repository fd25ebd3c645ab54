"""Bodies annotated in a world frame, and the camera that sees them."""
import torch

from mmhuman_dto.geometry import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import People

from .base import AnnotsReader
from .parsing import LayoutError, ShapeSpace


def world_to_camera(orient, transl, pelvis, rotation, translation):
    """Root orientation and translation in the camera frame, whose points are ``rotation @ world + translation``.

    A body turns about its pelvis J, which depends on its shape: a vertex v of the unturned body lies at
    R(orient) (v - J) + J + transl. Turning that by ``rotation`` = Q and moving it by ``translation`` = t gives
    Q R(orient) (v - J) + Q (J + transl) + t: the new orientation is Q R(orient), and the new translation
    Q (J + transl) + t - J.

    Args:
        orient: (N, 3) rad, axis-angle, world frame. transl: (N, 3) m, world frame.
        pelvis: (N, 3) m, root joint of the rest bodies.
        rotation: (N, 3, 3) or (3, 3). translation: (N, 3) or (3,) m.

    Returns:
        (N, 3) rad and (N, 3) m, camera frame, float32; computed in double precision.
    """
    orient, transl, pelvis, rotation, translation = (
        value.double() for value in (orient, transl, pelvis, rotation, translation))
    turned = matrix_to_axis_angle(rotation @ axis_angle_to_matrix(orient))
    moved = (rotation @ (pelvis + transl)[..., None])[..., 0] + translation - pelvis
    return turned.float(), moved.float()


class RestPelvis:
    """Root joint of a body at rest, which is affine in its shape: all that has to be kept of a body model here.

    Args:
        config: of the body model.

    Attributes:
        base: (3,) m, of the mean shape. directions: (B, 3) m for one unit of each coefficient.
        space: :class:`ShapeSpace` of the body model.
    """

    def __init__(self, config):
        body_model = BODY_MODELS.build(config)
        betas = torch.cat([torch.zeros(1, body_model.num_betas), torch.eye(body_model.num_betas)])
        pose = torch.zeros(len(betas), body_model.num_body_joints + 1, 3)
        joints = body_model.skeleton(pose, betas)[:, 0].double()
        self.base, self.directions = joints[0], joints[1:] - joints[0]
        child = body_model.child_coefficient is not None
        self.space = ShapeSpace(body_model.num_betas - child, child)

    def __call__(self, betas):
        """Betas (N, B), those of the body model and, what moves no pelvis, expression -> (N, 3) m."""
        return self.base + betas[:, :len(self.directions)].double() @ self.directions


class WorldReader(AnnotsReader):
    """A reader of bodies in a world frame, which become camera-frame bodies as they are read.

    Args:
        ann_file, img_prefix, data_root: of :class:`Reader`.
        body_model: config of the body model that the annotations are of; gives the pelvis that bodies turn about.
            Shapes with fewer coefficients than it has are filled up with zeros.
    """

    def __init__(self, ann_file, body_model, img_prefix='', data_root=''):
        self.pelvis = RestPelvis(body_model)
        super().__init__(ann_file, img_prefix, data_root)

    @classmethod
    def config(cls, split, ann_file, data_root, images=None, smpl='data/smpl'):
        """As of :class:`Reader`, with the body model."""
        return dict(super().config(split, ann_file, data_root, images), body_model=cls._body(smpl))

    @classmethod
    def _body(cls, smpl, **kwargs):
        return dict(type=cls.info.body_model, model_path=str(smpl), **kwargs)

    @property
    def space(self):
        """:class:`ShapeSpace` of the people."""
        return self.pelvis.space

    def _people(self, orient, body_pose, betas, transl, rotation, translation, **fields):
        """:class:`People` in the camera frame; arguments in the world frame, (N, ...)."""
        _check_rotations(rotation)
        pelvis = self._pelvis(betas, fields)
        orient, transl = world_to_camera(orient, transl, pelvis, rotation, translation)
        body_pose = body_pose.flatten(1).unflatten(1, (-1, 3))
        return People(global_orient=orient, body_pose=body_pose, betas=betas, transl=transl, **fields)

    def _pelvis(self, betas, fields):
        return self.pelvis(betas)


class GenderedWorldReader(WorldReader):
    """People whose shapes are of SMPL's male and female models; ``male_probs`` says whose are of which.

    Args:
        gendered: configs ``dict(male=..., female=...)`` of the body models of the annotations, as of
            :class:`DPWMetric`; ``body_model`` is that of people without a gender.
        ann_file, body_model, img_prefix, data_root: of :class:`WorldReader`.
    """

    def __init__(self, ann_file, body_model, gendered, img_prefix='', data_root=''):
        self.gendered = {name: RestPelvis(gendered[name]) for name in ('male', 'female')}
        super().__init__(ann_file, body_model, img_prefix, data_root)

    @classmethod
    def config(cls, split, ann_file, data_root, images=None, smpl='data/smpl'):
        """As of :class:`WorldReader`, with both genders' body models."""
        gendered = {gender: cls._body(smpl, gender=gender) for gender in ('male', 'female')}
        return dict(super().config(split, ann_file, data_root, images, smpl), gendered=gendered)

    def _pelvis(self, betas, fields):
        pelvis = super()._pelvis(betas, fields)
        for name, value in (('male', 1), ('female', 0)):
            people = fields['male_probs'] == value
            pelvis[people] = self.gendered[name](betas[people])
        return pelvis


def _check_rotations(rotation):
    square = rotation @ rotation.transpose(-1, -2)
    if (square - torch.eye(3)).abs().gt(1e-3).any() or (torch.linalg.det(rotation) < 0).any():
        raise LayoutError('cam_rot is no rotation: not orthonormal, or a reflection')


def male_probs(genders):
    """Gender names ('m...', 'f...' or 'n...', of any case) -> (N,) 1, 0 or nan.

    Raises:
        LayoutError: any other name.
    """
    values = {'m': 1., 'f': 0., 'n': torch.nan}
    known = [values.get(str(gender).lower()[:1]) for gender in genders]
    if None in known:
        raise LayoutError(f'genders are {list(genders)}, expected male, female or neutral')
    return torch.tensor(known, dtype=torch.float32)
