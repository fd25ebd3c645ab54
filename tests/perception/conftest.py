"""Tiny networks of the classes that the adapters load, with random weights, saved as their publishers save them."""
import numpy as np
import pytest
import torch

from mmhuman_dto.structures import HumanDataSample, People


def seeded(build, config):
    """A network with weights large enough that its answers depend on the picture."""
    torch.manual_seed(0)
    network = build(config).eval()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, 0, .2)
    return network


def save(folder, network, processor):
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def transformers():
    return pytest.importorskip('transformers', reason='extra [transformers] is not installed')


@pytest.fixture(scope='session')
def save_depth(transformers, tmp_path_factory):
    """save_depth(**config) -> folder of a Depth Anything network."""
    def make(**config):
        backbone = transformers.Dinov2Config(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14, mlp_ratio=2,
            out_features=['stage1', 'stage2'], out_indices=[1, 2], reshape_hidden_states=False,
            apply_layernorm=True)
        config = transformers.DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=16, patch_size=14, reassemble_factors=[4, 2],
            neck_hidden_sizes=[8, 8], fusion_hidden_size=8, head_in_index=-1, head_hidden_size=8, **config)
        network = seeded(transformers.DepthAnythingForDepthEstimation, config)
        processor = transformers.DPTImageProcessorPil(
            size=dict(height=56, width=56), keep_aspect_ratio=True, ensure_multiple_of=14,
            image_mean=[.485, .456, .406], image_std=[.229, .224, .225])
        return save(tmp_path_factory.mktemp('depth'), network, processor)

    return make


@pytest.fixture(scope='session')
def mask2former(transformers, tmp_path_factory):
    """Folder of a Mask2Former with the classes person and dog."""
    backbone = transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
        out_features=['stage1', 'stage2', 'stage3', 'stage4'])
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_layers=1,
        encoder_feedforward_dim=16, dim_feedforward=16, decoder_layers=2, num_attention_heads=2, num_queries=5,
        id2label={0: 'dog', 1: 'person'})
    network = seeded(transformers.Mask2FormerForUniversalSegmentation, config)
    processor = transformers.Mask2FormerImageProcessorPil(size=dict(shortest_edge=64, longest_edge=128))
    return save(tmp_path_factory.mktemp('mask2former'), network, processor)


@pytest.fixture(scope='session')
def vitpose(transformers, tmp_path_factory):
    """Folder of a ViTPose++ of COCO's joints, with two experts."""
    backbone = transformers.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        mlp_ratio=2, num_experts=2, part_features=4, out_indices=[2])
    config = transformers.VitPoseConfig(backbone_config=backbone, num_labels=17)
    network = seeded(transformers.VitPoseForPoseEstimation, config)
    processor = transformers.VitPoseImageProcessorPil(size=dict(height=64, width=48))
    return save(tmp_path_factory.mktemp('vitpose'), network, processor)


@pytest.fixture(scope='session')
def save_classifier(transformers, tmp_path_factory):
    """save_classifier(labels) -> folder of a ViT that classifies pictures."""
    def make(labels):
        config = transformers.ViTConfig(
            image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)})
        network = seeded(transformers.ViTForImageClassification, config)
        processor = transformers.ViTImageProcessorPil(size=dict(height=32, width=32))
        return save(tmp_path_factory.mktemp('classifier'), network, processor)

    return make


@pytest.fixture
def photo():
    """photo(height, width, seed=0) -> sample with a picture of smooth noise."""

    def make(height, width, seed=0, **fields):
        rng = np.random.default_rng(seed)
        coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, 4, 5)))
        image = torch.nn.functional.interpolate(coarse, (height, width), mode='bicubic')[0].permute(1, 2, 0)
        sample = HumanDataSample(metainfo=dict(img_id=f'{seed}.jpg', ori_shape=(height, width)), **fields)
        sample.image = image.clamp(0, 255).to(torch.uint8).numpy()
        return sample

    return make


@pytest.fixture
def detected():
    """detected(boxes, size, **fields) -> People in boxes that are their masks."""

    def make(boxes, size, **fields):
        boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        masks = torch.zeros(len(boxes), *size, dtype=torch.bool)
        for mask, (x0, y0, x1, y1) in zip(masks, boxes.int().tolist()):
            mask[y0:y1, x0:x1] = True
        return People(bboxes=boxes, scores=torch.linspace(.9, .6, len(boxes)), masks=masks, **fields)

    return make
