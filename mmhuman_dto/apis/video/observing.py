"""What single frames of a video show: people, joints, bodies fitted to them, and what depth maps say."""
import math
from itertools import islice

import numpy as np
import torch

from mmhuman_dto.dto import DTOProblem, EvidenceExtractor
from mmhuman_dto.generation.pipeline import Clock
from mmhuman_dto.stages import StageError
from mmhuman_dto.stages.isolation import Outcome
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tracking import colour_histograms
from mmhuman_dto.tracking.cuts import CutDetector

#: Fields of the meshes that are kept, and of detections.
_MESH = ('global_orient', 'body_pose', 'betas', 'transl', 'depths_std', 'sizes_std')
_FOUND = ('bboxes', 'scores', 'keypoints_2d', 'keypoints_2d_valid')
#: Frames before a file's first one with which it is told whether a shot begins there.
BEFORE = 8


class Observer:
    """Runs a recipe's stages up to its meshes, and its depth maps, on frames in their order.

    Args:
        stages: :class:`~mmhuman_dto.generation.pipeline.Stages`. names: of those that are run.
        evidence: arguments of :class:`EvidenceExtractor`; None: there are no depth maps.
        batch_size: frames that go through the stages together.
    """

    def __init__(self, stages, names, evidence, batch_size):
        self.stages, self.names, self.batch_size = stages, names, batch_size
        self.evidence = None if evidence is None else EvidenceExtractor(**evidence)

    def __call__(self, name, frames, before=(), advance=lambda: None):
        """Look at frames, (number, time, image), which follow each other.

        Args:
            name: of the video. before: images of the frames before the first.

        Returns:
            tuple: list of {field: array (N, ...)} of each frame, {} of nobody; numbers of the frames, {name: array};
            what went wrong with frames, [(number, why)].
        """
        self._forget()
        frames, detector, found, failed = iter(frames), CutDetector(), [], []
        numbers = dict(times=[], cuts=[], focal=[], focal_std=[])
        for image in before:
            detector.add(image)
        while batch := list(islice(frames, self.batch_size)):
            cuts, images = [detector.add(image) for _, _, image in batch], [image for _, _, image in batch]
            samples = [self._sample(name, number, image, cut) for (number, _, image), cut in zip(batch, cuts)]
            self.stages.run(samples, Clock(), self.names)
            for (number, time, _), cut, sample in zip(batch, cuts, samples):
                if isinstance(sample, Outcome) and sample.kind == 'failed':
                    failed.append((number, f'{sample.stage}: {sample.reason}'))
                for values, value in zip(numbers.values(), (time, cut, *self._focal(sample))):
                    values.append(value)
                advance()
            evidence = self._evidence([sample for sample in samples if not isinstance(sample, Outcome)])
            found += [{} if isinstance(sample, Outcome) else self._people(sample, image, evidence)
                      for sample, image in zip(samples, images)]
        return found, {field: np.array(values) for field, values in numbers.items()}, failed

    def look(self, number, image):
        """({field: array (N, ...)}, numbers) of the next frame of a camera, by its number; {} of nobody.

        Raises:
            StageError: it failed.
        """
        if number == 0:
            self._forget()
        samples = [self._sample('camera', number, image, number == 0)]
        self.stages.run(samples, Clock(), self.names)
        sample, = samples
        numbers = dict(zip(('focal', 'focal_std'), np.array(self._focal(sample))[:, None]))
        if isinstance(sample, Outcome):
            if sample.kind == 'failed':
                raise StageError(sample.stage, sample.reason)
            return {}, numbers
        return self._people(sample, image, self._evidence([sample])), numbers

    def _forget(self):
        """Sources that go from frame to frame begin anew, so that files of frames do not depend on those before."""
        for stage in self.stages.stages:
            forget = getattr(getattr(stage, 'source', None), 'forget', None)
            if forget is not None:
                forget()

    @staticmethod
    def _focal(sample):
        """(focal length, px, std of its logarithm) that a frame knows; nan where it is a guess or nobody is there."""
        if isinstance(sample, Outcome) or sample.get('focal_source', 'guess') == 'guess':
            return math.nan, math.nan
        return float(sample.pred_camera.intrinsics[1, 1]), float(sample.pred_camera.get('focal_std', 0.))

    @staticmethod
    def _sample(name, number, image, cut):
        size = image.shape[:2]
        sample = HumanDataSample(metainfo=dict(img_id=f'{name}/{number:06d}', img_path='', ori_shape=size,
                                               img_shape=size, frame=number, shot_start=cut))
        sample.image = image
        return sample

    def _evidence(self, samples):
        """Iterator of ``dto_evidence`` of the samples that have depth maps; None where no maps are looked at."""
        if self.evidence is None or not samples:
            return None
        bodies = self.stages.context.body_model
        problem = DTOProblem.from_samples(samples, bodies, evidence=self.evidence, depth='used')
        rows = []
        for scene, sample in enumerate(samples):
            values = torch.full((len(sample.pred_instances), problem.cached(scene).shape[-1]), torch.nan)
            values[problem.person_index[scene][problem.mask[scene]].cpu()] = problem.cached(scene).cpu()
            rows.append(values)
        return iter(rows)

    def _people(self, sample, image, evidence):
        people, found = sample.pred_instances.cpu(), sample.get('detected_instances', {})
        fields = {field: people[field] for field in _MESH if field in people}
        fields |= {field: (found if field in found else people)[field] for field in _FOUND
                   if field in found or field in people}
        fields['heights'] = self.stages.context.body_model.height(sample.pred_instances.betas)
        arrays = {field: values.cpu().float().numpy() for field, values in fields.items()}
        if 'keypoints_2d' in arrays:
            joints = (arrays[field] for field in ('keypoints_2d', 'keypoints_2d_valid', 'bboxes'))
            arrays['colours'] = colour_histograms(image, *joints).astype(np.float32)
        if evidence is not None:
            arrays['dto_evidence'] = next(evidence).numpy()
        return arrays


