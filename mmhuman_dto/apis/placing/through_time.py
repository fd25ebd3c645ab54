"""A video's people placed together: what each frame says of them is gathered, then all frames are solved at once."""
from dataclasses import dataclass, field

import torch

from mmhuman_dto.apis.inference.inferencer import copied, odd_depths, why_ended
from mmhuman_dto.dto import DropReason, DTOProblem
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.dto.problem import CACHED, STATISTICS
from mmhuman_dto.dto.temporal import ClipOptimizer, TemporalDTO
from mmhuman_dto.generation.pipeline import Clock
from mmhuman_dto.results import ResultError
from mmhuman_dto.stages.dto import RasteriseMeshes
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import HumanDataSample

from .cameras import refocused

#: About so many vertices of each mesh are kept for a whole video: they tell its middle and where its feet are.
FEW = 150
#: Where more than this share of the depth maps cannot be what they are taken for, nobody is placed.
_MOST_REFUSED = .5
_NO_SOLUTION = 'the solver has no solution: what is known of the people is not finite'


@dataclass
class Frame:
    """What is kept of a frame of a video.

    Attributes:
        sample: people with few vertices, as they were, with ``dto_evidence``, and their camera; once solved, placed.
        camera: (intrinsics (3, 3) float64, what is said of them) before solving.
        notes: what went wrong with it.
        refused: whether its depth map cannot be what it is taken for.
        solved: whether its people may have moved.
    """
    sample: HumanDataSample
    camera: tuple = ()
    notes: list = field(default_factory=list)
    refused: bool = False
    solved: bool = True

    def refuse_map(self, odd):
        """Note what is odd about the depth maps, and forget what they said where they cannot be right."""
        self.refused = any(one.stops for one in odd)
        self.notes += [('depth map not used: ' if one.stops else '') + one.text for one in odd]
        if self.refused:
            self.sample.pred_instances.dto_evidence[:, [CACHED.index(name) for name in STATISTICS]] = torch.nan


class ThroughTime:
    """Places the people of results that are frames of a video, one height a person.

    Memory is that of the frames' people with few of their vertices; pictures and maps go as they come.

    Args:
        samples: :class:`~.samples.Samples`. stages: :class:`~mmhuman_dto.generation.pipeline.Stages`.
        dto: the stage OptimiseTranslations among them, in whose place videos are solved.
        mapping: names of the stages that make depth maps, where a camera comes with these; else none.
        batch: frames that go through the stages together.
    """

    def __init__(self, samples, stages, dto, mapping, batch):
        self._samples, self._stages, self._dto, self._mapping, self._batch = samples, stages, dto, mapping, batch
        before = stages.stages[:stages.stages.index(dto)]
        self._names = [stage.name for stage in before if stage.name not in mapping]
        self._looks = any('image' in stage.needs for stage in before if not isinstance(stage, RasteriseMeshes))

    def __call__(self, images, timeline, advance=lambda: None):
        """A solved :class:`Frame` of each image result.

        Args:
            images: sequence of :class:`~mmhuman_dto.results.ImageResult`. timeline: :class:`~.timeline.Timeline`.
            advance: called for each that was looked at.

        Raises:
            ResultError: two people of a frame have one number.
        """
        frames = []
        for start in range(0, len(images), self._batch):
            for frame in self._gathered(images[start:start + self._batch]):
                frames.append(frame)
                advance()
        if self._mapping:
            _with_one_focal(frames)
        maps = sum('depth_focal' in frame.sample for frame in frames)
        if sum(frame.refused for frame in frames) > _MOST_REFUSED * maps:
            for frame in frames:
                frame.solved = False
            return frames
        optimizer = ClipOptimizer(TemporalDTO(still=self._dto.dto.solver), self._dto.dto.prior)
        bodies = MeshBodies(self._stages.context.body_model.faces.cpu())
        with torch.no_grad():
            placed = optimizer([frame.sample for frame in frames], timeline.times, bodies, timeline.cameras,
                               timeline.metric)
            for frame, sample in zip(frames, placed):
                frame.sample = sample
                if len(sample.pred_instances) and sample.pred_instances.depths_std.isnan().all():
                    frame.solved = False
                    frame.notes.append(_NO_SOLUTION)
        return frames

    def _gathered(self, images):
        """A :class:`Frame` of each of some image results, before solving."""
        begun = [self._samples.opened(image, self._looks)[0] for image in images]
        self._stages.run(begun, Clock(), self._mapping)
        cameras = [self._samples.camera(sample, image) for sample, image in zip(begun, images)]
        samples = [self._samples.peopled(sample, image, *camera)
                   for sample, image, camera in zip(begun, images, cameras)]
        for sample in samples:
            _check_numbers(sample)
        run = [copied(sample) for sample in samples if len(sample.pred_instances)]
        self._stages.run(run, Clock(), self._names)
        whole = [sample for sample in run if not isinstance(sample, Outcome)]
        odd, evidence, run = odd_depths(whole, self._stages.stages), iter(self._evidence(whole)), iter(run)
        ended = [next(run) if len(sample.pred_instances) else sample for sample in samples]
        frames = [self._frame(sample, result, evidence) for sample, result in zip(samples, ended)]
        for frame, camera in zip(frames, cameras):
            frame.camera = camera
            if 'depth_focal' in frame.sample:
                frame.refuse_map(odd)
        return frames

    def _evidence(self, samples):
        """``dto_evidence`` (N, E) of the people of samples with maps."""
        if not samples:
            return []
        dto = self._dto.dto
        with torch.no_grad():
            problem = DTOProblem.from_samples(samples, self._stages.context.body_model, dto.prior, dto.evidence,
                                              'unused' if dto.solver.depth == 'unused' else 'used')
        rows = [_unknown(sample) for sample in samples]
        for scene, values in enumerate(rows):
            values[problem.person_index[scene][problem.mask[scene]].cpu()] = problem.cached(scene).cpu()
        return rows

    @staticmethod
    def _frame(sample, ended, evidence):
        notes, rows = [], _unknown(sample)
        if isinstance(ended, Outcome):
            notes.append(why_ended(ended))
            ended = sample
        elif len(sample.pred_instances):
            rows = next(evidence)
        people = with_few_vertices(ended.pred_instances)
        if 'visible_vertices' in people:
            del people.visible_vertices
        people.dto_evidence = rows.to(people.pelvis)
        kept = ended.new()
        for name in set(kept.keys()) - {'pred_instances', 'pred_camera'}:
            delattr(kept, name)
        kept.pred_instances = people
        return Frame(kept.to('cpu'), notes=notes)


def with_few_vertices(people):
    """:class:`People` with about :data:`FEW` of their vertices, evenly along the mesh; one of a mesh that is not finite
    is nan."""
    people, vertices = people[:], people.vertices
    few = vertices[:, ::max(1, vertices.shape[1] // FEW)].clone()
    few[~vertices.isfinite().all(-1).all(-1)] = torch.nan
    people.set_field(few, 'vertices')
    return people


def with_all_vertices(placed, people):
    """Placed :class:`People` of few vertices with all of them; ``people``: the same as they were."""
    moved, start = placed[:], people.pelvis.double()
    scale = placed.mesh_scales.double()[:, None, None]
    vertices = (people.vertices.double() - start[:, None]) * scale + placed.pelvis.double()[:, None]
    stays = placed.drop_reasons != DropReason.KEPT
    vertices = torch.where(stays[:, None, None], people.vertices, vertices.to(people.vertices.dtype))
    moved.set_field(vertices, 'vertices')
    return moved


def _unknown(sample):
    """``dto_evidence`` of people of whom nothing is seen."""
    return torch.full((len(sample.pred_instances), len(CACHED)), torch.nan)


def _check_numbers(sample):
    people = sample.pred_instances
    numbers = people.track_ids.tolist() if 'track_ids' in people else []
    if len(set(numbers)) < len(numbers):
        raise ResultError(f'{sample.img_id}: two people of one number among {numbers}; with through_time=False '
                          '(--frame-by-frame) frames are placed each for itself')


def _with_one_focal(frames):
    """Let all frames have the focal length in the middle of those that came with their depth maps."""
    focal = torch.stack([frame.camera[0][[0, 1], [0, 1]] for frame in frames]).median(0).values
    for frame in frames:
        old, source = frame.camera
        new = old.clone()
        new[[0, 1], [0, 1]] = focal
        frame.camera = new, source
        frame.sample.pred_instances = refocused(frame.sample.pred_instances, old, new)
        frame.sample.pred_camera.intrinsics = new.float()
