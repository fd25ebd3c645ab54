import numpy as np
import pytest
import torch

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.evaluation.metrics import CrowdMetric
from mmhuman_dto.structures import Camera, People

TAKEN = ('global_orient', 'body_pose', 'betas', 'transl', 'keypoints_2d', 'keypoints_3d')


@pytest.fixture(scope='module')
def dataset():
    return SyntheticCrowd(scenes=dict(size=(112, 168), people=(2, 3)), num_scenes=3)


def answers(dataset, change=lambda i, people, camera: (people, camera)):
    """Samples whose predictions are the truth after ``change``."""
    samples = []
    for i in range(len(dataset)):
        sample = dataset[i]
        fields = {name: sample.gt_instances[name].clone() for name in TAKEN}
        people = People(**fields, scores=torch.ones(len(sample.gt_instances)))
        camera = Camera(intrinsics=sample.gt_camera.intrinsics.clone())
        sample.pred_instances, sample.pred_camera = change(i, people, camera)
        samples.append(sample)
    return samples


def figures(samples, **kwargs):
    metric = CrowdMetric(dict(type='OpenBody'), **kwargs)
    metric.process({}, [sample.to_dict() for sample in samples])
    return metric.compute_metrics(metric.results)


def test_the_truth_is_perfect(dataset):
    values = figures(answers(dataset))
    assert values['precision'] == values['recall'] == values['f1'] == values['depth_order'] == 100
    for name in ('mpjpe', 'pa_mpjpe', 'fov_error', 'translation_error', 'height_error'):
        assert values[name] == pytest.approx(0, abs=1e-2), name


def test_errors_of_known_size(dataset):
    def change(i, people, camera):
        people.keypoints_3d[:] = people.keypoints_3d[:, :1] + 1.1 * (people.keypoints_3d - people.keypoints_3d[:, :1])
        camera.intrinsics[0, 0], camera.intrinsics[1, 1] = 100., 56.
        people.heights = dataset[i].gt_instances.heights + .1
        return people, camera

    samples = answers(dataset, change)
    values = figures(samples)
    joints = torch.cat([sample.gt_instances.keypoints_3d[:, :24] for sample in samples])
    assert values['mpjpe'] == pytest.approx(100 * (joints - joints[:, :1]).norm(dim=-1).mean().item(), rel=1e-4)
    assert values['pa_mpjpe'] == pytest.approx(0, abs=1e-2)
    assert values['height_error'] == pytest.approx(.1, rel=1e-3)  # stated heights count, not the shape's
    true = [np.degrees(2 * np.arctan(56 / sample.gt_camera.intrinsics[1, 1].item())) for sample in samples]
    assert values['fov_error'] == pytest.approx(np.mean([abs(90 - fov) for fov in true]), rel=1e-4)


def test_detection_counts(dataset):
    def change(i, people, camera):
        if i == 0:  # one too many, far from everyone
            extra = people[:1]
            people = People(**{name: torch.cat([people[name], extra[name]]) for name in (*TAKEN, 'scores')})
            people.keypoints_2d[-1] += 500
        if i == 1:  # one not confident enough
            people.scores[0] = .2
        if i == 2:
            people = people[torch.zeros(len(people), dtype=torch.bool)]
        return people, camera

    samples = answers(dataset, change)
    counts = [len(sample.gt_instances) for sample in samples]
    found = counts[0] + counts[1] - 1
    values = figures(samples)
    assert values['recall'] == pytest.approx(100 * found / sum(counts))
    assert values['precision'] == pytest.approx(100 * found / (found + 1))
    assert values['f1'] == pytest.approx(200 * found / (sum(counts) + found + 1))
    assert figures(samples, threshold=.1)['recall'] == pytest.approx(100 * (found + 1) / sum(counts))


def test_nothing_predicted_at_all(dataset):
    def change(i, people, camera):
        return people[torch.zeros(len(people), dtype=torch.bool)], camera

    values = figures(answers(dataset, change))
    assert values['recall'] == values['f1'] == 0 and np.isnan(values['mpjpe'])
