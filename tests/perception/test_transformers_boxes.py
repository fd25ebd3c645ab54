"""People by object detection: boxes in px of the image, as the package's own post-processing gives them."""
import types

import pytest
import torch

from mmhuman_dto.perception import TransformersBoxes, WeightsError

LABELS = dict(id2label={0: 'N/A', 1: 'person'}, label2id={'N/A': 0, 'person': 1})


@pytest.fixture(scope='module')
def save_detector(transformers, saved, save_rtdetr):
    """save_detector(name) -> folder of a tiny network of this kind."""
    resnet = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1],
                                       out_features=['stage2', 'stage3', 'stage4'])
    sizes = dict(d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
                 encoder_attention_heads=2, decoder_attention_heads=2, num_queries=12, backbone_config=resnet,
                 use_timm_backbone=False, use_pretrained_backbone=False, **LABELS)

    def make(name):
        if name.startswith('RTDetr'):
            return save_rtdetr(name.removeprefix('RTDetr'))
        config = getattr(transformers, f'{name}Config')(**(dict(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=[64, 96],
            patch_size=16, num_detection_tokens=12, **LABELS) if name == 'Yolos' else sizes))
        processor = getattr(transformers, f'{name}ImageProcessorPil')
        return saved(f'{name}ForObjectDetection', config, processor(size=dict(shortest_edge=64, longest_edge=128)))

    return make


@pytest.mark.parametrize('name', ['RTDetr', 'RTDetrV2', 'Detr', 'ConditionalDetr', 'DeformableDetr', 'Yolos'])
def test_boxes_are_those_of_the_packages_own_post_processing(save_detector, photo, name):
    source = TransformersBoxes(save_detector(name), min_score=.01, max_iou=1., batch_size=3)
    samples = [photo(*size, seed) for seed, size in enumerate([(60, 90), (90, 60), (60, 90), (64, 200)])]
    for sample, people in zip(samples, source(samples), strict=True):
        with torch.no_grad():
            outputs = source.network(**source.processor(sample.image, return_tensors='pt'))
        theirs, = source.processor.post_process_object_detection(outputs, .01, [sample.ori_shape])
        ours = theirs['labels'] == source.label
        scores, order = theirs['scores'][ours].sort(descending=True)
        assert len(people) == len(order) > 0 and set(people.keys()) == {'bboxes', 'scores'}
        torch.testing.assert_close(people.scores, scores, atol=1e-4, rtol=0)
        torch.testing.assert_close(people.bboxes, theirs['boxes'][ours][order], atol=.05, rtol=0)


class Answer(torch.nn.Module):
    """A stand-in for the network: four queries that see a person, the same again, a dog and another person."""
    device = torch.device('cpu')

    def forward(self, pixel_values):
        probs = torch.tensor([[.7, .1], [.9, .1], [.1, .95], [.6, .1]])
        boxes = torch.tensor([[.5, .5, .2, .4], [.5, .5, .22, .4], [.3, .3, .1, .1], [.1, .75, .2, .5]])
        return types.SimpleNamespace(logits=probs.logit().expand(len(pixel_values), -1, -1),
                                     pred_boxes=boxes.expand(len(pixel_values), -1, -1))


def test_people_once_in_px_of_images_that_are_not_square(save_rtdetr, photo):
    source = TransformersBoxes(save_rtdetr())
    source.network = Answer()
    wide, high = source([photo(60, 100), photo(200, 50)])
    assert wide.scores.tolist() == pytest.approx([.9, .6])
    torch.testing.assert_close(wide.bboxes, torch.tensor([[39., 18, 61, 42], [0, 30, 20, 60]]))
    torch.testing.assert_close(high.bboxes, torch.tensor([[19.5, 60, 30.5, 140], [0, 100, 10, 200]]))


def test_nobody_and_no_people(save_rtdetr, photo):
    nobody, = TransformersBoxes(save_rtdetr(), min_score=1.)([photo(60, 90)])
    assert len(nobody) == 0 and nobody.bboxes.shape == (0, 4)
    with pytest.raises(WeightsError, match='none of its classes is called cat: person, dog'):
        TransformersBoxes(save_rtdetr(), label='cat')
