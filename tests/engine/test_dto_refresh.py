"""What a round of DTORefreshHook makes of labels, and how labels are kept."""
import shutil
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from evidence_table import IMAGES, TRUTH, write_evidence_table
from refresh_round import SOLVER, one_rank, run_round
from unbroken import killed, read_bytes

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.dto import DTOOptimizer
from mmhuman_dto.engine.hooks.dto_refresh import refreshable
from mmhuman_dto.engine.hooks.dto_refresh_scenes import SceneRefresher, as_columns, as_rows
from mmhuman_dto.engine.hooks.dto_refresh_versions import LabelVersionError, LabelVersions
from mmhuman_dto.fileio import load_json
from mmhuman_dto.geometry import project
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTable


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_evidence_table(tmp_path_factory.mktemp('crowd'), 4, solver=dict(type='PosteriorDTO'))


@pytest.fixture(scope='module')
def unsure(tmp_path_factory):
    return write_evidence_table(tmp_path_factory.mktemp('unsure'), 4)


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


@pytest.fixture
def rows(folder):
    table = PeopleTable(folder)
    return [table[i] for i in range(len(table))]


@pytest.fixture
def truth(rows):
    """The exact people of ``rows`` as a network would predict them."""
    table = PeopleTable(TRUTH)
    index = {table.image_id(i): i for i in range(len(table))}
    samples = [table[index[row.img_id]] for row in rows]
    for sample, row in zip(samples, rows):
        sample.pred_instances = sample.pred_instances[row.pred_instances.person_index]
    return samples


def corrupted(row, seed=0):
    """Labels whose people are too near or too far, and as much too small or too large; nobody knows how wrong."""
    factor = torch.from_numpy(np.random.default_rng(seed).uniform(.7, 1.4, len(row.pred_instances))).float()
    label = HumanDataSample()
    people = row.pred_instances
    label.pred_instances = People(transl=people.transl * factor[:, None], betas=people.betas)
    label.pred_camera = row.pred_camera
    return label


def refresh(rows, last, predictions, body_model, solver=SOLVER):
    return SceneRefresher(body_model, DTOOptimizer(solver), .3)(rows, last, predictions)


def roots(body_model, row, label):
    people = row.pred_instances
    return body_model.skeleton(people.pose, label.pred_instances.betas, label.pred_instances.transl)[:, :1]


def depth_errors(label, true):
    """Relative errors of depth, but for what all people of an image share: the focal length is not known."""
    ratio = (label.pred_instances.transl / true.pred_instances.transl)[:, 2]
    return (ratio / ratio.median() - 1).abs().numpy()


def test_labels_get_nearer_to_the_truth_and_stay_where_they_are_seen(rows, truth, body_model):
    last = [corrupted(row) for row in rows]
    labels = refresh(rows, last, truth, body_model)
    errors = [np.concatenate([depth_errors(*pair) for pair in zip(some, truth)]).mean() for some in (last, labels)]
    assert errors[1] < min(errors[0] / 2, .05)
    for row, label, true in zip(rows, labels, truth):
        assert label.moved.all()
        people, exact = label.pred_instances, true.pred_instances
        heights = (people.heights - exact.heights).abs()
        assert heights.mean() < .1 and heights.max() < .3
        torch.testing.assert_close(people.heights, body_model.height(people.betas))
        assert (people.depths_std > 0).all() and (people.heights_std > 0).all()
        before, after = (project(roots(body_model, row, of), of.pred_camera.intrinsics) for of in (row, label))
        torch.testing.assert_close(after, before, rtol=0, atol=5.)  # px, of pictures 768 px wide


def test_every_round_starts_from_the_annotation(rows, truth, body_model):
    first = refresh(rows, [corrupted(row) for row in rows], truth, body_model)
    second = refresh(rows, [corrupted(row, 1) for row in rows], truth, body_model)
    for one, other in zip(first, second):
        assert all(one.pred_instances[name].equal(other.pred_instances[name]) for name in ('transl', 'betas'))


def nobody(row):
    sample = HumanDataSample()
    sample.pred_instances = People(global_orient=torch.zeros(0, 3), body_pose=torch.zeros(0, 23, 3),
                                   betas=torch.zeros(0, 11), transl=torch.zeros(0, 3))
    sample.pred_camera = Camera(intrinsics=row.pred_camera.intrinsics)
    return sample


def broken(true):
    sample = HumanDataSample()
    sample.pred_instances = People(**{name: torch.full_like(true.pred_instances[name], torch.nan)
                                      for name in ('global_orient', 'body_pose', 'betas', 'transl')})
    sample.pred_camera = true.pred_camera
    return sample


@pytest.mark.parametrize('what', ['nobody', 'nan', 'sure'])
def test_people_who_are_not_found_or_were_surer_keep_their_label(what, rows, truth, body_model):
    last, predictions = [corrupted(row) for row in rows], truth
    if what == 'nobody':
        predictions = [nobody(row) for row in rows]
    elif what == 'nan':
        predictions = [broken(true) for true in truth]
    else:
        for label in last:
            label.pred_instances.depths_std = torch.full_like(label.pred_instances.transl[:, 0], 1e-4)
    for before, label in zip(last, refresh(rows, last, predictions, body_model)):
        assert not label.moved.any()
        assert label.pred_instances.transl.equal(before.pred_instances.transl)
        assert label.pred_instances.betas.equal(before.pred_instances.betas)
        assert label.pred_camera.intrinsics.equal(before.pred_camera.intrinsics)


def test_who_stays_follows_the_camera(rows, truth, body_model):
    row, last = rows[0], corrupted(rows[0])
    last.pred_instances.depths_std = torch.full_like(last.pred_instances.transl[:, 0], 1e-4)
    last.pred_instances.depths_std[1] = 1e4
    before = last.clone()
    before.pred_instances = last.pred_instances.clone()
    label, = refresh([row], [last], truth[:1], body_model)
    assert label.moved.tolist() == [i == 1 for i in range(len(label.moved))]
    factor = (label.pred_camera.intrinsics / before.pred_camera.intrinsics)[1, 1]
    assert abs(factor - 1) > 1e-3
    depths = [roots(body_model, row, of)[[0, 2], 0, 2] for of in (before, label)]
    torch.testing.assert_close(depths[1], depths[0] * factor)
    assert label.pred_instances.betas[0].equal(before.pred_instances.betas[0])


def test_a_solver_that_does_not_say_how_sure_it_is(rows, truth, body_model):
    last = [corrupted(row) for row in rows]
    for before, label in zip(last, refresh(rows, last, truth, body_model, dict(type='PaperDTO'))):
        changed = (label.pred_instances.transl != before.pred_instances.transl).any(-1)
        assert changed.equal(label.moved) and changed.any()
        assert label.pred_instances.depths_std.isnan().all()
        assert label.pred_camera.intrinsics.equal(before.pred_camera.intrinsics)


def test_tables_that_cannot_be_refreshed_are_named(folder, body_model, tmp_path):
    dataset = HumanTable(IMAGES, folder)
    assert refreshable(SimpleNamespace(datasets=[dataset]), body_model) == [dataset]
    with pytest.raises(ValueError, match='keep_evidence=True'):
        refreshable(HumanTable(IMAGES, TRUTH), body_model)
    with pytest.raises(ValueError, match='11 shape coefficients of OpenBody, the network has 10'):
        refreshable(dataset, SimpleNamespace(num_betas=10))
    del dataset.table.columns['image.ori_shape']
    with pytest.raises(ValueError, match='needs image.ori_shape'):
        refreshable(dataset, body_model)


@pytest.fixture
def columns(folder):
    table = PeopleTable(folder)
    people, cameras = zip(*(as_rows(table[i]) for i in range(len(table))))
    return as_columns(torch.cat(people).numpy(), torch.stack(cameras).numpy(), 11)


def test_rows_and_columns_are_the_tables(folder, columns):
    table = PeopleTable(folder)
    assert len(columns) == 6
    for name, values in columns.items():
        np.testing.assert_array_equal(values, table.columns[name])


def test_a_round_is_read_as_written_or_refused(folder, columns, tmp_path):
    tables = [PeopleTable(folder)]
    versions = LabelVersions(tmp_path, tables, dict(interval=5))
    state = versions.write(10, 2, [columns], [dict(people=3)])
    assert (state['step'], state['round']) == (10, 2)
    table, = versions.open(state)
    np.testing.assert_array_equal(table.columns['people.transl'], columns['people.transl'])
    assert table.image_id(1) == tables[0].image_id(1)
    with pytest.raises(LabelVersionError, match='another config'):
        LabelVersions(tmp_path, tables, dict(interval=6)).open(state)
    with pytest.raises(LabelVersionError, match='not there'):
        versions.open(dict(state, step=11))
    other = versions.write(10, 2, [{**columns, 'people.heights': columns['people.heights'] + 1}], [{}])
    versions.open(other)
    with pytest.raises(LabelVersionError, match='not the labels'):
        versions.open(state)


def test_killed_anywhere_a_round_is_whole_or_not_there(folder, columns, tmp_path):
    versions = LabelVersions(tmp_path / 'labels', [PeopleTable(folder)], {})
    state = versions.write(5, 1, [columns], [{}])
    shutil.rmtree(tmp_path / 'labels')
    for events in range(1, 200):
        if not killed(partial(versions.write, 5, 1, [columns], [{}]), events, tmp_path / 'labels'):
            break
        if versions.path(5).exists():
            versions.open(state)
            shutil.rmtree(versions.path(5))
    assert 10 < events < 199
    versions.open(state)


def test_a_round_changes_nothing_but_labels(unsure, tmp_path):
    dataset, hook = run_round(unsure, tmp_path)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.rand(1).equal(drawn)
    manifest = load_json(tmp_path / 'dto_labels/step_00000003/manifest.json')
    assert 0 < manifest['tables'][0]['moved'] < manifest['tables'][0]['people']
    assert hook.state['round'] == 1 and dataset.labels.folder == tmp_path / 'dto_labels/step_00000003/table_0'
    for i in range(len(dataset)):
        item, label = dataset[i], dataset.labels[i]
        assert item.gt_instances.transl.equal(label.pred_instances.transl)
        assert item.gt_camera.intrinsics.equal(label.pred_camera.intrinsics)
        assert item.gt_instances.body_pose.equal(dataset.table[i].pred_instances.body_pose)
    checkpoint = {}
    hook.before_save_checkpoint(None, checkpoint)
    assert checkpoint == dict(dto_labels=hook.state)


def test_two_processes_make_the_labels_of_one(unsure, tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
    run_round(unsure, tmp_path / 'one')
    mp.start_processes(one_rank, (unsure, tmp_path / 'two'), nprocs=2, start_method='forkserver')
    one, two = (read_bytes(tmp_path / name / 'dto_labels') for name in ('one', 'two'))
    assert one == two
    assert (tmp_path / 'two/seen_0').read_text() == (tmp_path / 'two/seen_1').read_text()
