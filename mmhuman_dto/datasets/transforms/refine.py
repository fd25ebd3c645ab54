"""Annotated people placed together by DTO as they are loaded."""
import torch

from mmhuman_dto.dto import DTOProblem
from mmhuman_dto.registry import BODY_MODELS, DTO_PRIORS, DTO_SOLVERS, TRANSFORMS
from mmhuman_dto.structures import HumanDataSample


@TRANSFORMS.register_module()
class RefineTranslations:
    """Move the people of ``gt_instances`` by DTO, on evidence kept with them: solver and prior are the config's choice.

    Needs ``dto_evidence`` (the stage ``OptimiseTranslations`` keeps it with ``keep_evidence=True``), global_orient,
    body_pose, betas and transl of ``gt_instances``, ``gt_camera`` and metainfo ``ori_shape``, all of the original
    image: put it before resizing, and before JointsFromMeshes. Sets ``betas``, ``transl``, ``heights``, what the solver
    states of their uncertainty, the camera if the solver changes it, and metainfo ``optimised`` and
    ``height_deviation``. Everybody stays, see :meth:`mmhuman_dto.dto.DTOResult.update`.

    Args:
        body_model: config of the body model that the meshes are of.
        solver: config of a solver, see ``DTO_SOLVERS``.
        prior: config of a height prior, see ``DTO_PRIORS``.

    Raises:
        ValueError: people without evidence.
    """

    def __init__(self, body_model, solver, prior=None):
        self.body_model = BODY_MODELS.build(body_model)
        self.solver, self.prior = DTO_SOLVERS.build(solver), DTO_PRIORS.build(prior or dict(type='HeightPrior'))

    @torch.no_grad()
    def __call__(self, sample):
        people = sample.gt_instances
        if not len(people):
            return sample
        asked = HumanDataSample(metainfo=dict(ori_shape=sample.ori_shape))
        asked.pred_instances, asked.pred_camera = people, sample.gt_camera
        problem = DTOProblem.from_cached([asked], self.body_model, self.prior)
        self.solver.solve(problem).update([asked], self.body_model)
        sample.gt_camera = asked.pred_camera
        sample.set_metainfo(dict(optimised=asked.optimised, height_deviation=asked.height_deviation))
        return sample
