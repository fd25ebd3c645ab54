"""mmdet and mmpose: imported without compiled operations, built from their own configs, with random weights."""
import pickle
import sys
import types

import numpy as np
import pytest
import torch

from mmhuman_dto.engine.checkpoint import CheckpointError
from mmhuman_dto.perception import MMDetPeople, MMPoseKeypoints, WeightsError
from mmhuman_dto.perception.openmmlab import _roi_align, load_openmmlab, use_mmcv_lite

RTMDET = 'rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py'
RTMPOSE = 'body_2d_keypoint/rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192.py'


@pytest.fixture
def mmcv_lite(monkeypatch):
    """mmcv as mmcv-lite is, imported afresh."""
    pytest.importorskip('mmcv')
    import importlib.util
    if importlib.util.find_spec('mmcv._ext') and 'mmcv._ext' not in sys.modules:
        pytest.skip('this mmcv has compiled operations')
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    use_mmcv_lite()
    return sys.modules['mmcv._ext']


def test_the_operations_that_people_need_are_there(mmcv_lite):
    boxes = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10.]])
    kept = mmcv_lite.nms(boxes, torch.tensor([.8, .9, .7]), iou_threshold=.5, offset=0)
    assert kept.tolist() == [1, 2] and mmcv_lite.__spec__.name == 'mmcv._ext'
    with pytest.raises(RuntimeError, match='without an offset'):
        mmcv_lite.nms(boxes, torch.ones(3), iou_threshold=.5, offset=1)
    with pytest.raises(RuntimeError, match='deform_conv_forward is a compiled operation of mmcv.*build mmcv 2.1.0'):
        mmcv_lite.deform_conv_forward(boxes)
    assert not hasattr(mmcv_lite, '__path__')
    use_mmcv_lite()
    assert sys.modules['mmcv._ext'] is mmcv_lite


def test_other_pooling_is_refused():
    with pytest.raises(RuntimeError, match='max pooling is not supported'):
        _roi_align(None, None, None, None, None, 7, 7, 1., 0, 0, True)


class TestMMDet:

    @pytest.fixture(autouse=True)
    def needed(self):
        pytest.importorskip('mmdet', reason='extra [openmmlab] is not installed')

    @pytest.fixture(scope='class')
    def checkpoint(self, tmp_path_factory):
        """RTMDet-Ins tiny with random weights, as published: with a description beside the weights."""
        return random_weights('mmdet', RTMDET, tmp_path_factory.mktemp('rtmdet') / 'weights.pth')

    def test_rtmdet_finds_masks_at_the_images_size(self, checkpoint, photo):
        source = MMDetPeople(RTMDET, str(checkpoint), min_score=0., max_iou=.9, batch_size=2, device='cpu')
        samples = [photo(*size, seed) for seed, size in enumerate([(120, 160), (200, 90), (120, 160)])]
        together = source(samples)
        for sample, people in zip(samples, together):
            assert people.masks.shape[1:] == sample.ori_shape and people.masks.dtype == torch.bool
            assert (people.scores.diff() <= 0).all() and len(people) > 0
        again, = source(samples[:1])
        torch.testing.assert_close(again.scores, together[0].scores, atol=1e-4, rtol=0)
        strict = MMDetPeople(RTMDET, str(checkpoint), label=5, device='cpu')
        nobody, = strict(samples[:1])
        assert len(nobody) == 0 and nobody.masks.shape == (0, 120, 160)

    def test_only_people_that_are_certain_enough_once(self, checkpoint, photo):
        source = MMDetPeople(RTMDET, str(checkpoint), label=0, device='cpu')
        masks = torch.zeros(4, 20, 30, dtype=torch.bool)
        masks[:, 2:8, 3:9] = True
        from mmengine.structures import InstanceData
        found = InstanceData(
            labels=torch.tensor([0, 0, 7, 0]), scores=torch.tensor([.6, .8, .9, .4]), masks=masks,
            bboxes=torch.tensor([[3, 2, 9, 8.]]).repeat(4, 1))
        people = source._people(found, photo(20, 30))
        assert people.scores.tolist() == pytest.approx([.8]) and people.masks.sum() == 36

    @pytest.mark.slow
    def test_cascade_mask_rcnn_by_torchvisions_roi_align(self, tmp_path, photo):
        pytest.importorskip('torchvision', reason='extra [openmmlab] is not installed')
        config = 'cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py'
        checkpoint = random_weights('mmdet', config, tmp_path / 'weights.pth')
        people, = MMDetPeople(config, str(checkpoint), min_score=.01, device='cpu')([photo(120, 160)])
        assert people.masks.shape[1:] == (120, 160) and len(people) > 0 and people.masks.any()

    def test_checkpoints_run_nothing(self, tmp_path):

        class Bomb:
            def __reduce__(self):
                return open, (str(tmp_path / 'exploded'), 'w')

        with open(tmp_path / 'a.pth', 'wb') as file:
            pickle.dump(Bomb(), file)
        torch.save(dict(state_dict={}, meta=Bomb()), tmp_path / 'b.pth')
        for name in 'ab':
            with pytest.raises(CheckpointError, match='refused, it holds objects besides tensors'):
                MMDetPeople(RTMDET, str(tmp_path / f'{name}.pth'), device='cpu')
        assert not (tmp_path / 'exploded').exists()

    def test_what_is_not_there_is_said(self, checkpoint, tmp_path):
        with pytest.raises(WeightsError, match='gone.pth: no such checkpoint'):
            MMDetPeople(RTMDET, 'gone.pth')
        with pytest.raises(WeightsError, match='gone.py: no such config'):
            MMDetPeople('gone.py', str(checkpoint))
        with pytest.raises(CheckpointError, match='is of another network'):
            MMDetPeople('rtmdet/rtmdet-ins_s_8xb32-300e_coco.py', str(checkpoint))


class TestMMPose:

    @pytest.fixture(autouse=True)
    def needed(self):
        pytest.importorskip('mmpose', reason='extra [openmmlab] is not installed')
        pytest.importorskip('torchvision', reason='extra [openmmlab] is not installed')

    @pytest.fixture(scope='class')
    def checkpoint(self, tmp_path_factory):
        return random_weights('mmpose', RTMPOSE, tmp_path_factory.mktemp('rtmpose') / 'weights.pth')

    def test_rtmpose_on_people_of_several_images(self, checkpoint, assert_batches_as_alone):
        assert_batches_as_alone(MMPoseKeypoints(RTMPOSE, str(checkpoint), device='cpu'))

    def test_joints_come_back_where_they_are(self, checkpoint, photo, detected):
        """Around a network that sees red dots: of the person's own mask, in px of the image."""
        source = MMPoseKeypoints(RTMPOSE, str(checkpoint), device='cpu')

        def test_step(batch):
            found = []
            for pixels, sample in zip(batch['inputs'], batch['data_samples']):
                blue, _, red = pixels.float()  # BGR, as read by mmpose
                y, x = ((red - blue) > 128).nonzero().float().mean(0).tolist()
                meta = sample.metainfo
                joint = (np.array([x, y]) / meta['input_size'] * meta['input_scale'] + meta['input_center']
                         - np.array(meta['input_scale']) / 2)
                found.append(types.SimpleNamespace(pred_instances=types.SimpleNamespace(
                    keypoints=np.tile(joint, (1, 17, 1)), keypoint_scores=np.full((1, 17), .9))))
            return found

        source.network.test_step = test_step
        sample = photo(200, 200)
        sample.image[:] = 90
        sample.image[90:110, 50:70] = sample.image[90:110, 110:130] = 255, 0, 0
        sample.detected_instances = detected([[30, 40, 140, 160]], (200, 200))
        sample.detected_instances.masks[:, :, 100:] = False
        (keypoints, scores), = source([sample])
        assert torch.allclose(keypoints, torch.tensor([60., 100]), atol=1.5) and (scores == .9).all()


def random_weights(package, config, path):
    """A checkpoint of a config's network as its publishers write it, with numpy arrays in its description."""
    import importlib

    from mmengine.config import Config

    from mmhuman_dto.perception.openmmlab import config_path, scope
    use_mmcv_lite()
    pytest.importorskip(f'{package}.apis', reason='extra [openmmlab] is not installed')
    torch.manual_seed(0)
    with scope(package):
        model = Config.fromfile(config_path(package, config)).model
        network = importlib.import_module(f'{package}.registry').MODELS.build(dict(model, train_cfg=None))
    meta = dict(dataset_meta=dict(classes=('person', ), sigmas=np.full(17, .1, np.float32), flags=np.array([1, 2])))
    state = network.state_dict()
    for name, value in state.items():
        if name.endswith(('rtm_cls.0.bias', 'rtm_cls.1.bias', 'rtm_cls.2.bias', 'fc_cls.bias')):
            value[0] = 4.  # people everywhere
    torch.save(dict(state_dict=state, meta=meta), path, _use_new_zipfile_serialization=False)
    return path


def test_loading_needs_a_checkpoint_that_is_a_file():
    with pytest.raises(WeightsError, match='URLs are not fetched'):
        load_openmmlab('mmdet', RTMDET, 'https://example.com/weights.pth')
