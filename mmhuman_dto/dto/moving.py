"""From solved distances back to meshes: move each person along its ray and give it the height that goes with it."""
import torch

from ..geometry import focal_from_fov, fov_from_focal
from .prior import TEEN

#: Below this new height (m) a body is reshaped by its child blend whatever its class (DTO paper, arXiv 2511.13282).
CHILD_HEIGHT = 1.45


def move_people(body_model, pose, betas, transl, heights, scale, height_class, sizes=None):
    """Scale people's distance from the camera and, by one linear step of one shape coefficient, their height.

    The coefficient is the body model's child blend for children who shrink and for anybody below 1.45 m, else the
    first one. As the child blend changes proportions, people reshaped by it are shifted in x and y so that their joints
    stay where the scaled body had them on average (DTO paper, arXiv 2511.13282).

    Args:
        body_model: anything with ``height(betas)``, ``skeleton(pose, betas, transl)`` and ``child_coefficient``.
        pose: (M, 24, 3) rad. betas: (M, B). transl: (M, 3), m, camera.
        heights: (M) rest-pose heights of ``betas``, m. scale: (M) new distance over old; 1 leaves a person untouched.
        height_class: (M) index of ``HEIGHT_CLASSES``.
        sizes: (M) new height over old; None: that of the distances.

    Returns:
        betas (M, B), transl (M, 3), m, of the input's dtypes.
    """
    new_transl = transl * scale[:, None]
    if sizes is not None:  # the pelvis keeps its place in the picture, however the body grows around it
        new_transl = new_transl + rest_pelvis(body_model, betas) * (scale - sizes)[:, None]
    sizes = scale if sizes is None else sizes
    child = _uses_child_blend(body_model, heights, sizes, height_class)
    coefficient = torch.where(child, body_model.child_coefficient or 0, 0)
    unit = torch.nn.functional.one_hot(coefficient, betas.shape[-1])
    per_unit = heights - body_model.height(betas - unit).double()
    change = torch.where(sizes != 1, heights * (sizes - 1) / per_unit, 0.)
    new_betas = torch.where(unit.bool(), betas + change[:, None], betas).to(betas.dtype)
    if child.any():
        # Translation cancels out of (joints before) * size - (joints after).
        before, after = body_model.skeleton(
            pose[child].repeat(2, 1, 1), torch.cat([betas[child], new_betas[child]]), None).double().mean(-2).chunk(2)
        shift = before * sizes[child, None] - after
        shift[:, 2] = 0
        new_transl[child] += shift
    return new_betas, new_transl.to(transl.dtype)


def rest_pelvis(body_model, betas):
    """(M, 3) m: where the pelvis of bodies of betas (M, B) is at rest."""
    return body_model.skeleton(betas.new_zeros(len(betas), body_model.num_body_joints + 1, 3), betas, None)[:, 0]


def refocus(body_model, betas, transl, factor):
    """Translations (M, 3), m, of people (M) whose pelvis is ``factor`` (M) times as deep and seen at the same pixel.

    With a focal length that is as many times longer they look the same, but for perspective within them.
    """
    rest = rest_pelvis(body_model, betas)[:, 2]
    moved = transl.clone()
    moved[:, 2] = ((transl[:, 2] + rest) * factor - rest).to(transl.dtype)
    return moved


def shifted(body_model, betas, transl, shifts):
    """Translations (M, 3), m, of people (M) whose pelvis' place in the picture at z = 1 moves by ``shifts`` (M, 2)."""
    rest = rest_pelvis(body_model, betas)[:, 2]
    moved = transl.clone()
    moved[:, :2] += ((transl[:, 2] + rest)[:, None] * shifts).to(transl.dtype)
    return moved


def refocused_camera(camera, factor):
    """A copy of a :class:`Camera` whose focal length is ``factor`` times as long."""
    new = camera.clone()
    new.intrinsics = torch.as_tensor(camera.intrinsics).clone()
    new.intrinsics[:2, :2] *= factor.to(new.intrinsics)
    if 'fov' in camera:
        new.fov = fov_from_focal(focal_from_fov(camera.fov, 1) * factor.to(camera.fov), 1)
    return new


def _uses_child_blend(body_model, heights, scale, height_class):
    if body_model.child_coefficient is None:
        return torch.zeros_like(height_class, dtype=torch.bool)
    moved = scale != 1
    return moved & (((height_class <= TEEN) & (scale < 1)) | (heights * scale < CHILD_HEIGHT))
