"""Whether meshes, cameras and maps can be what they are taken for, by a few images, before all are worked on.

Most mistakes with inputs (units, axes, degrees, depth for disparity) are finite numbers that no stage refuses. They are
told here in a sentence each, with the likely cure.
"""
import itertools
from collections import Counter

import torch

from mmhuman_dto.datasets.image_folders import spread
from mmhuman_dto.dto import DTOProblem, count_reasons, counted
from mmhuman_dto.stages.dto import OptimiseTranslations
from mmhuman_dto.stages.isolation import Outcome

from .findings import FEW, MOST, Finding
from .map_check import Options, findings_of_files, findings_of_maps
from .mesh_check import findings_of_meshes
from .pipeline import Clock

#: Images that are tried.
IMAGES = 8


def check_inputs(pipeline, count):
    """Try some of the first ``count`` images of a :class:`StagePipeline`, up to DTO: list of :class:`Finding`."""
    rows, stages = spread(count, IMAGES), pipeline.stages.stages
    samples = [pipeline.read(row) for row in rows]
    names = [stage.name for stage in itertools.takewhile(lambda one: not isinstance(one, OptimiseTranslations), stages)]
    pipeline.stages.run(samples, Clock(), names)
    outcomes = [sample for sample in samples if isinstance(sample, Outcome)]
    samples = [one for one in samples if not isinstance(one, Outcome) and len(one.get('pred_instances', ()))]
    if not samples:
        return finding_of_failures(outcomes, len(rows))
    found = findings_of_meshes(samples, pipeline.body_model)
    placing = next((stage for stage in stages if isinstance(stage, OptimiseTranslations)), None)
    if placing is None:
        return found
    mapped = [sample for sample in samples if 'disparity' in sample.get('pred_maps', ())]
    if mapped:
        depth = next((stage for stage in stages if 'pred_maps.disparity' in stage.sets), None)
        found += findings_of_files(mapped, depth)
        if not any(one.stops for one in found):  # maps are judged by meshes that can be right
            found += findings_of_maps(mapped, depth.source.kind, placing.dto.solver, Options.of_stage(depth))
    # What has a cause of its own is said once.
    return found if any(one.stops for one in found) else [
        *found, *finding_of_people(samples, placing.dto, pipeline.body_model)]


def finding_of_people(samples, dto, body_model):
    """Whether DTO would leave out most people, and why: list of :class:`Finding`."""
    depth = getattr(dto.solver, 'depth', 'needed')
    problem = DTOProblem.from_samples(samples, body_model, dto.prior, dto.evidence, depth)
    reasons = torch.cat(problem.drop_reasons).tolist()
    gone = count_reasons(reasons)
    number = sum(gone.values())
    if not number or number / len(reasons) < MOST:
        return []
    return [Finding(f'DTO leaves out {number} of the {len(reasons)} people in {len(samples)} images tried: '
                    f'{counted(gone)}', number == len(reasons) >= FEW)]


def finding_of_failures(outcomes, count):
    """Whether all of ``count`` images tried fail: list of :class:`Finding`."""
    failed = [outcome for outcome in outcomes if outcome.kind == 'failed']
    if len(failed) < count or count < FEW:
        return []
    stage, number = Counter(outcome.stage for outcome in failed).most_common(1)[0]
    first = next(outcome for outcome in failed if outcome.stage == stage)
    return [Finding(f'all {count} images tried fail, {number} of them in the stage {stage}: {first.image}: '
                    f'{first.reason}', True)]


