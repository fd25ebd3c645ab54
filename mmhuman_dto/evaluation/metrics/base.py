"""What the metrics of the public data sets share: one record an image, predictions by their confidence, bodies."""
from abc import abstractmethod

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from mmhuman_dto.evaluation.functional.bodies import MIN_SCORE, Bodies
from mmhuman_dto.geometry.camera import resize_intrinsics
from mmhuman_dto.registry import BODY_MODELS


class PeopleMetric(BaseMetric):
    """One record an image.

    Args:
        parity: compute exactly what the public evaluator of MA-HMR computes, with its quirks (docs/evaluation.md);
            False: the definition.
        threshold: predictions count from above this score.
        long_side: pixels are those of images resized to this long side, as in the public evaluators, which look at what
            the published networks see (1288); None: those of the original images. Samples then need ``img_shape``.
    """

    def __init__(self, parity=False, threshold=MIN_SCORE, long_side=None, collect_device='cpu', prefix=None):
        super().__init__(collect_device, prefix)
        self.parity, self.threshold, self.long_side = parity, threshold, long_side

    def process(self, data_batch, data_samples):
        samples = data_samples if self.long_side is None else (resized(s, self.long_side) for s in data_samples)
        self.results.extend(self.record(sample) for sample in samples)

    @abstractmethod
    def record(self, sample):
        """Arrays of one sample (a dict) that :meth:`compute_metrics` pools."""

    def confident(self, people):
        """Rows (N,) bool of the predictions that count."""
        return as_numpy(people['scores']) > self.threshold


class BodyMetric(PeopleMetric):
    """A metric over posed bodies.

    Args:
        body_model: config of the body model of predictions, and of the truth.
        gendered: configs ``dict(male=..., female=...)`` of the truth's body models where it has genders (3DPW, Hi4D);
            the truth then needs the field ``male_probs``, 1 male, 0 female.
        **kwargs: of :class:`PeopleMetric`.
    """
    #: Joint set to regress from the vertices of :class:`Bodies`, or None.
    regressed = None

    def __init__(self, body_model, gendered=None, **kwargs):
        super().__init__(**kwargs)
        self.body_model = BODY_MODELS.build(body_model)
        self.gendered = {name: BODY_MODELS.build(config) for name, config in (gendered or {}).items()}

    def predicted(self, sample):
        """:class:`Bodies` of the predictions that count."""
        people = sample['pred_instances']
        return self._bodies(self.body_model, people, self.confident(people), sample['pred_camera'])

    def annotated(self, sample):
        """:class:`Bodies` of the truth."""
        people, camera = sample['gt_instances'], sample['gt_camera']
        for body_model in self.gendered.values() or (self.body_model, ):
            body_model.check_meshes_of(sample.get('body_model'), f'{sample.get("img_id", "sample")}, the truth')
        if not self.gendered:
            return self._bodies(self.body_model, people, slice(None), camera)
        if 'male_probs' not in people:
            raise KeyError("gendered body models need the truth's field 'male_probs'; "
                           f'its fields: {", ".join(people)}')
        male = as_numpy(people['male_probs']) >= .5
        men, women = (self._bodies(self.gendered[name], people, rows, camera)
                      for name, rows in (('male', male), ('female', ~male)))
        order = np.argsort(np.argsort(~male, kind='stable'))
        return Bodies(**{name: None if man is None else np.concatenate([man, woman])[order]
                         for name, man, woman in zip(Bodies._fields, men, women) if name != 'intrinsics'},
                      intrinsics=men.intrinsics)

    def _bodies(self, body_model, people, rows, camera):
        posed = body_model(*body_inputs(people, rows))
        h36m = body_model.select_joints(posed, self.regressed).numpy() if self.regressed else None
        heights = body_model.height(as_tensor(people['betas'])[rows])
        return Bodies(posed.joints[:, :24].numpy(), posed.vertices.numpy(), heights.numpy(),
                      as_numpy(camera['intrinsics']).astype(np.float64), h36m)


def body_inputs(people, rows=slice(None)):
    """Pose (N, 72), betas and transl, tensors, of some rows of people (a dict): what a body model takes."""
    root, body, betas, transl = (as_tensor(people[name])[rows]
                                 for name in ('global_orient', 'body_pose', 'betas', 'transl'))
    return torch.cat([root, body.flatten(1)], 1), betas, transl


def resized(sample, long_side):
    """A sample (a dict) with its 2D joints, boxes and cameras as in the image resized to a long side (px)."""
    factor = long_side / max(sample['img_shape'])
    sample = dict(sample, img_shape=tuple(factor * side for side in sample['img_shape']))
    for side in ('pred', 'gt'):
        people = sample[f'{side}_instances']
        pixels = {name: factor * as_tensor(people[name]) for name in ('keypoints_2d', 'bboxes') if name in people}
        sample[f'{side}_instances'] = {**people, **pixels}
        if f'{side}_camera' in sample:
            intrinsics = as_tensor(sample[f'{side}_camera']['intrinsics'])
            sample[f'{side}_camera'] = dict(intrinsics=resize_intrinsics(intrinsics, factor, factor))
    return sample


def as_tensor(values):
    """A tensor on the CPU of a tensor anywhere, or of an array."""
    return torch.as_tensor(values).detach().cpu()


def as_numpy(values):
    """An array of a tensor anywhere, or of an array."""
    return as_tensor(values).numpy()
