"""People by instance segmentation: from queries to masks at the image's size."""
import pytest
import torch

from mmhuman_dto.perception import TransformersPeople, WeightsError
from mmhuman_dto.perception.transformers_people import mask_boxes, query_masks, to_people


def logits_of(probability):
    """Logits (3) of dog, person and nothing with a given probability of person; the rest is nothing."""
    return torch.tensor([1e-9, probability, 1 - probability - 1e-9]).log()


def half_mask(height, width, side):
    mask = torch.full((height, width), -20.)
    mask[:, :width // 2] = 20
    return mask if side == 'left' else -mask


def test_queries_of_people_become_masks_of_the_images_size():
    classes = torch.stack([logits_of(.9), logits_of(.2), logits_of(.8)])
    masks = torch.stack([half_mask(6, 8, side) for side in ('left', 'left', 'right')])
    scores, masks = query_masks(classes, masks, 1, .5, (24, 32), (60, 80), (24, 32))
    torch.testing.assert_close(scores, torch.tensor([.9, .8]), atol=.03, rtol=0)
    assert masks.shape == (2, 60, 80) and masks.dtype == torch.bool
    assert masks[0, :, :39].all() and not masks[0, :, 41:].any()
    assert torch.equal(masks[0].flip(1), masks[1])


def test_padding_is_cut_off():
    """The left half of the content is the left half of the image, whatever the network's input was padded with."""
    mask = torch.full((1, 8, 8), -20.)
    mask[0, :, :3] = 20  # of 8 columns 6 are content, of 8 rows 4
    _, masks = query_masks(logits_of(.9)[None], mask, 1, .5, (16, 24), (40, 60), (32, 32))
    assert masks[0, :, :29].all() and not masks[0, :, 31:].any()


def test_vague_masks_lower_the_score():
    sharp, vague = torch.full((1, 4, 4), 9.), torch.full((1, 4, 4), .1)
    args = 1, .5, (8, 8), (8, 8), (8, 8)
    assert query_masks(logits_of(.9)[None], sharp, *args)[0].item() == pytest.approx(.9, abs=1e-3)
    assert len(query_masks(logits_of(.9)[None], vague, *args)[0]) == 0  # .9 * .525 < .5
    scores, masks = query_masks(logits_of(.9)[None], -sharp, *args)  # nobody's pixel
    assert len(scores) == 0 and masks.shape == (0, 8, 8)
    scores, masks = query_masks(logits_of(.1)[None], sharp, *args)
    assert len(scores) == 0 and masks.shape == (0, 8, 8)


def test_boxes_around_masks_and_copies_dropped():
    masks = torch.zeros(3, 10, 20, dtype=torch.bool)
    masks[0, 2:5, 3:9] = masks[1, 2:5, 3:8] = masks[2, 9, 19] = True
    assert mask_boxes(masks).tolist() == [[3, 2, 9, 5], [3, 2, 8, 5], [19, 9, 20, 10]]
    people = to_people(torch.tensor([.7, .8, .9]), masks, .7)
    assert people.scores.tolist() == pytest.approx([.9, .8])
    assert people.masks.shape == (2, 10, 20) and people.bboxes[1].tolist() == [3, 2, 8, 5]
    assert len(to_people(torch.zeros(0), masks[:0], .7)) == 0


def test_mask2former_agrees_with_its_own_post_processing(mask2former, photo):
    """On a square input, where its fixed 384 x 384 detour changes nothing but the masks' edges."""
    source = TransformersPeople(mask2former, min_score=0., max_iou=1.)
    sample = photo(64, 64)
    people, = source([sample])
    inputs = source.processor(sample.image, return_tensors='pt')
    with torch.no_grad():
        outputs = source.network(**{name: inputs[name] for name in ('pixel_values', 'pixel_mask')})
    theirs, = source.processor.post_process_instance_segmentation(
        outputs, threshold=0., target_sizes=[(64, 64)], return_binary_maps=True)
    maps = [(info['score'], mask.bool()) for info, mask in zip(theirs['segments_info'], theirs['segmentation'])
            if info['label_id'] == 1]
    assert len(maps) >= 1
    for score, mask in maps:
        row = (people.scores - score).abs().argmin()
        assert abs(people.scores[row] - score) < .01
        assert (people.masks[row] ^ mask).float().mean() < .03


def test_images_of_many_sizes_at_once(mask2former, photo):
    source = TransformersPeople(mask2former, min_score=.01, max_iou=1., batch_size=3)
    samples = [photo(*size, seed) for seed, size in enumerate([(60, 90), (90, 60), (60, 90), (64, 200)])]
    together = source(samples)
    for sample, people in zip(samples, together):
        assert people.masks.shape[1:] == sample.ori_shape and (people.scores.diff() <= 0).all()
        alone, = source([sample])
        assert len(alone) == len(people) > 0
        torch.testing.assert_close(people.scores, alone.scores, atol=1e-4, rtol=0)
        assert (people.masks ^ alone.masks).float().mean() < .01
    nobody, = TransformersPeople(mask2former, min_score=.999)(samples[:1])
    assert len(nobody) == 0 and nobody.masks.shape == (0, 60, 90) and nobody.bboxes.shape == (0, 4)


def test_networks_that_pad_without_saying_where_are_refused(transformers, saved):
    folder = saved('EomtForUniversalSegmentation', transformers.EomtConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=64, num_blocks=1, num_queries=5,
        num_upscale_blocks=1), transformers.EomtImageProcessorPil(size=dict(shortest_edge=64, longest_edge=64)))
    with pytest.raises(WeightsError, match='does not say where it pads'):
        TransformersPeople(folder)


def test_maskformer_and_detr_load(transformers, saved, swin, photo):
    labels = dict(id2label={0: 'N/A', 1: 'person'}, label2id={'N/A': 0, 'person': 1})
    detr = dict(d_model=128, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
                encoder_attention_heads=8, decoder_attention_heads=8, num_queries=5)
    resnet = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1],
                                       out_features=['stage1', 'stage2', 'stage3', 'stage4'])
    configs = dict(
        MaskFormerForInstanceSegmentation=transformers.MaskFormerConfig(
            backbone_config=swin, decoder_config=transformers.DetrConfig(**detr), fpn_feature_size=32,
            mask_feature_size=32, **labels),
        DetrForSegmentation=transformers.DetrConfig(
            backbone_config=resnet, use_timm_backbone=False, use_pretrained_backbone=False, **detr, **labels))
    for name, config in configs.items():
        processor = getattr(transformers, name.rsplit('For', 1)[0] + 'ImageProcessorPil')
        folder = saved(name, config, processor(size=dict(shortest_edge=64, longest_edge=128)))
        people, = TransformersPeople(folder, min_score=.01)([photo(60, 100)])
        assert people.masks.shape[1:] == (60, 100) and len(people.scores) == len(people) > 0
