"""People of one body model as those of another: same pose, same place, the same height as near as the other can."""
import numpy as np
import torch

from mmhuman_dto.structures import People

#: Heights are looked up along the first shape coefficient, in its standard deviations, and along the blend to a child.
_STATURES, _BLENDS = np.linspace(-5, 5, 201), np.linspace(0, 1, 101)
#: Adults have a first coefficient of this or more; whoever is smaller is a child where a body model knows children.
_SHORTEST = -3.


class HeightShapes:
    """Shapes of a body model by height: its mean shape, made taller or shorter by the first coefficient alone, and for
    those shorter than an adult (or a child, where it is said) by the blend to a child.

    Args:
        body_model: :class:`BodyModel` in whose betas the first is stature, as in SMPL, SMPL-X and OpenBody.
    """

    def __init__(self, body_model):
        self.size, self.child = body_model.num_betas, body_model.child_coefficient
        self.adults = self._heights(body_model, 0, _STATURES)
        self.children = None if self.child is None else self._heights(body_model, self.child, _BLENDS)

    def __call__(self, heights, is_child):
        """Heights (N), m, and who is a child (N) bool -> betas (N, B) of bodies of these heights, or the nearest."""
        betas = torch.zeros(len(heights), self.size)
        heights, is_child = heights.detach().cpu().numpy(), is_child.cpu().numpy()
        if self.child is not None:
            shortest = np.interp(_SHORTEST, _STATURES, self.adults[0])
            by_blend = is_child & (heights < self.children[0].max()) | (heights < shortest)
            betas[:, self.child] = torch.as_tensor(np.where(by_blend, _inverse(heights, *self.children), 0)).float()
        else:
            by_blend = np.zeros(len(heights), bool)
        betas[:, 0] = torch.as_tensor(np.where(by_blend, 0, _inverse(heights, *self.adults))).float()
        return betas

    def _heights(self, body_model, coefficient, values):
        betas = torch.zeros(len(values), body_model.num_betas)
        betas[:, coefficient] = torch.as_tensor(values)
        return body_model.height(betas).numpy(), values


def _inverse(heights, known, values):
    order = np.argsort(known)
    return np.interp(heights, known[order], values[order])


class MeshConversion:
    """Turns people of one body model into people of another, which is only done where it is asked for.

    Pose and the place of the pelvis stay, and the height where the other body model has such a body; what else there
    is to a shape gets lost, for the same coefficients mean other things.

    Args:
        source, target: :class:`BodyModel` of the people and of those they become, both with SMPL's pose.
    """

    def __init__(self, source, target):
        if source.num_body_joints != target.num_body_joints:
            raise ValueError(f'{type(source).__name__} takes {source.num_body_joints} joints after the root, '
                             f'{type(target).__name__} {target.num_body_joints}: their poses differ')
        self.source, self.target, self.shapes = source, target, HeightShapes(target)

    @torch.no_grad()
    def __call__(self, people):
        """:class:`People` with global_orient, body_pose, betas and transl -> such of the other body model.

        Raises:
            ValueError: betas that the source has no coefficients for.
        """
        device, betas = people.betas.device, people.betas.cpu()
        if betas[:, self.source.num_betas:].any():
            raise ValueError(f'betas have {betas.shape[1]} coefficients, {type(self.source).__name__} '
                             f'{self.source.num_betas}')
        betas = torch.nn.functional.pad(betas, (0, self.source.num_betas - betas.shape[1]))
        child = self.source.child_coefficient
        is_child = torch.zeros(len(betas), dtype=torch.bool) if child is None else betas[:, child] > 0
        changed = self.shapes(self.source.height(betas), is_child)
        transl = people.transl.cpu() + self._pelvis(self.source, betas) - self._pelvis(self.target, changed)
        fields = {name: value for name, value in people.items() if name not in ('betas', 'transl')}
        return People(num_people=len(people), **fields, betas=changed.to(device), transl=transl.to(device))

    def _pelvis(self, body_model, betas):
        pose = torch.zeros(len(betas), body_model.num_body_joints + 1, 3)
        return body_model.skeleton(pose, betas)[:, 0]
