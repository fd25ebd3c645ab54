"""The registered metrics on samples, through MMEngine's evaluator."""
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

import mmhuman_dto.evaluation.metrics  # noqa: F401
from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.registry import BODY_MODELS, METRICS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

BODY = dict(type='OpenBody')
CAMERA = torch.tensor([[500., 0, 320], [0, 500, 240], [0, 0, 1]])
MESH_METRICS = ('AGORAMetric', 'DPWMetric', 'PanopticMetric', 'MuPoTSMetric', 'CameraSpaceMetric')
#: With their options; the last one has no public evaluator to be equal to.
VARIANTS = [(name, {}) for name in MESH_METRICS] + [(name, dict(parity=True)) for name in MESH_METRICS[:-1]]


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(BODY)


def crowd(num):
    """The first of three people, side by side at 4 m and beyond; the second is a child."""
    pose = torch.randn(3, 24, 3, generator=torch.Generator().manual_seed(0)) * .2
    pose[:, 0] = torch.tensor([np.pi, 0, 0])
    betas = torch.zeros(3, 11)
    betas[1, 10] = .5
    transl = torch.tensor([[-1., 0, 4], [0, 0, 4.5], [1, 0, 5]])
    return dict(global_orient=pose[:num, 0], body_pose=pose[:num, 1:], betas=betas[:num], transl=transl[:num])


def make_sample(body_model, true, pred, scores=None, img_id='seq/mafia/0.jpg'):
    """A sample whose truth also has what the joint protocols and Relative Human annotate."""
    sample = HumanDataSample(metainfo=dict(img_id=img_id, img_shape=(480, 640)))
    scores = torch.ones(len(pred['transl'])) if scores is None else torch.as_tensor(scores)
    sample.pred_instances = People(**pred, scores=scores)
    posed = body_model(torch.cat([true['global_orient'][:, None], true['body_pose']], 1), true['betas'], true['transl'])
    h36m = body_model.select_joints(posed, 'h36m17')
    sample.gt_instances = People(
        **true, keypoints_3d=h36m, keypoints_3d_valid=torch.ones(h36m.shape[:2]),
        keypoints_2d=h36m[..., :2] / h36m[..., 2:] * 500 + CAMERA[:2, 2],
        keypoints_2d_valid=torch.ones(h36m.shape[:2], dtype=bool))
    sample.pred_camera, sample.gt_camera = Camera(intrinsics=CAMERA), Camera(intrinsics=CAMERA)
    return sample


def evaluate(name, samples, **kwargs):
    if name != 'RelativeHumanMetric':
        kwargs['body_model'] = BODY
    evaluator = Evaluator(METRICS.build(dict(type=name, **kwargs)))
    for sample in samples:
        evaluator.process([sample])
    assert len(evaluator.metrics[0].results) == len(samples)
    return {key.split('/')[1]: value for key, value in evaluator.evaluate(len(samples)).items()}


PERFECT = {
    'AGORAMetric': dict(precision=100, f1=100, mpjpe=0, mve=0, nmje=0, kid_precision=100, kid_mpjpe=0),
    'DPWMetric': dict(recall=100, mpjpe=0, pa_mve=0, focal_error=0, height_error=0, gt_focal_mean=500),
    'PanopticMetric': dict(mafia=0, mean=0, missed=0),
    'MuPoTSMetric': dict(pck_all=100, pck_matched=100, mismatch=0),
    'CameraSpaceMetric': dict(translation_error=0, height_error=0, fov_error=0, depth_order=100, pcdr=100, f1=100),
}


@pytest.mark.parametrize('name, kwargs', VARIANTS)
def test_the_truth_is_perfect(body_model, name, kwargs):
    metrics = evaluate(name, [make_sample(body_model, crowd(3), crowd(3))], **kwargs)
    for key, value in PERFECT[name].items():
        assert metrics[key] == pytest.approx(value, abs=1e-2), key


@pytest.mark.parametrize('name, kwargs', VARIANTS)
def test_empty_images(body_model, name, kwargs):
    pairs = [(0, 0), (0, 2), (2, 0), (3, 3)]
    samples = [make_sample(body_model, crowd(true), crowd(pred)) for pred, true in pairs]
    metrics = evaluate(name, samples, **kwargs)
    for key, value in dict(recall=60, precision=60, mean=0, pck_all=60, mismatch=2, missed=2).items():
        if key in metrics:
            assert metrics[key] == pytest.approx(value, abs=1e-3), key
    nobody = [make_sample(body_model, crowd(0), crowd(0))]
    assert all(np.isnan(value) or value in (0, 500) for value in evaluate(name, nobody, **kwargs).values())


@pytest.mark.parametrize('name', MESH_METRICS)
def test_doubtful_predictions_do_not_count(body_model, name):
    sample = make_sample(body_model, crowd(2), crowd(3), scores=[.9, .31, .3])
    metrics = evaluate(name, [sample])
    assert metrics.get('precision', 100) == 100
    few = evaluate(name, [sample], threshold=.5)
    if name != 'PanopticMetric':
        lost = dict(AGORAMetric='recall', DPWMetric='recall', MuPoTSMetric='pck_all', CameraSpaceMetric='recall')[name]
        assert few[lost] == 50
    else:
        assert few['mean'] > 1 and metrics['mean'] == pytest.approx(0, abs=1e-3)


def test_known_errors_in_camera_space(body_model):
    pred = crowd(2)
    pred['transl'] = pred['transl'] * 1.1
    sample = make_sample(body_model, crowd(2), pred)
    sample.pred_camera = Camera(intrinsics=CAMERA * torch.tensor([[1.1], [1.1], [1]]) + torch.tensor(
        [[0, 0, -32.], [0, 0, -24], [0, 0, 0]]))
    sample.pred_instances.heights = body_model.height(pred['betas']) + torch.tensor([.1, 0])
    sample.pred_instances.heights_std = torch.tensor([.1, .1])
    metrics = evaluate('CameraSpaceMetric', [sample])
    true = crowd(2)['transl']
    assert metrics['translation_error'] == pytest.approx((true.norm(dim=-1) * .1).mean().item(), rel=1e-4)
    assert metrics['height_error'] == pytest.approx(.05, abs=1e-5)
    assert (metrics['height_coverage_50'], metrics['height_coverage_90']) == (50, 100)
    assert metrics['fov_error'] == pytest.approx(np.degrees(2 * (np.arctan(.48) - np.arctan(.48 / 1.1))), abs=1e-4)
    assert 'depth_coverage_50' not in metrics


def test_panoptic_threshold_depends_on_earlier_images_in_parity_only(body_model):
    wrong = crowd(2)
    wrong['body_pose'] = wrong['body_pose'] + .8 * torch.tensor([[0.], [1]])[..., None]  # the second is far off
    doubtful = make_sample(body_model, crowd(1), crowd(1), scores=[.1])
    both = make_sample(body_model, {k: v[:1] for k, v in crowd(2).items()}, wrong, scores=[.2, .9])
    for parity in (False, True):
        figures = [evaluate('PanopticMetric', samples, parity=parity)['mean']
                   for samples in ([doubtful, both], [both, doubtful])]
        assert (figures[0] != figures[1]) == parity


@pytest.mark.parametrize('name, field', [('PanopticMetric', 'keypoints_3d'), ('MuPoTSMetric', 'keypoints_2d')])
def test_joints_of_another_order_are_refused(body_model, name, field):
    sample = make_sample(body_model, crowd(1), crowd(1))
    sample.gt_instances = People(keypoints_3d=torch.zeros(1, 24, 3), keypoints_3d_valid=torch.ones(1, 24),
                                 keypoints_2d=torch.zeros(1, 24, 2), keypoints_2d_valid=torch.ones(1, 24))
    with pytest.raises(ValueError, match=r'mafia.*keypoints_3d.*24.*h36m17'):
        evaluate(name, [sample])


@pytest.mark.parametrize('name', ['AGORAMetric', 'DPWMetric'])
def test_truth_of_another_body_model_is_refused(body_model, name):
    sample = make_sample(body_model, crowd(1), crowd(1))
    sample.set_metainfo(dict(body_model='SMPL', img_id='a.jpg'))
    with pytest.raises(BodyModelError, match='a.jpg, the truth: its meshes are of SMPL, this body model is OpenBody'):
        evaluate(name, [sample])


def test_gendered_truth(tmp_path):
    folder = str(write_synthetic_smpl(tmp_path))
    config = dict(type='SMPL+A', model_path=folder)
    metric = METRICS.build(dict(type='DPWMetric', body_model=config,
                                gendered={name: dict(config, gender=name) for name in ('male', 'female')}))
    # The synthetic body is the same for all genders: let men be a head taller, to see who is posed by which body.
    metric.gendered['male'].template *= 1.1
    sample = make_sample(metric.body_model, crowd(3), crowd(3))
    with pytest.raises(KeyError, match='male_probs'):
        metric.record(sample.to_dict())
    sample.gt_instances.male_probs = torch.tensor([1., 0, 1])
    record = metric.record(sample.to_dict())
    size = metric.body_model.height(crowd(3)['betas']).numpy()
    assert (record['height_error'] > .05 * size).tolist() == [True, False, True]
    assert record['mpjpe'][1] == pytest.approx(0, abs=1e-3) and record['mpjpe'][0] > 10


def test_body_vertices_of_agora(body_model, tmp_path):
    np.save(tmp_path / 'rows.npy', np.arange(10))
    pred = crowd(1)
    pred['body_pose'] = pred['body_pose'] + .1
    sample = make_sample(body_model, crowd(1), pred)
    everything = evaluate('AGORAMetric', [sample])
    some = evaluate('AGORAMetric', [sample], body_vertices=str(tmp_path / 'rows.npy'))
    assert some['mpjpe'] == everything['mpjpe'] and abs(some['mve'] - everything['mve']) > 1


def test_children_of_agora(body_model):
    """Those annotated as such; without annotation, those whose child coefficient is above 0 (here the second)."""
    sample = make_sample(body_model, crowd(3), crowd(3), scores=[1., 0, 1])
    assert evaluate('AGORAMetric', [sample])['kid_recall'] == 0
    sample.gt_instances.is_child = torch.tensor([True, True, False])
    assert evaluate('AGORAMetric', [sample])['kid_recall'] == 50


def test_pixels_of_resized_images(body_model):
    """An image of 640 px seen at 1280: focal lengths double, and joints 25 px off are too far for MuPoTS' 40 px."""
    sample = make_sample(body_model, crowd(3), crowd(3))
    sample.pred_camera = Camera(intrinsics=CAMERA * torch.tensor([[1.], [1.02], [1]]))
    for long_side, factor in ((None, 1), (1280, 2), (320, .5)):
        figures = evaluate('DPWMetric', [sample], long_side=long_side)
        assert figures['gt_focal_mean'] == 500 * factor and figures['mpjpe'] == pytest.approx(0, abs=1e-3)
    sample.pred_camera = Camera(intrinsics=CAMERA + torch.tensor([[0., 0, 25], [0, 0, 0], [0, 0, 0]]))
    assert evaluate('MuPoTSMetric', [sample])['mismatch'] == 0
    assert evaluate('MuPoTSMetric', [sample], long_side=1280)['mismatch'] == 3


def relative_sample(offset=0., joints=14):
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', img_shape=(480, 640)))
    keypoints = torch.rand(2, joints, 2, generator=torch.Generator().manual_seed(0)) * 100
    keypoints[1] += 300
    sample.gt_instances = People(
        keypoints_2d=keypoints, keypoints_2d_valid=torch.ones(2, joints, dtype=bool),
        depth_layers=torch.tensor([0, 1]), ages=torch.tensor([30., 5.]))
    sample.pred_instances = People(keypoints_2d=keypoints + offset, transl=torch.tensor([[0., 0, 2], [0, 0, 3]]),
                                   scores=torch.tensor([.9, .4]))
    return sample


@pytest.mark.parametrize('parity', [False, True])
@pytest.mark.parametrize('long_side', [None, 1288])
def test_relative_human(parity, long_side):
    metrics = evaluate('RelativeHumanMetric', [relative_sample(2.)], parity=parity, long_side=long_side)
    assert metrics['pcdr'] == metrics['pcdr_adult'] == metrics['pcdr_kid'] == metrics['mpckh'] == 100
    assert metrics['f1'] == 100 and np.isnan(metrics['pcdr_baby'])
    half = evaluate('RelativeHumanMetric', [relative_sample(2.)], parity=parity, threshold=.5)
    assert half['pcdr'] == half['pcdr_kid'] == 0 and np.isnan(half['pcdr_adult'])


def test_relative_human_needs_its_joints():
    with pytest.raises(ValueError, match=r'a.jpg.*crowdpose14'):
        evaluate('RelativeHumanMetric', [relative_sample(joints=45)])


@pytest.mark.parametrize('name', [*MESH_METRICS, 'RelativeHumanMetric'])
def test_records_are_small_and_plain(body_model, name):
    metric = METRICS.build(dict(type=name, **({} if name == 'RelativeHumanMetric' else dict(body_model=BODY))))
    sample = relative_sample() if name == 'RelativeHumanMetric' else make_sample(body_model, crowd(3), crowd(3))
    record = metric.record(sample.to_dict())
    sizes = [np.asarray(value).nbytes for value in record.values() if not isinstance(value, str)]
    assert sum(sizes) < 5000
    assert all(isinstance(value, (np.ndarray, int, str)) for value in record.values())
