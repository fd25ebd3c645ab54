"""Ages and sexes: labels read as years, faces found by joints, and who shows none stays unknown."""
import json

import numpy as np
import pytest
import torch

from mmhuman_dto.perception import MiVOLOAges, SourceError, TransformersAges, WeightsError
from mmhuman_dto.perception.crops import crop, face_box
from mmhuman_dto.perception.transformers_ages import age_classes, median_age
from mmhuman_dto.structures import People

FAIRFACE = ['0-2', '3-9', '10-19', '20-29', '30-39', '40-49', '50-59', '60-69', 'more than 70']
#: Nose, eyes and ears, px, of a face seen from the front whose ears are 60 px apart.
FRONT = [[100, 100], [112, 90], [88, 90], [130, 95], [70, 95]]


def test_labels_are_years():
    years = age_classes(dict(enumerate(FAIRFACE)), 'm')
    assert years[:3].tolist() == [[0, 3], [3, 10], [10, 20]] and years[-1].tolist() == [70, 80]
    assert age_classes({0: '(25-32)', 1: '7', 2: '70+'}, 'm').tolist() == [[25, 33], [7, 8], [70, 80]]
    with pytest.raises(WeightsError, match="some/model: class 'child' is no age"):
        age_classes({0: '0-2', 1: 'child'}, 'some/model')


@pytest.mark.parametrize('probs, age', [
    ([0, 1, 0, 0], 6.5),  # in the middle of [3, 10)
    ([.5, .5, 0, 0], 3),
    ([.25, .75, 0, 0], 3 + 7 / 3),
    ([.6, 0, 0, .4], 2.5),  # a mean would be 31
    ([.45, 0, 0, .55], 70 + 10 * .05 / .55),
])
def test_the_median_of_classes(probs, age):
    years = age_classes({0: '0-2', 1: '3-9', 2: '10-19', 3: 'more than 70'}, 'm')
    assert median_age(np.array([probs]), years)[0] == pytest.approx(age)
    order = [2, 0, 3, 1]
    assert median_age(np.array([probs])[:, order], years[order])[0] == pytest.approx(age)


def test_a_face_is_where_its_joints_are():
    joints, seen = np.zeros((17, 2)), np.zeros(17, bool)
    joints[:5] = FRONT
    seen[:5] = True
    assert face_box(joints, seen).tolist() == [40, 35, 160, 155]
    seen[1:3] = False  # from behind both ears are seen, and no eye
    assert face_box(joints, seen) is None
    seen[:5] = [False, True, False, False, False]
    assert face_box(joints, seen) is None
    seen[:5] = True
    assert face_box(joints / 10, seen) is None  # 12 px


def test_crops_end_where_the_image_does():
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert np.array_equal(crop(image, np.array([-3, 1.2, 2.5, 9])), image[1:4, 0:3])
    assert crop(image, np.array([6., 0, 9, 3])) is None


@pytest.fixture
def people(photo, detected):
    """A sample of a person with a face, and one without."""
    sample = photo(300, 400)
    found = detected([[40, 20, 180, 290], [200, 10, 390, 290]], (300, 400))
    found.keypoints_2d, found.keypoints_2d_valid = torch.zeros(2, 17, 2), torch.zeros(2, 17, dtype=torch.bool)
    found.keypoints_2d[0, :5], found.keypoints_2d_valid[0, :5] = torch.tensor(FRONT).float(), True
    sample.detected_instances = found
    sample.pred_instances = People(num_people=2)
    return sample


def test_classifiers_of_faces(save_classifier, people):
    source = TransformersAges(save_classifier(FAIRFACE), save_classifier(['female', 'male']))
    (ages, male), = source([people])
    assert 0 < ages[0] < 80 and 0 < male[0] < 1 and ages.isnan().tolist() == male.isnan().tolist() == [False, True]
    processor, network = source.gender
    face = people.image[35:155, 40:160]
    with torch.no_grad():
        probs = [network(**processor(np.ascontiguousarray(picture), return_tensors='pt')).logits.softmax(-1)[0, 1]
                 for picture in (face, face[:, ::-1])]
    assert male[0] == pytest.approx(float(sum(probs) / 2), abs=1e-5) and probs[0] != probs[1]
    (ages, male), = TransformersAges(gender_model=save_classifier(['female', 'male']))([people])
    assert ages.isnan().all() and not male[0].isnan()


def test_batches_are_told_apart(save_classifier, people, photo, detected):
    source = TransformersAges(save_classifier(FAIRFACE), batch_size=1)
    nobody = photo(20, 20)
    nobody.pred_instances = nobody.detected_instances = People(num_people=0)
    first, second, third = source([people, nobody, people])
    assert second[0].shape == (0, ) and first[0].shape == (2, )
    torch.testing.assert_close(first[0], third[0], equal_nan=True)


def test_what_is_missing_is_said(save_classifier, people, photo):
    source = TransformersAges(save_classifier(FAIRFACE))
    people.pred_instances = People(num_people=3)
    with pytest.raises(SourceError, match='put the stages AddDetections, AddKeypoints and MatchDetections before'):
        source([people])
    with pytest.raises(SourceError, match='ages are judged of detected people'):
        source([photo(20, 20, pred_instances=People(num_people=1))])
    with pytest.raises(ValueError, match='needs model'):
        TransformersAges()
    with pytest.raises(WeightsError, match='is no age'):
        TransformersAges(save_classifier(['cat', 'dog']))


MIVOLO = '''
import numpy as np
import torch
from dataclasses import dataclass
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput
from transformers.image_processing_utils import BaseImageProcessor


class TinyConfig(PreTrainedConfig):
    model_type = 'tiny_mivolo'

    def __init__(self, gender_id2label=None, **kwargs):
        self.gender_id2label = gender_id2label
        super().__init__(**kwargs)


class TinyProcessor(BaseImageProcessor):
    def preprocess(self, images, **kwargs):
        values = [np.zeros(3) if i is None else i.reshape(-1, 3).mean(0) for i in images]
        return {'pixel_values': torch.tensor(np.stack(values), dtype=torch.float32)}

    def __call__(self, images, **kwargs):
        return self.preprocess(images)


@dataclass
class Output(ModelOutput):
    age_output: torch.Tensor = None
    gender_probs: torch.Tensor = None
    gender_class_idx: torch.Tensor = None


class TinyModel(PreTrainedModel):
    """Age: blue of the face plus a hundredth of the body's red (it is given BGR); male when the body is green."""
    config_class = TinyConfig

    def __init__(self, config):
        super().__init__(config)
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.post_init()

    def forward(self, faces_input=None, body_input=None):
        age = faces_input[:, :1] + body_input[:, 2:] / 100
        male = body_input[:, 1] > 128
        probs = torch.full((len(age), 1), .8)
        return Output(age_output=age * self.weight, gender_probs=probs, gender_class_idx=(~male).long()[:, None])
'''


@pytest.fixture
def mivolo(transformers, tmp_path):
    """Folder of a network with code of its own, and the call and answer of MiVOLO v2."""
    (tmp_path / 'tiny_mivolo.py').write_text(MIVOLO)
    auto = {'AutoConfig': 'tiny_mivolo.TinyConfig', 'AutoModelForImageClassification': 'tiny_mivolo.TinyModel'}
    (tmp_path / 'config.json').write_text(json.dumps(dict(
        model_type='tiny_mivolo', architectures=['TinyModel'], auto_map=auto,
        gender_id2label={'0': 'male', '1': 'female'})))
    (tmp_path / 'preprocessor_config.json').write_text(json.dumps(dict(
        image_processor_type='TinyProcessor', auto_map={'AutoImageProcessor': 'tiny_mivolo.TinyProcessor'})))
    from safetensors.torch import save_file
    save_file({'weight': torch.ones(1)}, tmp_path / 'model.safetensors', metadata={'format': 'pt'})
    return tmp_path


def test_a_network_with_code_of_its_own_has_to_be_allowed(mivolo):
    with pytest.raises(WeightsError, match='Python code of its own, which is not run; .*trust_remote_code=True'):
        MiVOLOAges(mivolo)


def test_face_and_body_together(mivolo, people):
    people.image[:] = 0
    people.image[35:155, 40:160] = 0, 0, 30  # the face is blue
    people.image[10:290, 200:390] = 200, 255, 0  # the second body is red and green
    source = MiVOLOAges(mivolo, trust_remote_code=True, batch_size=1)
    (ages, male), = source([people])
    assert ages.tolist() == pytest.approx([30, 2]) and male.tolist() == pytest.approx([.2, .8])
