import csv
import json

import pytest
import torch
from mmengine.config import Config
from scripts import load_script

import mmhuman_dto.models  # noqa: F401
from mmhuman_dto.apis.scoring import DumpedSamples, figure_line
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import MODELS
from mmhuman_dto.tables.people_table import PeopleTableBuilder

EVALUATION = """
_base_ = ['{config}']
body_model = dict(type='OpenBody')
model = dict(threshold=0.)
test_dataloader = dict(batch_size=1, dataset=dict(
    scenes=dict(size=(140, 168)),
    pipeline=[dict(type='Resize', input_size=112), dict(type='PackHumanInputs')]))
test_evaluator = [
    dict(type='CrowdMetric', body_model=body_model, threshold=0.),
    dict(type='CameraSpaceMetric', body_model=body_model, threshold=0.),
    dict(type='KeypointAPMetric', body_model=body_model),
]
train_dataloader = dict(dataset=dict(type='NotThere'))
"""


@pytest.fixture(scope='module')
def evaluation(config, tmp_path_factory):
    """A config that tests with three metrics."""
    path = tmp_path_factory.mktemp('evaluation') / 'evaluation.py'
    path.write_text(EVALUATION.format(config=config))
    return path


@pytest.fixture(scope='module')
def checkpoint(evaluation):
    """A network that has learnt nothing."""
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(evaluation).model)
    torch.save(model.state_dict(), evaluation.with_name('weights.pth'))
    return evaluation.with_name('weights.pth')


@pytest.fixture(scope='module')
def tested(evaluation, checkpoint, finish, tmp_path_factory):
    """Folder with out.json, the dump and the printed text of one evaluation."""
    folder = tmp_path_factory.mktemp('tested')
    status, text = finish('test.py', evaluation, checkpoint, '--work-dir', folder / 'work',
                          '--out', folder / 'out.json', '--dump', folder / 'dump')
    assert status == 0, text
    (folder / 'printed.txt').write_text(text)
    return folder


def analysis(name, *arguments):
    """Run a tool of tools/analysis_tools here."""
    load_script(f'tools/analysis_tools/{name}.py').main([str(a) for a in arguments])


def test_figures_are_printed_and_written(tested):
    figures = json.loads((tested / 'out.json').read_text())
    assert {'crowd/f1', 'crowd/pa_mpjpe', 'camera_space/fov_error', 'keypoints/ap'} <= set(figures)
    assert 0 < figures['crowd/recall'] <= 100
    assert figure_line('crowd/recall', figures['crowd/recall']) in (tested / 'printed.txt').read_text()


def test_a_dump_is_scored_again_without_the_network(tested, evaluation, tmp_path, capsys):
    analysis('score_results', tested / 'dump', evaluation, '--out', tmp_path / 'again.json')
    assert (tmp_path / 'again.json').read_text() == (tested / 'out.json').read_text()
    capsys.readouterr()
    analysis('score_results', tested / 'dump', '--metric', 'CameraSpaceMetric', '--options',
             'body_model.type=OpenBody', 'threshold=0.')
    printed = capsys.readouterr().out.splitlines()
    assert printed == [line for line in (tested / 'printed.txt').read_text().splitlines()
                       if line.startswith('camera_space/')]


def test_what_is_asked_for_wrongly_is_said(tested, evaluation, tmp_path):
    with pytest.raises(SystemExit, match='either a config or a metric'):
        analysis('score_results', tested / 'dump')
    with pytest.raises(SystemExit, match='write a dump with tools/test.py --dump'):
        analysis('score_results', tmp_path, evaluation)
    with pytest.raises(SystemExit, match='their figures begin with crowd/, camera_space/, keypoints/'):
        analysis('worst_images', tested / 'dump', evaluation, '--figure', 'agora/mve')
    with pytest.raises(SystemExit, match='no figure mve, there are precision'):
        analysis('worst_images', tested / 'dump', evaluation, '--figure', 'crowd/mve')
    for name in (path.name for path in (tested / 'dump').iterdir()):
        PeopleTableBuilder('OpenBody').write(tmp_path / 'empty' / name)
    with pytest.raises(SystemExit, match='empty: no images in it'):
        analysis('worst_images', tmp_path / 'empty', evaluation, '--figure', 'crowd/mpjpe')


def test_worst_images(tested, evaluation, tmp_path, capsys):
    analysis('worst_images', tested / 'dump', evaluation, '--figure', 'camera_space/fov_error', '--top', '2',
             '--csv', tmp_path / 'all.csv')
    values = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines()[:2]]
    with open(tmp_path / 'all.csv') as file:
        table = [row for row in csv.DictReader(file) if row['fov_error']]
    errors = sorted((float(row['fov_error']) for row in table), reverse=True)
    assert values == pytest.approx(errors[:2], abs=1e-4) and len(table) > 2
    analysis('worst_images', tested / 'dump', evaluation, '--figure', 'crowd/recall', '--top', '5')
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [float(value) for value, _ in lines] == sorted(float(value) for value, _ in lines)


def test_dumped_predictions_are_those_of_the_image(tested):
    """The network sees 112 px of images of 168 px; what lies on disk fits the original."""
    for sample in DumpedSamples(tested / 'dump'):
        assert sample.img_shape == (140, 168)
        assert sample.pred_camera.intrinsics[:2, 2].tolist() == pytest.approx([84, 70], abs=.5)
        people = sample.pred_instances
        near = people.keypoints_3d[..., 2] > .1
        seen = project(people.keypoints_3d, sample.pred_camera.intrinsics)
        torch.testing.assert_close(seen[near], people.keypoints_2d[near], rtol=1e-4, atol=.05)


@pytest.mark.slow
def test_two_processes_test_as_one(tested, evaluation, checkpoint, finish, tmp_path):
    """Five images on two processes, through the network."""
    status, text = finish('test.py', evaluation, checkpoint, '--work-dir', tmp_path / 'work',
                          '--out', tmp_path / 'out.json', '--dump', tmp_path / 'dump', ranks=2)
    assert status == 0, text
    assert (tmp_path / 'out.json').read_text() == (tested / 'out.json').read_text()
    for path in (tested / 'dump').rglob('*.npy'):
        assert (tmp_path / path.relative_to(tested)).read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize('tool, key', [
    ('train.py', 'model.head.mean_params'), ('test.py', 'test_dataloader.dataset.table')])
def test_missing_files_end_with_one_message(config, finish, tmp_path, tool, key):
    torch.save({}, tmp_path / 'empty.pth')
    first = [tmp_path / 'empty.pth'] if tool == 'test.py' else []
    status, text = finish(tool, config, *first, '--work-dir', tmp_path, '--cfg-options', f'{key}=nowhere/file')
    assert status == 1
    assert f'nowhere/file ({key})' in text and 'Traceback' not in text


def test_dry_run_tells_what_a_step_costs(config, finish):
    status, text = finish('train.py', config, '--dry-run', '--cfg-options', 'model.head.mean_params=nowhere/means.npz')
    assert status == 0, text
    assert 'all gradients finite' in text and 'GFLOP' in text and 'note: nowhere/means.npz not there' in text
