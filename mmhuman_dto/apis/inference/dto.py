"""DTO after the network: everybody placed together, from a depth map and the prior of how tall people are."""
from pathlib import Path

import torch
from mmengine.config import Config

from mmhuman_dto.engine.model import DEFAULT_DTO
from mmhuman_dto.fileio.bundled import BUNDLED, find_config
from mmhuman_dto.generation.pipeline import Clock, Stages
from mmhuman_dto.geometry import project
from mmhuman_dto.stages import check_needs, checked_config
from mmhuman_dto.stages.base import Context
from mmhuman_dto.stages.isolation import Outcome

#: Stages of a recipe that are not run: pictures are read and meshes made before, and every result is kept.
_LEFT_OUT = ('LoadImage', 'AddFocal', 'AddMeshes', 'KeepOptimised')
#: What samples have before the stages, and must have after them.
_GIVEN, _WANTED = ('image', 'pred_instances', 'pred_camera'), ('initial_instances', )


class DTOInferencer:
    """People of pictures by a network, before and after DTO.

    ::

        people = MetricHMRInferencer('vit-tiny_synthetic-crowd')
        inferencer = DTOInferencer(people, 'configs/dto/paper_synthetic-crowd.py')

    Args:
        people: :class:`~mmhuman_dto.apis.inference.MetricHMRInferencer`, which gives the meshes.
        config: a DTO recipe: file, or name of a shipped one, of which all is used but pictures and meshes. One that
            starts from photos detects people too, and places those who are detected and have a mesh.
        depth: config of a :class:`~mmhuman_dto.perception.DepthSource`; None: the recipe's.
        masks, ages: configs of a mask and an age source. None: those of recipes that start from photos; of others none,
            for theirs belong to the meshes they start from. Without, the meshes' silhouettes are the masks, and ages
            and sexes are unknown.
        data_root: folder that file names of sources are relative to; None: the recipe's.

    Raises:
        ConfigError: a recipe with keys that mean nothing, or without a stage that is needed.
    """

    def __init__(self, people, config=DEFAULT_DTO, depth=None, masks=None, ages=None, data_root=None):
        self.people = people
        recipe = checked_config(Config.fromfile(find_config(config)).to_dict())
        root = Path(recipe['data_root'] if data_root is None else data_root)
        if not root.exists():
            root = BUNDLED / root
        context = Context(people.body_model, root, people.body_model.faces.device)
        sources = dict(AddDepth=depth, AddMasks=masks, AddAges=ages)
        self.stages = Stages(_chosen(recipe['stages'], sources), context)

    @property
    def body_model(self):
        return self.people.body_model

    def __call__(self, inputs):
        """Yield an :class:`Inference` with ``sample`` and ``placed`` for each picture; see
        :meth:`MetricHMRInferencer.__call__`."""
        for batch in self.people.batches(inputs):
            placed = iter(self._place([result for result in batch if not result.error]))
            for result in batch:
                yield result if result.error else _with_placed(result, next(placed))

    def _place(self, results):
        """What the stages make of each result's sample, or the :class:`Outcome` that it ended in."""
        outcomes = [_sample_with_image(result) for result in results]
        self.stages.run(outcomes, Clock())
        return [outcome if isinstance(outcome, Outcome) else self._finish(outcome) for outcome in outcomes]

    @torch.no_grad()
    def _finish(self, sample):
        """What is kept of a placed sample; its joints follow the people."""
        people = sample.pred_instances
        people.person_index = sample.initial_instances.person_index[people.person_index]
        output = self.body_model(people.pose, people.betas, people.transl)
        people.keypoints_3d = self.body_model.select_joints(output, sample.joint_set)
        people.keypoints_2d = project(people.keypoints_3d, sample.pred_camera.intrinsics)
        for name in set(sample.keys()) - {'pred_instances', 'pred_camera'}:
            delattr(sample, name)
        return sample.to('cpu')


def _chosen(recipe, sources):
    """{name: config} of the stages that are run, with the given sources in place of the recipe's."""
    from_photos = any(stage['type'] == 'AddMeshes' for stage in recipe.values())
    left_out = _LEFT_OUT if from_photos else (*_LEFT_OUT, 'AddMasks', 'AddAges')
    stages = {name: stage for name, stage in recipe.items() if stage['type'] not in left_out}
    given = {kind: dict(type=kind, source=source) for kind, source in sources.items() if source is not None}
    kinds = {stage['type'] for stage in stages.values()}
    chosen = {}
    for name, stage in stages.items():
        if stage['type'] == 'RasteriseMeshes':
            chosen.update({kind: given[kind] for kind in given.keys() - kinds})
        chosen[name] = given.get(stage['type'], stage)
    check_needs(chosen, _GIVEN, _WANTED)
    return chosen


def _sample_with_image(result):
    sample = result.sample.new()
    sample.image = result.image
    # Matching may leave people out.
    sample.pred_instances = sample.pred_instances[:]
    sample.pred_instances.person_index = torch.arange(len(sample.pred_instances))
    return sample


def _with_placed(result, outcome):
    if isinstance(outcome, Outcome):
        return result._replace(note=f'DTO: {outcome.reason}')
    return result._replace(placed=outcome)
