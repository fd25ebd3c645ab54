"""The generator's own stages, in the order a recipe names them; each documents what it sets on the samples."""
import copy
import inspect

import torch

from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.datasets.transforms.depth import maps_of, set_disparity
from mmhuman_dto.dto import DropReason, DTOOptimizer
from mmhuman_dto.dto.drawing import LONG_SIDE, draw_meshes
from mmhuman_dto.fitting import MeshConversion
from mmhuman_dto.registry import BODY_MODELS, DTO_SOLVERS, SOURCES, STAGES

from .base import SkipImage, Stage, StageError, check_intrinsics

#: Why an image is left out in which DTO placed nobody; whom it left out for what is said beside it.
NOBODY = 'nobody could be placed'


@STAGES.register_module()
class CheckPeople(Stage):
    """Initial meshes a body can be made of: somebody is there, all values are finite, the focal length is positive.

    Betas with fewer coefficients than the body model's are padded with zeros (10 -> SMPL+A's 11: an adult). Moves the
    sample to the run's device.
    """
    needs, sets = ('pred_instances', 'pred_camera'), ('checked people', )

    def __call__(self, samples):
        return [self._check(sample) for sample in samples]

    def _check(self, sample):
        people = sample.pred_instances
        if len(people) == 0:
            raise StageError(self.name, 'no people')
        for name in ('global_orient', 'body_pose', 'betas', 'transl'):
            if not torch.isfinite(people[name]).all():
                raise StageError(self.name, f'{name} of the initial meshes is not finite')
        check_intrinsics(sample.pred_camera.intrinsics, self.name)
        have, want = people.body_pose.shape[1], self.context.body_model.num_body_joints
        if have != want:
            raise StageError(self.name, f'body_pose has {have} joints, the body model {want}')
        have, want = people.betas.shape[1], self.context.body_model.num_betas
        if have > want:
            raise StageError(self.name, f'{have} shape coefficients, the body model has {want}')
        sample = sample.to(self.context.device)
        sample.pred_instances.betas = torch.nn.functional.pad(sample.pred_instances.betas, (0, want - have))
        return sample


@STAGES.register_module()
class ConvertMeshes(Stage):
    """Turns initial meshes of another body model into meshes of the recipe's: same pose, pelvis and, where it has such
    a body, height (:class:`mmhuman_dto.fitting.MeshConversion`). Put it ``before`` the stage CheckPeople.

    Args:
        meshes_of: config of the body model that the meshes are of, with its files.
    """
    needs = ('pred_instances', )

    def __init__(self, meshes_of):
        self.meshes_of = meshes_of

    def bind(self, context):
        super().bind(context)
        self.convert = MeshConversion(BODY_MODELS.build(self.meshes_of), copy.deepcopy(context.body_model).cpu())

    def __call__(self, samples):
        for sample in samples:
            sample.pred_instances = self.convert(sample.pred_instances)
        return samples


@STAGES.register_module(name='LoadImage')
class LoadImageStage(Stage):
    """The transform :class:`~mmhuman_dto.datasets.transforms.LoadImage` of each sample."""
    sets = ('image', )

    def __call__(self, samples):
        return [LoadImage()(sample) for sample in samples]


class SourceStage(Stage):
    """A stage whose results come from a source.

    Args:
        source: config of a source, see ``SOURCES``; it gets the run's ``data_root``, ``device`` and ``body_model`` if
            it takes them.
    """
    batched = True

    def __init__(self, source):
        self.config = source

    def bind(self, context):
        super().bind(context)
        taken = inspect.signature(SOURCES.get(self.config['type'])).parameters
        offered = dict(data_root=context.data_root, device=context.device, body_model=context.body_model)
        self.source = SOURCES.build(
            self.config, default_args={name: value for name, value in offered.items() if name in taken})

    def __call__(self, samples):
        return [self._outcome(sample, result) for sample, result in zip(samples, self._ask(samples), strict=True)]

    def _outcome(self, sample, result):
        """The sample, or the exception for which it is left out while the others of its batch go on."""
        try:
            self._set(sample, result)
        except (SkipImage, StageError) as exception:
            return exception
        return sample

    def _ask(self, samples):
        return self.source(samples)

    def _check_size(self, sample, values):
        if tuple(values.shape) != tuple(sample.ori_shape):
            raise StageError(self.name, f'the source gave {tuple(values.shape)} for an image of {sample.ori_shape}')


@STAGES.register_module()
class AddDepth(SourceStage):
    """The transform :class:`~mmhuman_dto.datasets.transforms.AddDisparity` of each sample, on the run's device.

    Metainfo ``depth_focal`` is the focal length that came with the map, px; nan where none did.
    """
    needs, sets = ('image', ), ('pred_maps.disparity', 'depth_focal')

    def _ask(self, samples):
        return self.source.with_focals(samples)

    def _set(self, sample, result):
        disparity, focal = result
        set_disparity(sample, disparity.to(self.context.device))
        sample.set_metainfo(dict(depth_focal=focal))


@STAGES.register_module()
class AddMasks(SourceStage):
    """Sets ``pred_maps.segmentation`` (0 nobody, i + 1 person i) from a mask source."""
    needs, sets = ('image', 'pred_instances'), ('pred_maps.segmentation', )

    def _set(self, sample, ids):
        self._check_size(sample, ids)
        maps_of(sample).segmentation = ids.to(self.context.device)


@STAGES.register_module()
class AddAges(SourceStage):
    """Sets ``ages`` (years) and ``male_probs`` of the people from an age source."""
    needs, sets = ('pred_instances', ), ('pred_instances.ages', )

    def _set(self, sample, result):
        people = sample.pred_instances
        people.ages, people.male_probs = (value.to(self.context.device) for value in result)


@STAGES.register_module()
class RasteriseMeshes(Stage):
    """Sets ``pred_maps.id_map``, ``.z_map`` and ``visible_vertices`` from the initial meshes; the nearest mesh wins.

    Where a segmentation is given, a pixel is a person's only if it says so too.

    Args:
        long_side: meshes are drawn with this many pixels at most along the longer side (px), then enlarged (nearest).
    """
    batched = True
    needs, sets = ('image', 'checked people'), ('pred_maps.id_map', )

    def __init__(self, long_side=LONG_SIDE):
        self.long_side = long_side

    def __call__(self, samples):
        for sample in samples:
            maps_of(sample)
        draw_meshes(samples, [sample.ori_shape for sample in samples], self.context.body_model, self.long_side)
        return samples


@STAGES.register_module()
class OptimiseTranslations(Stage):
    """DTO on a batch of images, see :class:`mmhuman_dto.dto.DTOOptimizer`.

    Afterwards ``pred_instances`` holds the people with evidence, placed, and ``initial_instances`` everybody before;
    metainfo has ``optimised``, ``height_deviation`` and ``left_out``: (row of ``initial_instances``,
    :class:`mmhuman_dto.dto.DropReason`) of each one without evidence. An image that loses everyone is left out, unless
    ``keep_dropped``. A depth map is needed unless the solver does without.

    Args:
        solver, prior, evidence: of :class:`mmhuman_dto.dto.DTOOptimizer`.
        keep_evidence: whether people keep theirs (``dto_evidence``), so that the transform ``RefineTranslations`` can
            place them again without maps.
        keep_dropped: whether people without evidence stay, as they were, with the reason in ``drop_reasons``; they are
            no meshes to train on (``has_mesh``).
        keep_depth: whether ``pred_maps.depth`` is what the depth map says in metres once people are placed, where the
            solver asked one.

    Raises:
        ValueError: both ``keep_evidence`` and ``keep_dropped``.
    """
    batched = True
    needs, sets = ('pred_maps.id_map', ), ('optimised', 'initial_instances')

    def __init__(self, solver, prior=None, evidence=None, keep_evidence=False, keep_dropped=False,
                 keep_depth=False):
        if keep_evidence and keep_dropped:
            raise ValueError('keep_evidence=True needs keep_dropped=False: dropped people have no evidence')
        self.dto = DTOOptimizer(solver, prior, evidence)
        self.keep_evidence, self.keep_dropped, self.keep_depth = keep_evidence, keep_dropped, keep_depth

    @classmethod
    def needs_of(cls, config):
        solver = DTO_SOLVERS.build(config['solver'])
        return cls.needs + (('pred_maps.disparity', ) if getattr(solver, 'depth', 'needed') == 'needed' else ())

    def __call__(self, samples):
        result = self.dto.solve(samples, self.context.body_model)
        if result.failed is not None and result.failed.any():
            raise StageError(self.name, 'the solver has no solution: what is known of the people is not finite')
        for sample, reasons in zip(samples, result.problem.drop_reasons):
            sample.set_metainfo(dict(left_out=tuple(
                (row, DropReason(code)) for row, code in enumerate(reasons.tolist()) if code != DropReason.KEPT)))
        placed = result.apply(samples, self.context.body_model, self.keep_dropped)
        for scene, (before, after) in enumerate(zip(samples, placed)):
            after.initial_instances = before.pred_instances
            if self.keep_dropped:
                after.pred_instances.has_mesh = after.pred_instances.drop_reasons == DropReason.KEPT
            if self.keep_evidence:
                after.pred_instances.dto_evidence = result.problem.cached(scene)
            if self.keep_depth:
                _keep_depth(after, result, scene)
        return [after if len(after.pred_instances) else SkipImage(NOBODY) for after in placed]


def _keep_depth(sample, result, scene):
    """Set ``pred_maps.depth`` (H, W) float32, m, of a placed sample that has a depth map, in maps of its own."""
    maps = sample.get('pred_maps', {})
    depth = result.metres(scene, maps.disparity) if 'disparity' in maps else None
    if depth is not None:
        sample.pred_maps = maps.new()
        sample.pred_maps.depth = depth.float()


@STAGES.register_module()
class KeepOptimised(Stage):
    """Leaves out images that were not optimised or whose people end up far from the height prior.

    Args:
        max_deviation: an image is kept while its mean height deviation is below this (prior standard deviations).
    """
    needs = ('optimised', )

    def __init__(self, max_deviation=1.5):
        self.max_deviation = max_deviation

    def __call__(self, samples):
        for sample in samples:
            if not sample.optimised:
                raise SkipImage('not optimised')
            if not sample.height_deviation < self.max_deviation:
                raise SkipImage(f'height deviation >= {self.max_deviation}')
        return samples
