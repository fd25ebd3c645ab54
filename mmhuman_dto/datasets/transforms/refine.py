"""Annotated people placed together by DTO as they are loaded."""
import torch

from mmhuman_dto.dto import DTOOptimizer
from mmhuman_dto.registry import BODY_MODELS, TRANSFORMS
from mmhuman_dto.structures import HumanDataSample


@TRANSFORMS.register_module()
class RefineTranslations:
    """Move the people of ``gt_instances`` by DTO (:class:`mmhuman_dto.dto.DTOOptimizer`), on evidence kept with them.

    Needs ``dto_evidence`` (the stage ``OptimiseTranslations`` keeps it with ``keep_evidence=True``), global_orient,
    body_pose, betas and transl of ``gt_instances``, ``gt_camera`` and metainfo ``ori_shape``, all of the original
    image: put it before resizing, and before JointsFromMeshes. Sets ``betas``, ``transl``, ``heights``, what the solver
    states of their uncertainty, the camera if the solver changes it, and metainfo ``optimised`` and
    ``height_deviation``. Everybody stays, see ``keep_dropped`` of
    :meth:`mmhuman_dto.dto.DTOResult.apply`.

    Loaders of :class:`HumanTable` and :class:`WeightedMixture` hand it whole batches, which is several times faster.

    Args:
        body_model: config of the body model that the meshes are of.
        solver, prior: of :class:`mmhuman_dto.dto.DTOOptimizer`.

    Raises:
        ValueError: people without evidence.
    """

    def __init__(self, body_model, solver, prior=None):
        self.body_model, self.dto = BODY_MODELS.build(body_model), DTOOptimizer(solver, prior)

    def __call__(self, sample):
        return self.many([sample])[0]

    @torch.no_grad()
    def many(self, samples):
        """The same for a list of samples, solved together."""
        peopled = [sample for sample in samples if len(sample.gt_instances)]
        if not peopled:
            return samples
        for sample in peopled:
            self.body_model.check_meshes_of(sample.get('body_model'), sample.get('img_id', 'sample'))
        asked = [HumanDataSample(metainfo=dict(ori_shape=sample.ori_shape), pred_instances=sample.gt_instances,
                                 pred_camera=sample.gt_camera) for sample in peopled]
        for sample, placed in zip(peopled, self.dto(asked, self.body_model, keep_dropped=True)):
            sample.gt_instances, sample.gt_camera = placed.pred_instances, placed.pred_camera
            sample.set_metainfo(dict(optimised=placed.optimised, height_deviation=placed.height_deviation))
        return samples
