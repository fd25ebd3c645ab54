"""From solved distances back to meshes: move each person along its ray and give it the height that goes with it."""
from dataclasses import dataclass

import torch

from .posterior import Posterior
from .prior import TEEN
from .problem import DTOProblem, stack_pose, stack_rows

#: Below this new height (m) a body is reshaped by its child blend whatever its class (DTO paper, arXiv 2511.13282).
CHILD_HEIGHT = 1.45
#: What is said of people who were placed; the last two by solvers that know how sure they are.
STATED = ('betas', 'transl', 'heights', 'depths_std', 'heights_std')


@dataclass
class DTOResult:
    """Where a solver puts the people of S scenes; (S, P) as in ``problem``, G groups a scene.

    Attributes:
        problem: the :class:`DTOProblem` solved.
        scale: (S, P) new distance over initial distance; 1 for people who stay as they are.
        skipped: (S, P) people the solver took out; they stay as they are.
        optimised: (S) whether at least two people of a group were placed together.
        deviation: (S) mean distance of the new heights from the prior, in its standard deviations.
        alpha, beta: (S, G) lines z = alpha * depth + beta of the groups, m per unit of the depth map and m; None where
            the solver has none.
        focal_scale: (S) new over given focal length, which moves everybody away by as much without changing heights;
            None keeps the camera.
        posterior: how sure the solver is; None where it doesn't say.
    """
    problem: DTOProblem
    scale: torch.Tensor
    skipped: torch.Tensor
    optimised: torch.Tensor
    deviation: torch.Tensor
    alpha: torch.Tensor | None = None
    beta: torch.Tensor | None = None
    focal_scale: torch.Tensor | None = None
    posterior: Posterior | None = None

    def apply_to(self, sample, index, body_model):
        """New sample of scene ``index``; see :meth:`apply`."""
        return self._apply([sample], torch.tensor([index], device=self.scale.device), body_model)[0]

    def apply(self, samples, body_model):
        """New samples with the people placed; their bodies are updated in one batch.

        Args:
            samples: the S samples the problem was made from.
            body_model: the one the problem was made with.

        Returns:
            S samples. ``pred_instances`` holds the people who were not dropped, with new ``transl`` (m), ``betas``,
            ``heights`` (m) and with ``person_index``, their row in the input. Metainfo gains ``optimised`` (bool) and
            ``height_deviation`` (float). Maps still show the initial meshes.
        """
        return self._apply(samples, torch.arange(len(samples), device=self.scale.device), body_model)

    def update(self, samples, body_model):
        """:meth:`apply` in place: everybody stays in its row, people who were dropped as they were.

        Where the solver changed the camera, dropped people move away with it. They have no ``depths_std`` and
        ``heights_std`` (nan).
        """
        for scene, (sample, placed) in enumerate(zip(samples, self.apply(samples, body_model))):
            people, found = sample.pred_instances, placed.pred_instances
            if self.focal_scale is not None:
                sample.pred_camera = placed.pred_camera
            if len(found) < len(people):  # what follows is then for those who were dropped
                people.heights = body_model.height(people.betas)
                if self.focal_scale is not None:
                    factor = self.focal_scale[scene].expand(len(people))
                    people.transl = refocus(body_model, people.betas, people.transl, factor)
            for name in (name for name in STATED if name in found):
                known = name in people and not name.endswith('_std')
                values = people[name].clone() if known else found[name].new_full((len(people), ), torch.nan)
                values[found.person_index] = found[name].to(values)
                people.set_field(values, name)
            sample.set_metainfo(dict(optimised=placed.optimised, height_deviation=placed.height_deviation))

    def _apply(self, samples, scenes, body_model):
        problem, mask = self.problem, self.problem.mask[scenes]
        rows = problem.person_index[scenes][mask].split(mask.sum(-1).tolist())
        people = [sample.pred_instances[row] for sample, row in zip(samples, rows)]
        betas, transl = stack_rows(people, 'betas', (body_model.num_betas, )), stack_rows(people, 'transl', (3, ))
        pose = stack_pose(people, body_model)
        betas, transl = move_people(body_model, pose, betas, transl, problem.heights[scenes][mask],
                                    self.scale[scenes][mask], problem.height_class[scenes][mask])
        if self.focal_scale is not None:
            transl = refocus(body_model, betas, transl, self.focal_scale[scenes].repeat_interleave(mask.sum(-1)))
        fields = dict(betas=betas, transl=transl, heights=body_model.height(betas))
        if self.posterior is not None:
            fields['depths_std'] = self.posterior.depths_std[scenes][mask].to(transl)
            fields['heights_std'] = self.posterior.heights_std[scenes][mask].to(transl)
        fields = {name: values.split(mask.sum(-1).tolist()) for name, values in fields.items()}
        return [self._placed(sample, scene, group, dict({name: part[i] for name, part in fields.items()},
                                                        person_index=rows[i]))
                for i, (sample, scene, group) in enumerate(zip(samples, scenes.tolist(), people))]

    def _placed(self, sample, scene, group, fields):
        """New sample of a scene with ``fields`` of its people replaced."""
        for name, values in fields.items():
            group.set_field(values, name)
        new = sample.new()
        new.pred_instances = group
        if self.focal_scale is not None:
            new.pred_camera = refocused_camera(sample.pred_camera, self.focal_scale[scene])
        new.set_metainfo(dict(
            optimised=bool(self.optimised[scene]), height_deviation=float(self.deviation[scene])))
        return new


def move_people(body_model, pose, betas, transl, heights, scale, height_class):
    """Scale people's distance from the camera and, by one linear step of one shape coefficient, their height.

    The coefficient is the body model's child blend for children who shrink and for anybody below 1.45 m, else the
    first one. As the child blend changes proportions, people reshaped by it are shifted in x and y so that their joints
    stay where the scaled body had them on average (DTO paper, arXiv 2511.13282).

    Args:
        body_model: anything with ``height(betas)``, ``skeleton(pose, betas, transl)`` and ``child_coefficient``.
        pose: (M, 24, 3) rad. betas: (M, B). transl: (M, 3), m, camera.
        heights: (M) rest-pose heights of ``betas``, m. scale: (M) new distance over old; 1 leaves a person untouched.
        height_class: (M) index of ``HEIGHT_CLASSES``.

    Returns:
        betas (M, B), transl (M, 3), m, of the input's dtypes.
    """
    child = _uses_child_blend(body_model, heights, scale, height_class)
    coefficient = torch.where(child, body_model.child_coefficient or 0, 0)
    unit = torch.nn.functional.one_hot(coefficient, betas.shape[-1])
    per_unit = heights - body_model.height(betas - unit).double()
    new_betas = torch.where(unit.bool(), betas + (heights * (scale - 1) / per_unit)[:, None], betas).to(betas.dtype)
    new_transl = transl * scale[:, None]
    if child.any():
        # Translation cancels out of (joints before) * scale - (joints after).
        before, after = body_model.skeleton(
            pose[child].repeat(2, 1, 1), torch.cat([betas[child], new_betas[child]]), None).double().mean(-2).chunk(2)
        shift = before * scale[child, None] - after
        shift[:, 2] = 0
        new_transl[child] += shift
    return new_betas, new_transl.to(transl.dtype)


def refocus(body_model, betas, transl, factor):
    """Translations (M, 3), m, of people (M) whose pelvis is ``factor`` (M) times as deep and seen at the same pixel.

    With a focal length that is as many times longer they look the same, but for perspective within them.
    """
    rest = body_model.skeleton(betas.new_zeros(len(betas), body_model.num_body_joints + 1, 3), betas, None)[:, 0, 2]
    moved = transl.clone()
    moved[:, 2] = ((transl[:, 2] + rest) * factor - rest).to(transl.dtype)
    return moved


def refocused_camera(camera, factor):
    """A copy of a :class:`Camera` whose focal length is ``factor`` times as long."""
    new = camera.clone()
    new.intrinsics = torch.as_tensor(camera.intrinsics).clone()
    new.intrinsics[:2, :2] *= factor.to(new.intrinsics)
    if 'fov' in camera:
        new.fov = 2 * torch.atan(torch.tan(torch.as_tensor(camera.fov) / 2) / factor.to(camera.fov))
    return new


def _uses_child_blend(body_model, heights, scale, height_class):
    if body_model.child_coefficient is None:
        return torch.zeros_like(height_class, dtype=torch.bool)
    moved = scale != 1
    return moved & (((height_class <= TEEN) & (scale < 1)) | (heights * scale < CHILD_HEIGHT))
