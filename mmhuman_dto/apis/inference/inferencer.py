"""The one door: anything that holds pictures -> people in metres, by a recipe."""
from itertools import islice

import torch

from mmhuman_dto.dto import count_reasons, counted
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.generation.map_check import findings_of_maps
from mmhuman_dto.generation.pipeline import Clock, Stages
from mmhuman_dto.geometry import project
from mmhuman_dto.perception.keypoint_fit import guessed_intrinsics
from mmhuman_dto.stages import OptimiseTranslations, StageError
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People

from .inputs import is_one, open_photos
from .recipe import recipe_config
from .result import HumanScene

#: The recipe that is used where none is named.
DEFAULT_RECIPE = 'photo'
#: Joints that are put out where the recipe names none.
_JOINT_SET = 'smpl45'
#: What is kept of a sample besides the people.
_KEPT = ('pred_instances', 'pred_camera', 'detected_instances')


class HumanInferencer:
    """People of pictures in metres: body, size and place of everybody, by the stages of a recipe.

    ::

        inferencer = HumanInferencer()
        scene = inferencer('photo.jpg')
        print(scene.people)
        for scene in inferencer(['a.jpg', 'folder', 'video.mp4']):
            print(scene.img_id, scene.error or scene.summary)

    Args:
        recipe: a shipped recipe (``mmhuman-dto --list`` lists them) or a config file of stages, which is what
            ``tools/generate_dto.py`` takes.
        depth: depth map for DTO. None: the recipe's; ``'none'``: without; a network of ``transformers``, folder or name
            on the Hugging Face hub; a folder of files of any depth program (docs/depth.md); config
            of a :class:`~mmhuman_dto.perception.DepthSource`. The terms of a posterior solver follow.
        depth_kind: what the maps hold: ``'disparity'``, ``'depth'`` or ``'metres'``, see
            :data:`mmhuman_dto.perception.depth_kinds.KINDS`; None: what the files or the network say, else a guess that
            is warned of.
        dto: whether people are placed together by DTO; False also leaves out what comes after. None: where ``depth`` is
            given, else as the recipe has it.
        focal: focal length, px of the picture; ``'exif'``: what the file says, where it does; ``'depth'``: that of the
            camera that comes with the depth map, where one does; a JSON file or a config
            of a :class:`~mmhuman_dto.perception.FocalSource`; None: the recipe's. A network's people keep their size in
            the picture and become nearer or farther.
        model, checkpoint, threshold: Metric-Aware HMR config (file or name), weights and confidence of people 0..1, for
            the recipe ``network``; None: the recipe's.
        device: ``'cpu'``, ``'cuda:0'``, ...; None: a GPU where there is one.
        batch_size: pictures that are in memory and go through the stages together.
        allow_urls: whether http(s) addresses of images are fetched.
        options: {dotted key: value} of the recipe's config, as of ``--cfg-options``:
            ``{'stages.depth.source.model': 'my/folder'}``.

    Raises:
        FileNotFoundError: no such recipe, weights or body model; says what to do.
        ConfigError (a ValueError): an argument that the recipe has no use for, or a recipe that cannot work.
        ValueError, WeightsError, CheckpointError: a value that makes no sense, weights that cannot be used.
    """

    def __init__(self, recipe=DEFAULT_RECIPE, depth=None, dto=None, focal=None, model=None, checkpoint=None,
                 threshold=None, device=None, batch_size=4, allow_urls=False, options=None, depth_kind=None):
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, is {batch_size}')
        config = recipe_config(recipe, depth, dto, focal, model, checkpoint, threshold, device, options,
                               depth_kind)
        self.stages = Stages.of(config)
        self.batch_size, self.allow_urls = batch_size, allow_urls
        names = list(config['stages'])
        finding = 1 + max(i for i, stage in enumerate(self.stages.stages) if 'pred_instances' in stage.sets)
        self._finding, self._placing = names[:finding], names[finding:]

    @property
    def body_model(self):
        return self.stages.context.body_model

    def __call__(self, inputs, videos=True):
        """People of one picture, or of many.

        Args:
            inputs, videos: see :func:`~mmhuman_dto.apis.inference.inputs.open_photos`.

        Returns:
            HumanScene: of one picture: a path, address, array, tensor or ``PIL.Image``. Of a folder, a video or any
            collection an iterator of one each, in order, of which at most a batch is in memory; there whatever is
            wrong with a picture is its ``error``.

        Raises:
            ImageError: the one picture cannot be read. StageError: a stage failed on it.
        """
        scenes = self._stream(inputs, videos)
        if not is_one(inputs):
            return scenes
        scene, = scenes
        if scene.error:
            raise ImageError(scene.error) if scene.image is None else StageError('inference', scene.error)
        return scene

    def _stream(self, inputs, videos):
        photos, names = open_photos(inputs, self.allow_urls, videos), OutputNames()
        while batch := list(islice(photos, self.batch_size)):
            yield from self._infer(batch, names)

    def _infer(self, photos, names):
        """A :class:`HumanScene` for each :class:`~.inputs.Photo`."""
        samples = [_sample_of(photo) for photo in photos if not photo.error]
        found = self._run(samples, self._finding)
        placed = self._run([one if isinstance(one, Outcome) else copied(one) for one in found], self._placing)
        results = zip(samples, found, placed)
        for photo in photos:
            if photo.error:
                yield HumanScene(photo.img_id, None, self.body_model, error=photo.error)
            else:
                yield HumanScene(photo.img_id, photo.image, self.body_model, name=names.of(photo.img_id),
                                 **self._result(*next(results)))

    def _run(self, samples, names):
        outcomes = list(samples)
        self.stages.run(outcomes, Clock(), names)
        return outcomes

    def _result(self, sample, found, placed):
        """Fields of the :class:`HumanScene`: from what a picture was, was found to show, and became."""
        if isinstance(found, Outcome):
            if found.kind == 'failed':
                return dict(error=f'{sample.img_path or sample.img_id}: {found.stage}: {found.reason}')
            return dict(sample=self._finished(self._nobody(sample)), note=found.reason)
        if isinstance(placed, Outcome):
            return dict(sample=self._finished(found), note=why_ended(placed))
        if 'initial_instances' not in placed:
            return dict(sample=self._finished(placed))
        before = copied(found)
        before.pred_instances = placed.initial_instances
        odd = [one.text for one in odd_depth(placed, self.stages.stages)]
        note = '; '.join(text for text in (_gone(placed), *odd) if text)
        return dict(sample=self._finished(placed), before=self._finished(before), note=note)

    def _nobody(self, sample):
        size = dict(global_orient=(3, ), body_pose=(self.body_model.num_body_joints, 3),
                    betas=(self.body_model.num_betas, ), transl=(3, ), scores=(), bboxes=(4, ))
        sample.pred_instances = People(num_people=0, **{name: torch.zeros(0, *row) for name, row in size.items()})
        if 'pred_camera' not in sample:
            sample.pred_camera = Camera(intrinsics=guessed_intrinsics(sample.ori_shape))
        return sample

    @torch.no_grad()
    def _finished(self, sample):
        """What is kept of a sample, on the CPU; heights and joints are those of the people as they are now."""
        depth = sample.get('pred_maps', Maps()).get('depth')
        for name in set(sample.keys()) - set(_KEPT):
            delattr(sample, name)
        if depth is not None:
            sample.pred_maps = Maps(depth=depth)
        if 'masks' in sample.get('detected_instances', ()):
            sample.detected_instances = sample.detected_instances[:]
            del sample.detected_instances.masks
        body_model, joint_set = self.body_model, sample.get('joint_set', _JOINT_SET)
        sample = sample.to(body_model.faces.device)
        people = sample.pred_instances
        output = body_model(people.pose, people.betas, people.transl)
        people.heights = body_model.height(people.betas)
        people.keypoints_3d = body_model.select_joints(output, joint_set)
        people.keypoints_2d = project(people.keypoints_3d, sample.pred_camera.intrinsics)
        sample.set_metainfo(dict(body_model=type(body_model).__name__, joint_set=joint_set))
        return sample.to('cpu')


def odd_depth(placed, stages):
    """What is odd about the depth map of a sample that stages have placed: list of
    :class:`~mmhuman_dto.generation.findings.Finding`.

    One picture's order is no proof, what its metres are is told by every person.
    """
    return odd_depths([placed], stages)


def odd_depths(samples, stages):
    """The same of the depth maps of samples together, whose ``pred_maps`` show the meshes, placed or not."""
    placing = next((stage for stage in stages if isinstance(stage, OptimiseTranslations)), None)
    depth = next((stage for stage in stages if 'pred_maps.disparity' in stage.sets), None)
    mapped = [sample for sample in samples if {'disparity', 'id_map'} <= set(sample.get('pred_maps', Maps()).keys())]
    if placing is None or not mapped:
        return []
    found = findings_of_maps(mapped, depth.source.kind, placing.dto.solver)
    return [one for one in found if one.stops or depth.source.kind != 'disparity']


def _sample_of(photo):
    size = photo.image.shape[:2]
    sample = HumanDataSample(metainfo=dict(
        img_id=photo.img_id, img_path=photo.img_path, ori_shape=size, img_shape=size))
    sample.image = photo.image
    return sample


def _gone(placed):
    """Who is not among the people any more, and why; ''."""
    gone = [] if 'drop_reasons' in placed.pred_instances else [reason for _, reason in placed.get('left_out', ())]
    return f'{len(gone)} left out by DTO: {counted(count_reasons(gone))}' if gone else ''


def why_ended(outcome):
    """At which stage and why DTO left the people of a picture as they were, and whom it left out before."""
    reasons = counted(count_reasons(dict(outcome.left_out).values()))
    return f'{outcome.stage}: {outcome.reason}' + (f' ({reasons})' if reasons else '')


def copied(sample):
    """Another sample of the same tensors, whose people can be changed."""
    new = sample.new()
    new.pred_instances = sample.pred_instances[:]
    return new
