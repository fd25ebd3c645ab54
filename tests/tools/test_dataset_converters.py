"""The converter's program: names of sets and files, what it prints, its exit status, several processes."""
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import ROOT, load_script, run_two
from unbroken import read_bytes
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.apis.training import entries
from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.public_sets import command_for, public_sets
from mmhuman_dto.registry import BODY_MODELS, METRICS, READERS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_table import PeopleTable

TOOL = 'tools/dataset_converters/public2table.py'
tool = load_script(TOOL)
#: Those of the package: docs' pages have readers of their own.
SHIPPED = {name: reader for name, reader in public_sets().items() if reader.__module__.startswith('mmhuman_dto.')}
SETS = {layout.reader.info.name: reader for reader, layout in LAYOUTS.items()}


@pytest.fixture(scope='module')
def smpl(tmp_path_factory):
    folder = tmp_path_factory.mktemp('smpl')
    write_synthetic_smpl(folder)
    return folder


@pytest.fixture(scope='module')
def scenes():
    body = OpenBody()
    return [sample_scene(i, body, CrowdConfig(size=(84, 112), people=(2, 3), child_share=0), seed=3) for i in range(3)]


def put(name, split, data, scenes):
    """A set's files where the tool looks for them, with the images of :func:`write_public_set`."""
    return write_public_set(SETS[name], data / name, scenes, dict(type='OpenBody'), split)


def test_every_set_is_tested():
    """By a layout of ``writer_public``, or by a file of its own."""
    for name, reader in SHIPPED.items():
        module = reader.__module__.split('.')[-1]
        assert name in SETS or (ROOT / f'tests/datasets/public/test_{module}.py').is_file(), module


def test_docs_have_a_row_a_set():
    rows = [line for line in (ROOT / 'docs/datasets.md').read_text().splitlines() if line.startswith('| ')]
    said = {True: 'yes', False: 'no'}
    for name, reader in SHIPPED.items():
        row, = (line for line in rows if line.split('|')[2].strip() == f'`{name}`: {", ".join(reader.info.splits)}')
        title, _, kind, _, learnt, metric, place = (cell.strip() for cell in row.split('|')[1:-1])
        assert (title, kind, metric) == (reader.info.title, f'`{reader.__name__}`', f'`{reader.info.metric}`' *
                                         bool(reader.info.metric))
        assert learnt == ' / '.join(said[reader.supervision[key]] for key in ('has_3d', 'fully_annotated')
                                    if key in reader.supervision)
        assert f"]({reader.info.url.removeprefix('docs/')})" in place
        assert metric == '' or METRICS.get(reader.info.metric)


@pytest.mark.parametrize('name', SETS)
def test_every_set_by_its_name(name, smpl, scenes, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    info = SHIPPED[name].info
    split = next(iter(info.splits))
    source = put(name, split, tmp_path / 'data', scenes)
    arguments = [name, split, '--smpl', str(smpl), '--images', source['img_prefix']]
    assert tool.main(arguments) == 0
    table = PeopleTable(tmp_path / 'data' / name / 'tables' / split)
    people = table.schema['num_people']
    assert len(table) == 3 and people >= 6
    printed = capsys.readouterr().out
    assert f'data/{name}/tables/{split}: 3 images read = 3 written and found again + 0 without people + 0' in printed
    assert f'{people} people of these images read = written = found again' in printed
    assert table.schema['body_model'] == info.body_model
    if info.body_model:
        assert table.columns['people.betas'].shape[1] == {'SMPL': 10, 'SMPL+A': 11}[info.body_model]
    assert len(HumanTable(tmp_path / 'data' / name / source['img_prefix'], table.folder)[0].gt_instances) > 0


def test_bodies_in_a_world_need_the_pelvis_of_their_model(smpl, scenes, tmp_path):
    """The root joint is where the annotated world has it, with the body model given by --smpl."""
    source = put('agora', 'train', tmp_path / 'data', scenes)
    data = tmp_path / 'data/agora'
    assert tool.main(['agora', 'train', '--data-root', str(data), '--smpl', str(smpl)]) == 0
    people = PeopleTable(data / 'tables/train')[0].pred_instances
    body = BODY_MODELS.build(dict(type='SMPL+A', model_path=str(smpl)))
    roots = body.skeleton(people.pose, people.betas, people.transl)[:, 0]
    pelvis = body.skeleton(torch.zeros_like(people.pose), people.betas)[:, 0].numpy()
    record = next(iter(np.load(data / source['ann_file'], allow_pickle=True)['annots'].item().values()))
    transl = np.stack([person['transl'] for person in record['smpl_gt']])[:len(roots)]
    np.testing.assert_allclose(roots, (pelvis + transl) @ record['cam_rot'][0].T + record['cam_trans'][0], atol=1e-4)


def test_failures_are_counted_in_the_exit_status(scenes, tmp_path, capsys):
    source = put('relative-human', 'val', tmp_path, scenes)
    folder = tmp_path / 'relative-human'
    ids = READERS.build(source).ids
    (folder / ids[1]).unlink()

    def run(out, *arguments):
        return tool.main(['relative-human', 'val', '--data-root', str(folder), '--out-dir', str(tmp_path / out),
                          *arguments])

    assert run('a') == 0 and '1 failed' in (printed := capsys.readouterr().out)
    assert f'failures.jsonl; {ids[1]} for one: {folder / ids[1]}: no such image' in printed
    assert run('a', '--max-failures', '0') == 1
    assert run('b', '--strict') == 2
    assert f'{ids[1]}: ' in (error := capsys.readouterr().err) and 'no such image' in error and error.count('\n') == 1
    assert run('c', '--no-images') == 0 and len(PeopleTable(tmp_path / 'c')) == 3
    assert run('d', '--limit', '1') == 0 and len(PeopleTable(tmp_path / 'd')) == 1


@pytest.mark.parametrize('arguments, message', [
    (['agora', 'train'], 'data/agora/annots_smpl_train_fit.npz: not found; it is the annotation file of AGORA, train; '
     'see https://agora.is.tue.mpg.de'),
    (['4dhumans', 'train'], 'data/4dhumans/*-release.npz: not found'),
    (['mupots', 'test', '--ann-files', 'other.npz'], 'data/mupots/other.npz'),
])
def test_what_is_not_there_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert tool.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith('public2table.py: ') and error.count('\n') == 1


def test_an_unknown_split_names_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        tool.main(['hi4d', 'validation'])
    assert "hi4d has no 'validation', only train, val, test" in capsys.readouterr().err


def test_negatives_need_a_layout_that_says_their_camera(capsys):
    with pytest.raises(SystemExit):
        tool.main(['hi4d', 'test', '--keep-empty'])
    assert 'hi4d says nothing of images without people' in capsys.readouterr().err
    assert tool.parse_args(['agora', 'train', '--keep-empty']).keep_empty


def test_whose_meshes_they_are_is_said_where_they_may_be_of_any_body_model(tmp_path, capsys):
    crowd = ROOT / 'demo/resources/crowd'
    with np.load(crowd / 'initial_meshes.npz', allow_pickle=True) as file:
        annots = dict(list(file['annots'].item().items())[:2])
    nothing = {name: {key: value for key, value in entry.items() if key != 'body_model'}
               for name, entry in annots.items()}
    for meshes, options, name in ((annots, [], 'OpenBody'), (nothing, [], 'SMPL+A'),
                                  (nothing, ['--body-model', 'OpenBody'], 'OpenBody')):
        np.savez(tmp_path / 'meshes.npz', annots=np.array(meshes, dtype=object))
        out = tmp_path / f'{len(list(tmp_path.iterdir()))}'
        assert tool.main(['initial-meshes', 'train', '--data-root', str(tmp_path), '--ann-files', 'meshes.npz',
                          '--images', str(crowd / 'images'), *options, '--out-dir', str(out)]) == 0
        assert PeopleTable(out).schema['body_model'] == name
    mixed = dict(zip(annots, (*list(annots.values())[:1], *list(nothing.values())[1:])))
    np.savez(tmp_path / 'meshes.npz', annots=np.array(mixed, dtype=object))
    assert tool.main(['initial-meshes', 'train', '--data-root', str(tmp_path), '--ann-files', 'meshes.npz',
                      '--no-images', '--out-dir', str(tmp_path / 'mixed')]) == 2
    assert 'meshes.npz: its meshes are of OpenBody and SMPL+A; make a file of each' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool.main(['agora', 'train', '--body-model', 'OpenBody'])
    assert 'agora is of SMPL+A: no --body-model' in capsys.readouterr().err


def test_help_names_every_set_and_file():
    text = tool.list_of_sets(SHIPPED)
    for name, reader in SHIPPED.items():
        assert f'  {name} ' in text and reader.info.title in text
        assert all(file in text for file in reader.info.splits.values())


def test_recipes_name_tables_that_the_tool_writes():
    tables = []
    for path in (ROOT / 'configs/_base_/datasets').glob('*.py'):
        tables += [value for _, _, name, value in entries(Config.fromfile(path).to_dict()) if name == 'table']
    assert len(tables) >= 10
    for table in tables:
        name, split = command_for(table).split()[-2:]
        assert table == f'data/{name}/tables/{split}' and split in SHIPPED[name].info.splits


@pytest.mark.slow
def test_two_processes_make_the_bytes_of_one(scenes, tmp_path):
    put('panoptic', 'test', tmp_path, scenes)
    command = [ROOT / TOOL, 'panoptic', 'test', '--data-root', tmp_path / 'panoptic']
    run_two(*command, '--out-dir', tmp_path / 'two')
    subprocess.run([sys.executable, *command, '--out-dir', tmp_path / 'one'], check=True, capture_output=True)
    assert read_bytes(tmp_path / 'two') == read_bytes(tmp_path / 'one')
