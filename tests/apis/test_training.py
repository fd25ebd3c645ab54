from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from mmhuman_dto.apis import training
from mmhuman_dto.apis.dry_run import with_stand_ins
from mmhuman_dto.apis.training import MissingFileError, build_runner, check_body_models, check_files, missing_files
from mmhuman_dto.body_models import SMPL, BodyModelError
from mmhuman_dto.structures import HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTableBuilder


def test_all_missing_files_are_named_at_once_with_where_to_get_them(tmp_path):
    (tmp_path / 'table').mkdir()
    cfg = Config(dict(
        model=dict(body_model=dict(type='SMPL', model_path='nowhere/smpl'),
                   backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='nowhere/vit.pth'))),
        train_dataloader=dict(dataset=dict(datasets=[dict(table=str(tmp_path / 'table')), dict(table='nowhere/t')])),
        val_evaluator=dict(body_model=dict(type='SMPL', model_path='nowhere/smpl')), load_from=None))
    with pytest.raises(MissingFileError) as error:
        check_files(cfg)
    text = str(error.value)
    assert text.startswith('3 files or folders are not there')
    assert 'nowhere/smpl (model.body_model.model_path, val_evaluator.body_model.model_path)' in text
    assert 'nowhere/t (train_dataloader.dataset.datasets.1.table)' in text and 'smpl.is.tue.mpg.de' in text
    assert 'nowhere/vit.pth' in text and str(tmp_path) not in text


def test_a_missing_table_names_the_command_that_writes_it():
    entries = dict(recipe=dict(table='data/3dpw/tables/test'), deep=dict(table='/mnt/data/hi4d/tables/val'),
                   own=dict(table='data/mine/tables/train'), split=dict(table='data/hi4d/tables/all'))
    hints = {path: hint for _, path, hint in missing_files(entries)}
    tool = 'python tools/dataset_converters/public2table.py'
    assert hints['data/3dpw/tables/test'] == f'{tool} 3dpw test, see docs/datasets.md'
    assert hints['/mnt/data/hi4d/tables/val'] == f'{tool} hi4d val, see docs/datasets.md'
    assert 'tools/generate_dto.py' in hints['data/mine/tables/train'] == hints['data/hi4d/tables/all']


@pytest.mark.parametrize('loader', ['train_dataloader', 'test_dataloader'])
def test_a_table_of_another_body_model_is_refused_before_anything_runs(loader, tmp_path):
    builder = PeopleTableBuilder('SMPLX')
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg'))
    sample.gt_instances = People(global_orient=torch.zeros(1, 3), body_pose=torch.zeros(1, 23, 3),
                                 betas=torch.zeros(1, 11), transl=torch.ones(1, 3))
    builder.add(sample)
    builder.write(tmp_path / 'table')
    table = dict(type='HumanTable', data_root=str(tmp_path), table=str(tmp_path / 'table'), pipeline=[])
    cfg = Config({'model': dict(body_model=dict(type='OpenBody')), loader: dict(dataset=dict(datasets=[table]))})
    with pytest.raises(BodyModelError, match=rf'{tmp_path}/table \({loader}.dataset.datasets.0.table\): its meshes are '
                                             'of SMPLX, this body model is OpenBody.*convert .*docs/datasets.md'):
        build_runner(cfg)
    table['pipeline'] = [dict(type='JointsFromMeshes', body_model=dict(type='SMPLX'), keep_meshes=False)]
    check_body_models(Config({**cfg, loader: table}))
    SMPL.check_meshes_of('SMPL+A', 'the child blend is 0 of all others')
    check_body_models(Config({**cfg, loader: table, 'model': dict(body_model=dict(type='SMPLX'))}))


@pytest.mark.parametrize('options', [dict(persistent_workers=True), dict(prefetch_factor=4),
                                     dict(multiprocessing_context='spawn', persistent_workers=True)])
@pytest.mark.parametrize('loader', ['train_dataloader', 'val_dataloader', 'test_dataloader'])
def test_without_worker_processes_their_options_are_left_out(loader, options, monkeypatch):
    built, network = [], dict(model=dict(body_model=dict(type='OpenBody')))
    runner = SimpleNamespace(from_cfg=lambda cfg: [built.append(DataLoader([1, 2], **cfg[name])) for name in cfg if (
        name.endswith('dataloader'))])
    monkeypatch.setattr(training, 'Runner', runner)
    for workers in (0, 1):
        build_runner(Config({**network, loader: dict(batch_size=2, num_workers=workers, **options)}))
    assert [loader.num_workers for loader in built] == [0, 1]
    assert all(getattr(built[1], name) for name in options)


@pytest.mark.parametrize('table, size, network, refused', [
    ('SMPL', 11, dict(type='SMPL+A'), 'SMPL, have 11 shape coefficients, and none of them is a blend to a child'),
    ('SMPL+A', 11, dict(type='SMPL', num_betas=11), 'SMPL.A, have 11 .* the last of them is the blend to a child'),
    ('SMPL', 16, dict(type='SMPL+A'), 'SMPL, have 16'), ('SMPL', 10, dict(type='SMPL+A'), None),
    ('SMPL', 16, dict(type='SMPL+A', num_betas=16), None), ('SMPL+A', 11, dict(type='SMPL'), None),
    ('SMPL', 11, dict(type='SMPL', num_betas=11), None), ('SMPL', 10, dict(type='OpenBody'), 'meshes are of SMPL'),
    ('OpenBody', 11, dict(type='SMPL+A'), 'meshes are of OpenBody, this body model is SMPLA'),
])
def test_no_component_of_shape_is_taken_for_a_blend_to_a_child(table, size, network, refused, tmp_path):
    builder = PeopleTableBuilder(table)
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg'))
    sample.gt_instances = People(global_orient=torch.zeros(1, 3), body_pose=torch.zeros(1, 23, 3),
                                 betas=torch.zeros(1, size), transl=torch.ones(1, 3))
    builder.add(sample)
    builder.write(tmp_path / 'table')
    dataset = dict(type='HumanTable', data_root=str(tmp_path), table=str(tmp_path / 'table'), pipeline=[])
    cfg = Config(dict(model=dict(body_model=network), train_dataloader=dict(dataset=dataset)))
    if refused is None:
        check_body_models(cfg)
        return
    with pytest.raises(BodyModelError, match=f'table .train_dataloader.dataset.table.: its .*{refused}'):
        check_body_models(cfg)
    if table.startswith('SMPL') != network['type'].startswith('SMPL'):  # another body model: only when asked for
        dataset['pipeline'] = [dict(type='ConvertMeshes', meshes_of=dict(type=table), body_model=network)]
        check_body_models(Config(dict(model=dict(body_model=network), train_dataloader=dict(dataset=dataset))))


def test_nothing_missing_is_no_error():
    check_files(Config(dict(model=dict(body_model=dict(type='OpenBody')), load_from='https://example.org/a.pth')))


def test_stand_ins_replace_what_is_missing_and_nothing_else(tmp_path):
    torch.save({}, tmp_path / 'there.pth')
    there = dict(type='Pretrained', checkpoint=str(tmp_path / 'there.pth'))
    config = dict(
        body_model=dict(type='SMPL', model_path='nowhere'), head=dict(dims=3, mean_params='nowhere.npz'),
        backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='nowhere.pth')), decoder=dict(init_cfg=there))
    result, notes = with_stand_ins(config)
    assert result == dict(body_model=dict(type='OpenBody'), head=dict(dims=3, mean_params=None),
                          backbone=dict(init_cfg=None), decoder=dict(init_cfg=there))
    assert len(notes) == 3 and config['body_model']['type'] == 'SMPL'
