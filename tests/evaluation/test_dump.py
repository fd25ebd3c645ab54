"""Evaluations on disk: scored again they give the same figures, and several processes write what one writes."""
import json
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from mmhuman_dto.apis.scoring import DumpedSamples, DumpError, image_figures, more_is_better, score, write_figures
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.registry import METRICS


def same(first, second):
    """Equal to the last digit, nan included."""
    return first.keys() == second.keys() and all(
        a == b or math.isnan(a) and math.isnan(b) for a, b in zip(first.values(), second.values()))


@pytest.fixture(scope='session')
def single(cases, tmp_path_factory):
    """Folder of figures and dumps that one process wrote."""
    folder = tmp_path_factory.mktemp('single')
    cases.main(folder)
    return folder


@pytest.fixture(scope='session')
def figures(single):
    return json.loads((single / 'figures.json').read_text())


@pytest.mark.parametrize('case', ['bodies', 'h36m', 'crowdpose'])
def test_a_dump_gives_the_figures_of_the_evaluation(cases, single, figures, case):
    assert same(score(single / case, cases.CASES[case][1]), figures[case])
    # The figures say something: people were found, not perfectly.
    assert any(0 < value < 1e3 and value != 100 for value in figures[case].values())


def test_several_processes_give_what_one_gives(cases, single, figures, tmp_path):
    """Seven images on two processes: one of them sees an image twice."""
    run = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--rdzv_backend=c10d',
         '--rdzv_endpoint=127.0.0.1:0', cases.__file__, str(tmp_path), 'gloo'], cwd=tmp_path, capture_output=True,
        text=True, env=dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1'), timeout=300)
    assert run.returncode == 0, run.stderr
    two = json.loads((tmp_path / 'figures.json').read_text())
    for case in cases.CASES:
        assert same(two[case], figures[case])
        for path in sorted((single / case).rglob('*')):
            if path.is_file():
                assert (tmp_path / case / path.relative_to(single / case)).read_bytes() == path.read_bytes(), path


def test_order_and_people_are_those_of_the_data_set(cases, single):
    dumped = DumpedSamples(single / 'bodies')
    samples = cases.make_samples('smpl45', cases.BODY_MODELS.build(cases.BODY))
    assert [sample.img_id for sample in dumped] == [sample.img_id for sample in samples]
    for ours, given in zip(dumped, samples):
        for side in ('gt', 'pred'):
            people, want = ours.get(f'{side}_instances'), given.get(f'{side}_instances')
            assert set(people.keys()) == set(want.keys())
            for name in want.keys():  # noqa: SIM118
                assert torch.equal(people[name].nan_to_num(-1), want[name].nan_to_num(-1)), name
        assert torch.equal(ours.pred_camera.intrinsics, given.pred_camera.intrinsics)
        assert (ours.img_shape, ours.joint_set, ours.body_model) == ((480, 640), 'smpl45', 'OpenBody')


def test_tables_of_a_dump_are_data_sets(single, tmp_path):
    for name in ('predictions', 'truth'):
        dataset = HumanTable(tmp_path, single / 'crowdpose' / name)
        assert len(dataset) == 7 and dataset[3].joint_set == 'crowdpose14'
        assert dataset[3].gt_instances.keypoints_2d.shape[1:] == (14, 2)
    assert 'scores' in HumanTable(tmp_path, single / 'crowdpose/predictions')[3].gt_instances


def test_nothing_in_a_dump_is_pickled(single):
    assert not (single / 'bodies/.parts').exists()
    for path in (single / 'bodies').rglob('*.npy'):
        np.load(path, allow_pickle=False)
    assert {path.suffix for path in (single / 'bodies').rglob('*') if path.is_file()} == {'.npy', '.json'}


def test_few_images_wait_in_memory(cases, tmp_path):
    metric = METRICS.build(dict(type='DumpPeople', folder=tmp_path / 'dump', body_model='OpenBody', chunk=3,
                                joint_set='smpl45'))
    samples = cases.make_samples('smpl45', cases.BODY_MODELS.build(cases.BODY))
    waiting = []
    for sample in samples:
        metric.process({}, [sample.to_dict()])
        waiting.append(len(metric.waiting))
    assert waiting == [1, 2, 0, 1, 2, 0, 1] and metric.results == []


def test_a_folder_with_something_in_it_is_refused(cases, single):
    with pytest.raises(FileExistsError, match='bodies is not empty'):
        METRICS.build(dict(type='DumpPeople', folder=single / 'bodies', body_model='OpenBody', joint_set='smpl45'))


def test_no_dump(tmp_path, single):
    with pytest.raises(DumpError, match='no predictions and no truth.*--dump'):
        DumpedSamples(tmp_path)
    with pytest.raises(DumpError, match='no predictions in it'):
        (tmp_path / 'truth').symlink_to(single / 'bodies/truth')
        DumpedSamples(tmp_path)


def test_figures_of_each_image(cases, single, figures):
    config = dict(type='CameraSpaceMetric', body_model=cases.BODY)
    rows = dict(image_figures(single / 'bodies', config))
    assert len(rows) == 7 and math.isnan(rows['mafia/0.jpg']['translation_error'])  # nobody is there
    found = {image: row['translation_error'] for image, row in rows.items() if not math.isnan(row['translation_error'])}
    assert min(found.values()) <= figures['bodies']['camera_space/translation_error'] <= max(found.values())
    one = DumpedSamples(single / 'bodies')[3]
    metric = METRICS.build(config)
    metric.process(None, [one.to_dict()])
    assert same(metric.compute_metrics(metric.results), rows[one.img_id])


def test_which_figures_are_better_high():
    better = ('recall', 'kid_f1', 'pcdr_baby', 'ap_50', 'ar', 'pck_all', 'depth_order_0.5_1', 'mpckh')
    worse = ('mpjpe', 'kid_nmve', 'pa_mpjpe', 'translation_error', 'focal_error', 'missed', 'mean', 'fov_error')
    assert all(map(more_is_better, better)) and not any(map(more_is_better, worse))


def test_figures_as_json(tmp_path):
    write_figures(tmp_path / 'a.json', dict(a=np.float32(1.5), b=float('nan'), c=3))
    assert json.loads((tmp_path / 'a.json').read_text()) == dict(a=1.5, b=None, c=3.)


def test_records_travel_between_processes(cases):
    """Every metric's record survives being sent, and figures come from records alone."""
    for joint_set, configs in cases.CASES.values():
        samples = cases.make_samples(joint_set, cases.BODY_MODELS.build(cases.BODY))
        for config in configs:
            metric = METRICS.build(config)
            metric.process({}, [sample.to_dict() for sample in samples])
            assert len(metric.results) == len(samples)
            sent = pickle.loads(pickle.dumps(metric.results))
            assert same(metric.compute_metrics(sent), metric.compute_metrics(metric.results))
