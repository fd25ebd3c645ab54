"""What a solver finds, and the people it is about put where it says."""
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import torch

from .bodies import bodies_of
from .moving import refocused_camera
from .posterior import Posterior
from .problem import DTOProblem


@dataclass
class DTOResult:
    """Where a solver puts the people of S scenes; (S, P) as in ``problem``, G groups a scene."""
    problem: DTOProblem  # solved
    scale: torch.Tensor  # (S, P) new distance over initial distance; 1 for people who stay as they are
    skipped: torch.Tensor  # (S, P) people the solver took out; they stay as they are
    optimised: torch.Tensor  # (S) whether at least two people of a group were placed together
    deviation: torch.Tensor  # (S) mean distance of the new heights from the prior, in its standard deviations
    #: alpha, beta: (S, G) lines z = alpha * depth + beta of the groups, m per unit of the depth map and m; None where
    #: the solver has none
    alpha: torch.Tensor | None = None
    beta: torch.Tensor | None = None
    #: (S) new over given focal length, which moves everybody away by as much without changing heights; None keeps the
    #: camera
    focal_scale: torch.Tensor | None = None
    posterior: Posterior | None = None  # how sure the solver is; None where it doesn't say
    #: (S) scenes the solver has no solution for: they keep their initial people, are not ``optimised`` and their
    #: posterior is nan; None where solving can't fail
    failed: torch.Tensor | None = None
    sizes: torch.Tensor | None = None  # (S, P) new over initial height where it is not ``scale``
    shifts: torch.Tensor | None = None  # (S, P, 2) sideways, of the place in the picture at z = 1; None: nobody moves
    depth_form: Callable | None = None  # of :meth:`metres`, which asks it for scenes that were solved

    def metres(self, scene, disparity):
        """What a scene's depth map says once its form is solved: z (*) float64, m, camera frame, of disparity (*).

        nan where the disparity is not positive, or not known. None where the solver did not ask the map.
        """
        failed = self.failed is not None and bool(self.failed[scene])
        if self.depth_form is None or failed:
            return None
        return self.depth_form(scene, disparity.double().where(disparity > 0, torch.nan))

    def apply(self, samples, body_model, keep_dropped=False):
        """New samples with the people placed; their bodies are updated in one batch.

        Args:
            samples: the S samples the problem was made from.
            body_model: the one the problem was made with.
            keep_dropped: whether people without evidence stay, in their rows and as they were, but for moving along
                where the solver changed the camera; ``depths_std`` and ``heights_std`` are nan for them, and
                ``drop_reasons`` says why (:class:`DropReason`, 0 for those placed).

        Returns:
            S samples. ``pred_instances`` has new ``transl`` (m), ``betas`` and ``heights`` (m), and ``depths_std`` and
            ``heights_std`` (m) where the solver states them. Without dropped people it also has ``person_index``, each
            one's row in the input. Metainfo gains ``optimised`` (bool), ``height_deviation`` (float) and, where the
            solver says how sure it is, ``unsure_order``: pairs of rows of whom it is not known who is nearer. Maps
            still show the initial meshes.
        """
        problem, mask, device = self.problem, self.problem.mask, self.scale.device
        if keep_dropped:
            rows = [torch.arange(len(sample.pred_instances), device=device) for sample in samples]
        else:
            rows = problem.person_index[mask].split(mask.sum(-1).tolist())
        counts = [len(row) for row in rows]
        first = torch.tensor([0, *accumulate(counts)][:-1], device=device)
        place = (first[:, None] + problem.person_index)[mask] if keep_dropped else slice(None)

        def of_people(values, dropped):
            """Entries (M) of all people of (S, P), ``dropped`` for those who are not in the problem."""
            found = values.new_full((sum(counts), *values.shape[2:]), dropped)
            found[place] = values[mask]
            return found

        people = [sample.pred_instances[row] for sample, row in zip(samples, rows)]
        factor = None
        if self.focal_scale is not None:
            factor = self.focal_scale.repeat_interleave(torch.tensor(counts, device=device))
        sizes = None if self.sizes is None else of_people(self.sizes, 1.)
        shifts = None if self.shifts is None else of_people(self.shifts, 0.)
        fields = bodies_of(body_model).placed(people, of_people(problem.heights, 1.), of_people(self.scale, 1.),
                                              of_people(problem.height_class, 0), factor, sizes, shifts)
        if self.posterior is not None:
            fields['depths_std'] = of_people(self.posterior.depths_std, torch.nan).float()
            fields['heights_std'] = of_people(self.posterior.heights_std, torch.nan).float()
        if keep_dropped:
            fields['drop_reasons'] = torch.cat(problem.drop_reasons)
        else:
            fields['person_index'] = torch.cat(rows)
        fields = {name: values.split(counts) for name, values in fields.items()}
        placed = [self._placed(scene, sample, people[scene], {name: parts[scene] for name, parts in fields.items()})
                  for scene, sample in enumerate(samples)]
        if self.posterior is not None:
            for sample, pairs in zip(placed, self._unsure_order(keep_dropped)):
                sample.set_metainfo(dict(unsure_order=tuple(pairs)))
        return placed

    def _placed(self, scene, sample, people, fields):
        """New sample of a scene with ``fields`` of its people replaced."""
        for name, values in fields.items():
            people.set_field(values, name)
        new = sample.new()
        new.pred_instances = people
        if self.focal_scale is not None:
            new.pred_camera = refocused_camera(sample.pred_camera, self.focal_scale[scene])
            if self.posterior is not None:
                new.pred_camera.focal_std = self.posterior.log_focal_std[scene].float()
        new.set_metainfo(dict(
            optimised=bool(self.optimised[scene]), height_deviation=float(self.deviation[scene])))
        return new

    def _unsure_order(self, keep_dropped):
        """Of each of the S scenes the pairs of rows of its placed people of whom it is not known who is nearer."""
        mask, orders = self.problem.mask, [[] for _ in self.problem.mask]
        rows = self.problem.person_index if keep_dropped else mask.cumsum(-1) - 1
        scene, first, second = self.posterior.unsure_pairs(mask).unbind(-1)
        for index, *pair in torch.stack([scene, rows[scene, first], rows[scene, second]], -1).tolist():
            orders[index].append(tuple(pair))
        return orders
