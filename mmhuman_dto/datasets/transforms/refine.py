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

    Loaders of :class:`HumanTable` and :class:`WeightedMixture` hand it whole batches, which is several times faster.

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

    def __call__(self, sample):
        return self.many([sample])[0]

    @torch.no_grad()
    def many(self, samples):
        """The same for a list of samples, solved together."""
        peopled = [sample for sample in samples if len(sample.gt_instances)]
        asked = [HumanDataSample(metainfo=dict(ori_shape=sample.ori_shape)) for sample in peopled]
        for question, sample in zip(asked, peopled):
            question.pred_instances, question.pred_camera = sample.gt_instances, sample.gt_camera
        if asked:
            problem = DTOProblem.from_cached(asked, self.body_model, self.prior)
            self.solver.solve(problem).update(asked, self.body_model)
        for answer, sample in zip(asked, peopled):
            sample.gt_camera = answer.pred_camera
            sample.set_metainfo(dict(optimised=answer.optimised, height_deviation=answer.height_deviation))
        return samples
