"""COCO's average precision: against counts made by hand, and the metric on tables of annotated joints."""
import numpy as np
import pytest
import torch
from pycocotools.coco import COCO as CocoFile
from pycocotools.cocoeval import COCOeval
from writer_public import write_public_set

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.evaluation.functional.keypoint_ap import SIGMAS, keypoint_metrics, keypoint_record
from mmhuman_dto.registry import BODY_MODELS, METRICS, READERS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.tables.people_table import PeopleTableBuilder

BODY = dict(type='OpenBody')
CAMERA = torch.tensor([[500., 0, 320], [0, 500, 240], [0, 0, 1]])
COCO = SIGMAS['coco17']


def people(*centres, size=100.):
    """17 joints of people at (x, y) px, each in a box with sides of ``size``, and the boxes."""
    offsets = np.random.default_rng(0).uniform(-size / 2, size / 2, (17, 2))
    centres = np.array(centres, dtype=np.float64).reshape(-1, 1, 2)
    return centres + offsets, np.concatenate([centres - size / 2, centres + size / 2], -1)[:, 0]


def record(pred, scores, true, boxes=None, visible=None):
    return keypoint_record(pred, scores, true, np.ones(true.shape[:2]) if visible is None else visible, boxes)


def test_sigmas_belong_to_the_joints_of_their_sets():
    for name, sigmas in SIGMAS.items():
        names = JOINT_SETS[name].names
        assert len(sigmas) == len(names)
        assert all(sigmas[i] == sigmas[j] for i, j in enumerate(JOINT_SETS[name].flip_permutation)), name
    shared = dict(zip(JOINT_SETS['coco17'].names, COCO))
    crowd = dict(zip(JOINT_SETS['crowdpose14'].names, SIGMAS['crowdpose14']))
    assert all(crowd[name] == sigma for name, sigma in shared.items() if name in crowd)


def test_the_truth_is_perfect_and_nobody_found_is_nothing():
    joints, boxes = people((100, 100), (300, 200))
    perfect = keypoint_metrics([record(joints, [.9, .8], joints, boxes)], COCO)
    assert [perfect[name] for name in ('ap', 'ap_75', 'ar')] == pytest.approx([1, 1, 1])
    # .53 x 100 x 100 px is a medium person.
    assert perfect['ap_medium'] == pytest.approx(1) and np.isnan(perfect['ap_large'])
    none = keypoint_metrics([record(joints[:0], [], joints, boxes)], COCO)
    assert none['ap'] == none['ar'] == 0
    nobody = keypoint_metrics([record(joints[:0], [], joints[:0])], COCO)
    assert all(np.isnan(value) for value in nobody.values())


def test_precision_by_hand():
    """Found by descending score: right, wrong, right. Precision 1 up to recall 1/2 (51 of 101 places), then 2/3."""
    joints, boxes = people((100, 100), (300, 200), (500, 400))
    images = [record(joints[[0, 2]], [.9, .8], joints[:1], boxes[:1]),
              record(joints[[1]], [.7], joints[[1]], boxes[[1]])]
    figures = keypoint_metrics(images, COCO)
    for name in ('ap', 'ap_50', 'ap_75'):
        assert figures[name] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert figures['ar'] == 1
    # The doubtful one below all others costs nothing.
    images[0] = record(joints[[0, 2]], [.9, .1], joints[:1], boxes[:1])
    assert keypoint_metrics(images, COCO)['ap'] == pytest.approx(1)


@pytest.mark.parametrize('name, joint', [('coco17', 'nose'), ('coco17', 'left_hip'), ('crowdpose14', 'head_top')])
def test_similarity_by_hand(name, joint):
    """One visible joint, off by what makes its OKS .77: right at .5, .55 ... .75, wrong at the other four."""
    count, row = len(JOINT_SETS[name].names), JOINT_SETS[name].names.index(joint)
    true = np.full((1, count, 2), 50.)
    visible = np.zeros((1, count))
    visible[0, row] = 1
    area = .53 * 100 * 80
    off = np.sqrt(-2 * np.log(.77) * area) * 2 * SIGMAS[name][row]
    pred = true.copy()
    pred[0, row] += [.6 * off, -.8 * off]
    figures = keypoint_metrics([record(pred, [.5], true, np.array([[0, 0, 100, 80.]]), visible)], SIGMAS[name])
    assert figures['ap'] == pytest.approx(.6) and figures['ar'] == pytest.approx(.6)
    assert figures['ap_75'] == pytest.approx(1)


def test_who_counts():
    joints, boxes = people((100, 100), (300, 200))
    hidden = np.ones((2, 17))
    hidden[1] = 0
    assert keypoint_metrics([record(joints[:1], [.9], joints, boxes, hidden)], COCO)['ap'] == pytest.approx(1)
    flat = boxes.copy()
    flat[1, 2] = flat[1, 0]
    assert keypoint_metrics([record(joints[:1], [.9], joints, flat)], COCO)['ap'] == pytest.approx(1)
    assert keypoint_metrics([record(joints[:1], [.9], joints, boxes)], COCO)['ap'] == pytest.approx(51 / 101)
    # Without boxes that of the visible joints says how large a person is.
    tight = record(joints, [.9, .8], joints)['boxes']
    np.testing.assert_allclose(tight, np.concatenate([joints.min(1), joints.max(1)], -1))


def test_areas_say_how_large_somebody_is():
    joints, boxes = people((100, 100), (300, 200))
    figures = keypoint_metrics([keypoint_record(joints, [.9, .8], joints, np.ones((2, 17)), boxes, [31.**2, 97.**2])],
                               COCO)
    assert figures['ap_large'] == pytest.approx(1) and np.isnan(figures['ap_medium'])


def test_who_is_found_among_spectators_is_not_wrong():
    """A region of many people takes any number of predictions, somebody without joints one."""
    joints, boxes = people((100, 100), (300, 200), (310, 200), (320, 200))
    visible = np.ones((2, 17))
    visible[1] = 0
    figures = {crowd: keypoint_metrics([keypoint_record(
        joints, [.1, .9, .8, .7], joints[:2], visible, boxes[:2], crowd=[False, crowd])], COCO)
        for crowd in (True, False)}
    assert figures[True]['ap'] == pytest.approx(1)
    assert figures[False]['ap'] == pytest.approx(1 / 3)


def test_figures_of_a_json_of_coco_are_those_of_cocoeval_itself(tmp_path, body_model):
    """Through reader, table and metric, against pycocotools on the same file."""
    scenes = [sample_scene(i, body_model, CrowdConfig(size=(360, 540), people=(3, 5)), seed=8) for i in range(3)]
    reader = READERS.build(write_public_set('COCOKeypoints', tmp_path, scenes, BODY))
    table, metric = PeopleTableBuilder(None), METRICS.build(dict(type='KeypointAPMetric', body_model=BODY))
    for sample in reader:
        table.add(sample)
    table.write(tmp_path / 'table')
    found, rng = [], np.random.default_rng(0)
    for sample, scene in zip(HumanTable(reader.img_root, tmp_path / 'table'), scenes):
        pose, betas, transl = (torch.as_tensor(x, dtype=torch.float32) for x in (scene.pose, scene.betas, scene.transl))
        transl = transl + torch.tensor(rng.normal(0, .03, transl.shape), dtype=torch.float32)
        sample.pred_instances = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl,
                                       scores=torch.tensor(rng.uniform(.1, 1, len(pose)), dtype=torch.float32))
        sample.pred_camera = Camera(intrinsics=torch.as_tensor(scene.intrinsics, dtype=torch.float32))
        metric.process({}, [sample.to_dict()])
        joints = body_model.select_joints(body_model(torch.as_tensor(pose), betas, transl), 'coco17')
        pixels = joints @ sample.pred_camera.intrinsics.T
        number = 1000 + reader.ids.index(sample.img_id)
        found += [dict(image_id=number, category_id=1, score=float(score), keypoints=np.column_stack(
            [xy - .5, np.ones(17)]).ravel().tolist()) for xy, score in zip((pixels[..., :2] / pixels[..., 2:]).numpy(),
                                                                          sample.pred_instances.scores)]
    truth = CocoFile(str(reader.path))
    evaluation = COCOeval(truth, truth.loadRes(found), 'keypoints')
    for step in ('evaluate', 'accumulate', 'summarize'):
        getattr(evaluation, step)()
    figures = list(metric.evaluate(3).values())
    assert .05 < figures[0] < .95 and len(figures) == len(evaluation.stats)
    np.testing.assert_allclose(figures, np.where(evaluation.stats < 0, np.nan, evaluation.stats), atol=1e-6)


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(BODY)


def bodies():
    """Two people who stand 4 and 5 m away."""
    pose = torch.randn(2, 24, 3, generator=torch.Generator().manual_seed(0)) * .2
    pose[:, 0] = torch.tensor([np.pi, 0, 0])
    return People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.zeros(2, 11),
                  transl=torch.tensor([[-1., 0, 4], [1, 0, 5]]))


def annotated(folder, body_model, joint_set):
    """A :class:`HumanTable` sample with 2D joints of the bodies, through files."""
    people = bodies()
    joints = body_model.select_joints(body_model(people.pose, people.betas, people.transl), joint_set)
    pixels = joints @ CAMERA.T
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    points = pixels[..., :2] / pixels[..., 2:]
    sample.pred_instances = People(
        keypoints_2d=points, keypoints_2d_valid=torch.ones(points.shape[:2], dtype=torch.bool),
        bboxes=torch.cat([points.amin(1), points.amax(1)], -1))
    table = PeopleTableBuilder('OpenBody')
    table.add(sample)
    table.write(folder / joint_set)
    return HumanTable(folder, folder / joint_set, joint_set=joint_set, has_3d=False)[0]


def figures_of(sample, **kwargs):
    metric = METRICS.build(dict(type='KeypointAPMetric', body_model=BODY, **kwargs))
    metric.process({}, [sample.to_dict()])
    return {name.split('/')[1]: value for name, value in metric.evaluate(1).items()}


@pytest.mark.parametrize('truth, joint_set', [('coco17', 'coco17'), ('crowdpose14', 'crowdpose14'),
                                              ('smpl45', 'coco17')])
def test_metric_on_annotated_joints(tmp_path, body_model, truth, joint_set):
    sample = annotated(tmp_path, body_model, truth)
    sample.pred_instances = bodies()
    sample.pred_instances.scores = torch.tensor([.9, .2])
    sample.pred_camera = Camera(intrinsics=CAMERA)
    assert figures_of(sample, joint_set=joint_set)['ap'] == pytest.approx(1)
    assert figures_of(sample, joint_set=joint_set, threshold=.5)['ap'] == pytest.approx(51 / 101)
    sample.pred_camera = Camera(intrinsics=CAMERA * torch.tensor([[1.3], [1], [1]]))
    assert figures_of(sample, joint_set=joint_set)['ap'] < .5
    nobody = torch.zeros(2, dtype=torch.bool)
    sample.pred_instances = sample.pred_instances[nobody]
    assert figures_of(sample, joint_set=joint_set)['ap'] == 0


def test_names_of_joints_instead_of_a_set(tmp_path, body_model):
    sample = annotated(tmp_path, body_model, 'smpl45')
    sample.set_metainfo(dict(joint_set=body_model.joint_names))
    sample.pred_instances, sample.pred_camera = bodies(), Camera(intrinsics=CAMERA)
    sample.pred_instances.scores = torch.ones(2)
    assert figures_of(sample)['ap'] == pytest.approx(1)


def test_other_joints_are_refused(tmp_path, body_model):
    sample = annotated(tmp_path, body_model, 'crowdpose14')
    sample.pred_instances, sample.pred_camera = bodies(), Camera(intrinsics=CAMERA)
    sample.pred_instances.scores = torch.ones(2)
    with pytest.raises(ValueError, match=r"a.jpg.*lacks \['nose', .* of coco17"):
        figures_of(sample)
    with pytest.raises(ValueError, match="'h36m17' has no sigmas, expected one of coco17, crowdpose14"):
        METRICS.build(dict(type='KeypointAPMetric', body_model=BODY, joint_set='h36m17'))
