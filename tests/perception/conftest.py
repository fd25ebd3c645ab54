"""Tiny networks of the classes that the adapters load, with random weights, saved as their publishers save them."""
import numpy as np
import pytest
import torch

from mmhuman_dto.structures import HumanDataSample, People


@pytest.fixture(scope='session')
def transformers():
    return pytest.importorskip('transformers', reason='extra [transformers] is not installed')


@pytest.fixture(scope='session')
def saved(transformers, tmp_path_factory):
    """saved(name, config, processor) -> folder of a network of this class and config, and of its image processor.

    Its weights are large enough that its answers depend on the picture.
    """
    def save(name, config, processor):
        torch.manual_seed(0)
        network, folder = getattr(transformers, name)(config), tmp_path_factory.mktemp(name)
        for parameter in network.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, 0, .2)
        network.save_pretrained(folder)
        processor.save_pretrained(folder)
        return str(folder)

    return save


@pytest.fixture(scope='session')
def save_depth(transformers, saved):
    """save_depth(**config) -> folder of a Depth Anything network."""
    def make(**config):
        backbone = transformers.Dinov2Config(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14, mlp_ratio=2,
            out_features=['stage1', 'stage2'], out_indices=[1, 2], reshape_hidden_states=False,
            apply_layernorm=True)
        config = transformers.DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=16, patch_size=14, reassemble_factors=[4, 2],
            neck_hidden_sizes=[8, 8], fusion_hidden_size=8, head_in_index=-1, head_hidden_size=8, **config)
        return saved('DepthAnythingForDepthEstimation', config, transformers.DPTImageProcessorPil(
            size=dict(height=56, width=56), keep_aspect_ratio=True, ensure_multiple_of=14,
            image_mean=[.485, .456, .406], image_std=[.229, .224, .225]))

    return make


@pytest.fixture(scope='session')
def swin(transformers):
    return transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
        out_features=['stage1', 'stage2', 'stage3', 'stage4'])


@pytest.fixture(scope='session')
def mask2former(transformers, saved, swin):
    """Folder of a Mask2Former with the classes person and dog."""
    config = transformers.Mask2FormerConfig(
        backbone_config=swin, feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_layers=1,
        encoder_feedforward_dim=16, dim_feedforward=16, decoder_layers=2, num_attention_heads=2, num_queries=5,
        id2label={0: 'dog', 1: 'person'})
    return saved('Mask2FormerForUniversalSegmentation', config,
                 transformers.Mask2FormerImageProcessorPil(size=dict(shortest_edge=64, longest_edge=128)))


@pytest.fixture(scope='session')
def save_rtdetr(transformers, saved):
    """save_rtdetr(version='') -> folder of an RT-DETR, or with 'V2' an RT-DETR v2, with the classes person and dog."""
    def make(version=''):
        backbone = transformers.RTDetrResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1], layer_type='basic',
            out_indices=[2, 3, 4])
        config = getattr(transformers, f'RTDetr{version}Config')(
            backbone_config=backbone, encoder_in_channels=[16, 16, 32], encoder_hidden_dim=16, encoder_ffn_dim=16,
            encoder_attention_heads=2, d_model=16, num_queries=12, decoder_in_channels=[16, 16, 16],
            decoder_ffn_dim=16, decoder_layers=2, decoder_attention_heads=2, id2label={0: 'person', 1: 'dog'})
        return saved(f'RTDetr{version}ForObjectDetection', config,
                     transformers.RTDetrImageProcessorPil(size=dict(height=64, width=64)))

    return make


@pytest.fixture(scope='session')
def save_vitpose(transformers, saved):
    """save_vitpose(joints) -> folder of a ViTPose++ with two experts."""
    def make(joints):
        backbone = transformers.VitPoseBackboneConfig(
            image_size=[64, 48], patch_size=[16, 16], hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            mlp_ratio=2, num_experts=2, part_features=4, out_indices=[2])
        config = transformers.VitPoseConfig(backbone_config=backbone, num_labels=joints)
        return saved('VitPoseForPoseEstimation', config,
                     transformers.VitPoseImageProcessorPil(size=dict(height=64, width=48)))

    return make


@pytest.fixture(scope='session')
def vitpose(save_vitpose):
    return save_vitpose(17)


@pytest.fixture(scope='session')
def save_classifier(transformers, saved):
    """save_classifier(labels) -> folder of a ViT that classifies pictures."""
    def make(labels):
        config = transformers.ViTConfig(
            image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)})
        return saved('ViTForImageClassification', config,
                     transformers.ViTImageProcessorPil(size=dict(height=32, width=32)))

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


@pytest.fixture
def assert_batches_as_alone(photo, detected):
    """assert_batches_as_alone(source): joints of people of several images are those of each image alone."""

    def check(source):
        samples = [photo(80, 120, seed) for seed in range(3)]
        boxes = [[[5, 5, 50, 70], [40, 10, 110, 75]], [], [[0, 0, 120, 80]]]
        for sample, some in zip(samples, boxes):
            sample.detected_instances = detected(some, (80, 120))
        together = source(samples)
        source.batch_size = 1
        for one, (keypoints, scores), some in zip(samples, together, boxes):
            (alone, alone_scores), = source([one])
            assert keypoints.shape == (len(some), 17, 2) and scores.shape == (len(some), 17)
            torch.testing.assert_close(keypoints, alone, atol=1e-2, rtol=0)
            torch.testing.assert_close(scores, alone_scores, atol=1e-4, rtol=0)

    return check
