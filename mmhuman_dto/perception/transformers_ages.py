"""Age and P(male) by networks of ``transformers``; who cannot be judged stays unknown (nan)."""
import re

import numpy as np
import torch

from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import AgeSource, SourceError
from .crops import crop, face_box
from .optional import WeightsError, class_index, in_batches, load_transformers

#: Years that an age class without upper end ('more than 70') spans.
_OPEN_YEARS = 10.
_MALE = ('male', 'man', 'm')


class _CropAges(AgeSource):
    """Crops of everybody, mirrored ones too, through a network, batch by batch; the two answers are averaged."""
    needs = ('image', 'matched detections')
    #: Which of :func:`person_crops` a person must have: 0 the face, 1 the body.
    judged_by = 0

    def __call__(self, samples):
        crops = [one for sample in samples for one in person_crops(sample)]
        answers = np.full((len(crops), 2), np.nan, dtype=np.float32)
        known = [i for i, one in enumerate(crops) if one[self.judged_by] is not None]
        for rows in in_batches(known, self.batch_size):
            answers[rows] = self._judge([crops[i] for i in rows])
        parts = torch.from_numpy(answers).split([len(sample.pred_instances) for sample in samples])
        return [(part[:, 0], part[:, 1]) for part in parts]


def person_crops(sample):
    """(face, body) pictures of each person of a sample, None where there is none, from its ``detected_instances``.

    Raises:
        SourceError: the detections are not those of ``pred_instances``.
    """
    found = sample.get('detected_instances')
    if found is None or len(found) != len(sample.pred_instances):
        raise SourceError(f'{sample.img_id}: ages are judged of detected people, matched with the meshes; put the '
                          'stages AddDetections, AddKeypoints and MatchDetections before')
    pairs = []
    for row in range(len(found)):
        seen = found.keypoints_2d_valid[row].cpu().numpy() >= SEEN_SCORE
        face = face_box(found.keypoints_2d[row].cpu().numpy(), seen)
        pairs.append((None if face is None else crop(sample.image, face),
                      crop(sample.image, found.bboxes[row].cpu().numpy())))
    return pairs


@SOURCES.register_module()
class TransformersAges(_CropAges):
    """Image classifiers of faces (``AutoModelForImageClassification``): one of age classes, one of male and female.

    The age is the median of the distribution over classes such as '3-9' or 'more than 70'. Who shows no face of 16 px
    stays unknown, as does what has no model.

    Args:
        model: classifier of ages, folder or name, see :func:`~.optional.load_transformers`; None: ages stay unknown.
        gender_model: classifier of male and female; None: P(male) stays unknown.
        batch_size: faces that go through a network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or a model is not there, or its labels are not ages, or not male.
        ValueError: neither model is given.
    """

    def __init__(self, model=None, gender_model=None, batch_size=32, device=None, local_files_only=False):
        if model is None and gender_model is None:
            raise ValueError('TransformersAges needs model (of ages), gender_model, or both')
        load = dict(device=device, local_files_only=local_files_only)
        self.ages = self.gender = None
        if model is not None:
            self.ages = load_transformers('AutoModelForImageClassification', model, **load)
            self.years = age_classes(self.ages[1].config.id2label, model)
        if gender_model is not None:
            self.gender = load_transformers('AutoModelForImageClassification', gender_model, **load)
            self.male = class_index(self.gender[1].config.id2label, _MALE, gender_model)
        self.batch_size = batch_size

    def _judge(self, crops):
        faces = [face for face, _ in crops]
        answers = np.full((len(faces), 2), np.nan, dtype=np.float32)
        if self.ages:
            answers[:, 0] = median_age(_probabilities(*self.ages, faces), self.years)
        if self.gender:
            answers[:, 1] = _probabilities(*self.gender, faces)[:, self.male]
        return answers


@torch.no_grad()
def _probabilities(processor, network, pictures):
    """Class probabilities (N, C) of pictures, averaged with their mirror images'."""
    both = [*pictures, *(np.ascontiguousarray(picture[:, ::-1]) for picture in pictures)]
    pixels = processor(both, return_tensors='pt').pixel_values.to(network.device)
    probs = network(pixel_values=pixels).logits.float().softmax(-1).cpu().numpy()
    return (probs[:len(pictures)] + probs[len(pictures):]) / 2


def age_classes(id2label, model):
    """First and last year (C, 2) of classes by their labels: '3-9' is [3, 10), 'more than 70' [70, 80), '7' [7, 8).

    Raises:
        WeightsError: a label without an age; ``model`` names it in the message.
    """
    years = []
    for index in range(len(id2label)):
        label = str(id2label[index])
        numbers = [int(number) for number in re.findall(r'\d+', label)]
        if len(numbers) not in (1, 2):
            raise WeightsError(f'{model}: class {label!r} is no age; expected such as "3-9" or "more than 70"')
        open_end = len(numbers) == 1 and not label.strip().isdigit()
        years.append((numbers[0], numbers[0] + _OPEN_YEARS if open_end else numbers[-1] + 1))
    return np.array(years, dtype=np.float64)


def median_age(probs, years):
    """Medians (N,), years, of distributions (N, C) over classes of ``years`` (C, 2), uniform within each."""
    order = np.argsort(years[:, 0])
    probs, years = probs[:, order].astype(np.float64), years[order]
    after = probs.cumsum(1)
    index = (after < .5 * after[:, -1:]).sum(1)
    rows = np.arange(len(probs))
    inside = 1 - (after[rows, index] - .5 * after[:, -1]) / probs[rows, index]
    return years[index, 0] + inside * (years[index, 1] - years[index, 0])


@SOURCES.register_module()
class MiVOLOAges(_CropAges):
    """MiVOLO v2 (arXiv 2403.02302), which sees face and body together and regresses the age.

    Its code comes with the model: look at it, and allow it with ``trust_remote_code=True``. People without a visible
    face are judged by their body.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        trust_remote_code: run the code that comes with the model; without it the model is refused.
        batch_size: people that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there, or its code is not allowed.
    """
    judged_by = 1

    def __init__(self, model, trust_remote_code=False, batch_size=16, device=None, local_files_only=False):
        self.processor, self.network = load_transformers(
            'AutoModelForImageClassification', model, device, local_files_only, trust_remote_code)
        self.male = class_index(self.network.config.gender_id2label, _MALE, model)
        self.batch_size = batch_size

    @torch.no_grad()
    def _judge(self, crops):
        # The network was trained on BGR; a face that is None becomes an empty one.
        both = [*((_bgr(face), _bgr(body)) for face, body in crops),
                *((_bgr(face, True), _bgr(body, True)) for face, body in crops)]
        faces, bodies = (self.processor(images=list(side))['pixel_values'].to(self.network.device, self.network.dtype)
                         for side in zip(*both))
        outputs = self.network(faces_input=faces, body_input=bodies)
        best = outputs.gender_probs.float().flatten()
        male = torch.where(outputs.gender_class_idx.flatten() == self.male, best, 1 - best)
        answers = torch.stack([outputs.age_output.float().flatten(), male], 1)
        return answers.unflatten(0, (2, -1)).mean(0).cpu().numpy()


def _bgr(picture, mirrored=False):
    if picture is None:
        return None
    return np.ascontiguousarray(picture[:, ::-1, ::-1] if mirrored else picture[..., ::-1])
