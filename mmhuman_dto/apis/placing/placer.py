"""Other programs' results through DTO: read, placed picture by picture, drawn, and written back."""
import json
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.apis.inference.depth import kind_of_source
from mmhuman_dto.apis.inference.inferencer import copied, odd_depth, why_ended
from mmhuman_dto.apis.inference.recipe import recipe_config
from mmhuman_dto.apis.inference.result import HumanScene
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.dto.solvers import PosteriorDTO
from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.generation.pipeline import Clock, Stages
from mmhuman_dto.geometry.trajectories import scaled_poses
from mmhuman_dto.perception.keypoint_fit import GUESSED_FOCAL_STD
from mmhuman_dto.results import Moves, ResultError, open_results, read_results
from mmhuman_dto.results.base import ReaderContext
from mmhuman_dto.results.smpl_family import SmplFamily
from mmhuman_dto.stages import OptimiseTranslations
from mmhuman_dto.stages.base import Context
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import Clip, Maps

from .cameras import Cameras
from .pictures import Pictures
from .report import Report, people_of
from .samples import Samples
from .through_time import ThroughTime, with_all_vertices, with_few_vertices
from .timeline import is_video, timeline

#: Grey of pictures that nobody has.
_PAPER = 235
#: What people have before the stages of the recipe.
_GIVEN = ('image', 'pred_instances', 'pred_camera', 'checked people')


def place(results, images=None, kind=None, depth=None, depth_kind=None, ages=None, masks=None, focal=None,
          body_models=None, dto=True, device=None, options=None, recipe='place', through_time=None, cameras=None,
          fps=None):
    """Place the people of another program's results in metres: :class:`PlacedResults`.

    ::

        placed = place('wham_output.pkl', 'frames', depth='depth_maps', depth_kind='disparity')
        for scene in placed:
            print(scene.img_id, scene.summary)
        placed.write_back('placed')

    Args:
        results: file or folder of the results, see docs/place_formats.md.
        images: folder of the pictures, or the video; None: none are drawn on, and sizes are those that results tell.
        kind: of the results; None: found by looking at them.
        depth: depth maps: a folder of files, a network of ``transformers``, or a config; None: none.
        depth_kind: 'disparity', 'depth' or 'metres': what the maps hold, where their layout does not say.
        ages: JSON file or folder of ages (:class:`~mmhuman_dto.perception.PrecomputedAges`), or a config of a source.
        masks: folder of id maps (:class:`~mmhuman_dto.perception.PrecomputedMasks`), or a config of a source.
        focal: see :class:`~.cameras.Cameras`.
        body_models: folder of SMPL's and SMPL-X's files; None: OpenBody stands in where results have no meshes.
        dto: False only reads, for files in our format and pictures of what was there.
        device, options: as of :class:`~mmhuman_dto.HumanInferencer`. recipe: config of the stages.
        through_time: whether people are placed in all frames of a video together, with one height each; False: each
            frame for itself; None: together where the results number frames and people.
        cameras, fps: of a video, see :func:`~.timeline.timeline`.

    Raises:
        ResultError, BrokenFileError, UnsafeFileError: results that cannot be read; say file, key and what to do.
        FileNotFoundError, ConfigError, ValueError: what else was given does not fit.
    """
    pictures = Pictures(images)
    context = ReaderContext(pictures.size, SmplFamily(body_models))
    if focal == 'depth' and depth in (None, 'none'):
        raise ValueError("focal='depth' is the focal length that comes with depth maps; give depth too")
    reader = open_results(Path(results), kind, context)
    if dto and not reader.before_camera:
        raise ResultError(f'{results}: {reader.kind} has people in a world without a camera, who cannot be placed; '
                          'with dto=False (--no-dto) they are shown and exported as they are')
    found = read_results(reader)
    config = _config(recipe, depth, depth_kind, ages, masks, device, options, reader)
    placed = PlacedResults(reader, found, pictures, config, Cameras(focal), dto)
    if placed.is_video:
        placed.follow(through_time, cameras, fps)
    elif through_time or cameras is not None:
        raise ValueError(f'{results}: has no frames of one video in which people have numbers; through_time and '
                         'cameras (--cameras) are for such')
    return placed


class PlacedResults:
    """The pictures of results, placed as they are asked for, once each; iterating gives a
    :class:`~mmhuman_dto.apis.inference.result.HumanScene` of each.

    Attributes:
        bodies: :class:`~mmhuman_dto.dto.bodies.MeshBodies` of the people.
        results: :class:`~mmhuman_dto.results.Results` that were read. reader: what read them.
        is_video: whether they are frames of a video in which people have numbers. through_time: whether their people
            are placed in all frames together.
        notes: sentences that a user must know.
        name: what files of a whole video are called.
        advance: called for each frame of a video that was looked at, before the first scene comes.
    """

    def __init__(self, reader, results, pictures, config, cameras, dto):
        self.reader, self.results, self.is_video = reader, results, is_video(results)
        self.notes, self.through_time, self.advance = tuple(results.notes), False, lambda: None
        self.name, self._pictures, self._dto = reader.path.stem, pictures, dto
        device = pick_device(config['device'])
        self.bodies = MeshBodies(results.faces)
        context = Context(MeshBodies(results.faces.to(device)), Path(config['data_root']), device)
        self._stages = Stages(config['stages'], context)
        depth = [name for name, stage in config['stages'].items() if stage['type'] == 'AddDepth']
        self._mapping = depth if cameras.needs_maps else []
        self._placing = [name for name in config['stages'] if name not in self._mapping]
        metric = any(kind_of_source(config['stages'][name]['source']) == 'metres' for name in depth)
        self._samples = Samples(reader, results, pictures, cameras, metric, device)
        self._batch, self._names = config['batch_size'], OutputNames()
        self._moves, self._few, self._frames, self._timeline = [], [], None, None
        self._report = Report(reader, results)
        self._scenes = self._each_for_itself()

    def follow(self, through_time=None, cameras=None, fps=None):
        """Know when the frames of a video were taken, and place their people in all of them together, if so asked; see
        :func:`place`."""
        stage = next((stage for stage in self._stages.stages if isinstance(stage, OptimiseTranslations)), None)
        able = self._dto and stage is not None and isinstance(stage.dto.solver, PosteriorDTO)
        if through_time and not able:
            raise ValueError('through_time needs DTO, by the solver PosteriorDTO')
        self.through_time = able if through_time is None else through_time
        if cameras is not None and not self.through_time:
            raise ValueError('cameras (--cameras) are of videos whose people are placed through time')
        self._timeline = timeline(self.results, self._pictures, fps, cameras)
        notes = self._timeline.notes if self.through_time else ()
        self.notes = (*self.notes, *notes)
        if self.through_time:
            self._scenes = self._all_together(ThroughTime(
                self._samples, self._stages, stage, self._mapping, self._batch))

    def __len__(self):
        return len(self.results.images)

    def __iter__(self):
        while (scene := next(self._scenes, None)) is not None:  # it goes on where somebody stopped to ask
            yield scene

    @cached_property
    def clip(self):
        """The :class:`~mmhuman_dto.structures.Clip` of a video's people as they were placed, with few of their
        vertices (:func:`~.through_time.with_few_vertices`)."""
        if self._frames is None:
            self.finish()
        frames = self._few if self._frames is None else [frame.sample for frame in self._frames]
        scales, poses = [sample.camera_scale for sample in frames if 'camera_scale' in sample], None
        # A world of a unit that nobody found is none.
        if not isinstance(self._timeline.cameras, str) and (scales or self._timeline.metric):
            poses = scaled_poses(self._timeline.cameras, float(np.median(scales)) if scales else 1.)
        return Clip.from_samples(frames, self._timeline.times, self.name, camera_poses=poses,
                                 body_model=self.results.body)

    @property
    def times(self):
        """(T) s, of a video's frames."""
        return self._timeline.times

    @cached_property
    def people(self):
        """What is known of each person of a video as a whole: list of dictionaries, as in ``placement.json``."""
        return people_of(self.clip, self.bodies, self.results.frames)

    def finish(self):
        """Place whoever was not placed yet; self."""
        for _ in self:
            pass
        return self

    def write_back(self, out):
        """Write the placed results in their own layout below ``out``: the paths."""
        self.finish()
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        return self.reader.write(out, self._moves)

    def write_report(self, path):
        """Write who is where, how sure that is, and how much each mesh grew, as JSON."""
        self.finish()
        self._report.content.update(notes=list(self.notes), through_time=self.through_time)
        if self.is_video:
            self._report.content['people'] = self.people
        text = json.dumps(self._report.content, indent=1, allow_nan=False) + '\n'
        write_atomically(path, lambda temporary: temporary.write_text(text))

    def _each_for_itself(self):
        """Yield the scenes of pictures that are placed one by one."""
        images = self.results.images
        for start in range(0, len(images), self._batch):  # by index: images may be posed when they are asked for
            yield from self._place(images[start:start + self._batch])

    def _place(self, batch):
        """Scenes of :class:`~mmhuman_dto.results.ImageResult`, whose moves are kept."""
        begun, errors = map(list, zip(*map(self._samples.opened, batch)))
        self._stages.run(begun, Clock(), self._mapping)
        samples = [self._samples.peopled(sample, image, *self._samples.camera(sample, image))
                   for sample, image in zip(begun, batch)]
        ended = [copied(sample) if self._dto and len(sample.pred_instances) else None for sample in samples]
        run = [sample for sample in ended if sample is not None]
        self._stages.run(run, Clock(), self._placing)
        run = iter(run)
        for image, sample, error, after in zip(batch, samples, errors, ended):
            yield self._kept(image, self._scene(sample, None if after is None else next(run), [error]))

    def _all_together(self, solver):
        """Yield the scenes of a video's frames by :class:`ThroughTime`."""
        images = self.results.images
        self._frames = solver(images, self._timeline, self.advance)
        for row, frame in enumerate(self._frames):
            image = images[row]
            before, error = self._samples.opened(image)
            before, after = self._samples.peopled(before, image, *frame.camera), None
            if frame.solved and len(before.pred_instances):
                after = before.new()
                after.set_metainfo(frame.sample.metainfo)
                after.pred_camera = frame.sample.pred_camera
                after.pred_instances = with_all_vertices(frame.sample.pred_instances, before.pred_instances.cpu())
            yield self._kept(image, self._scene(before, after, [*frame.notes, error]))

    def _kept(self, image, scene):
        """The scene, once its moves are kept."""
        moves = _moves(image, scene.sample)
        self._moves.append(moves)
        time = None if self._timeline is None else float(self._timeline.times[len(self._moves) - 1])
        self._report.add(image, scene, moves, time)
        if time is not None and self._frames is None:
            few = scene.sample.new()
            few.pred_instances = with_few_vertices(scene.sample.pred_instances)
            self._few.append(few)
        return scene

    def _scene(self, before, after, notes):
        """:class:`HumanScene` of a sample before and, None where they were not run, after the stages."""
        if isinstance(after, Outcome):
            notes.insert(0, why_ended(after))
            after = None
        elif after is not None and (odd := odd_depth(after, self._stages.stages)):
            refused = any(one.stops for one in odd)
            notes = [('not placed: ' if refused else '') + '; '.join(one.text for one in odd), *notes]
            after = None if refused else after  # distances by a map that cannot be right are nothing to show
        image = before.image if 'image' in before else np.full((*before.ori_shape, 3), _PAPER, np.uint8)
        kept = [None if sample is None else _kept(sample) for sample in (before, after)]
        return HumanScene(before.img_id, image, self.bodies, sample=kept[1] or kept[0],
                          before=kept[0] if kept[1] else None, name=self._names.of(before.img_id),
                          note='; '.join(text for text in notes if text))


def _config(recipe, depth, depth_kind, ages, masks, device, options, reader):
    """The recipe's checked config, with what was given and what is known of the program's meshes."""
    share, std = reader.initial_heights
    added = {'stages.dto.solver.terms.initial': dict(type='InitialTerm', share=share, std=std)}
    if ages is not None:
        source = ages if isinstance(ages, dict) else dict(type='PrecomputedAges', path=str(Path(ages).absolute()))
        added['stages.ages'] = dict(type='AddAges', source=source, before='rasterise')
    if masks is not None:
        source = masks if isinstance(masks, dict) else dict(
            type='PrecomputedMasks', folder=str(Path(masks).absolute()))
        added['stages.masks'] = dict(type='AddMasks', source=source, before='rasterise')
    return recipe_config(recipe, depth, True, device=device, options={**added, **(options or {})},
                         depth_kind=depth_kind, given=_GIVEN)


def _moves(image, sample):
    """:class:`Moves` from the people as they were read to those of a sample."""
    people = sample.pred_instances
    scale = people.get('mesh_scales', torch.ones(len(people))).double()
    shift = people.pelvis.double() - image.people.pelvis.double()
    intrinsics = sample.pred_camera.intrinsics.double()
    same = image.intrinsics is not None and torch.equal(image.intrinsics.float(), intrinsics.float())
    return Moves(shift, scale, None if same else intrinsics)


def _kept(sample):
    """A sample on the CPU with what is shown of it: people, camera, and the depth map in m where there is one."""
    kept = sample.to('cpu')
    depth = kept.pred_maps.get('depth') if 'pred_maps' in kept else None
    for name in set(kept.keys()) - {'pred_instances', 'pred_camera'}:
        delattr(kept, name)
    if depth is not None:
        kept.pred_maps = Maps(depth=depth)
    if kept.focal_source == 'guess' and 'focal_std' not in kept.pred_camera:  # for those who look at it
        kept.pred_camera.focal_std = torch.tensor(GUESSED_FOCAL_STD)
    return kept
