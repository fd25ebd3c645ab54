import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import load_script
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.registry import DATASETS, READERS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.tables.people_table import PeopleTableBuilder
from mmhuman_dto.visualization import read_image

tool = load_script('tools/misc/browse_dataset.py')
BODY = dict(type='OpenBody')
#: px of the pictures of the tests, and the least height of a view from above.
SIZE, BIRDSEYE = 180, 320
TITLE = 'mmhuman_dto.visualization.sample_view._titled'


@pytest.fixture(scope='module')
def scenes():
    body = OpenBody()
    return [sample_scene(i, body, CrowdConfig(size=(120, 180), people=(2, 3), child_share=0)) for i in range(2)]


@pytest.fixture
def browse(tmp_path, capsys, monkeypatch):
    """Pictures (h, w, 3) below the title, by name, that the tool draws of DATA with further arguments."""
    monkeypatch.setattr(TITLE, lambda picture, title: titles.append(title) or picture)
    titles = []

    def run(data, *arguments):
        tool.main([str(data), '--out-dir', str(tmp_path / 'out'), '--size', str(SIZE), *map(str, arguments)])
        paths = capsys.readouterr().out.split()
        assert sorted(paths) == sorted(map(str, (tmp_path / 'out').glob('*.png')))
        return {path.split('/')[-1]: read_image(path) for path in paths}

    run.titles = titles
    return run


#: Panels of each set's pictures: of the photo (annotated; with bodies), and whether there is a view from above.
PANELS = {'COCOKeypoints': (1, False), 'MuPoTS': (1, True), 'Panoptic': (1, True), 'RelativeHuman': (1, False)}


@pytest.mark.parametrize('name', sorted(LAYOUTS))
def test_every_public_set_is_drawn_by_its_reader(browse, scenes, tmp_path, name):
    config = write_public_set(name, tmp_path / 'set', scenes, BODY)
    Config(dict(source=config, body_model=BODY)).dump(tmp_path / 'set.py')
    found = browse(tmp_path / 'set.py', '--num', 9)
    photos, from_above = PANELS.get(name, (2, True))
    assert len(found) == 2 and [picture.shape[1] for picture in found.values()] == [
        photos * SIZE + from_above * BIRDSEYE] * 2
    reader = READERS.build(config)
    for i, picture in enumerate(found.values()):
        photo = read_image(reader[i].img_path)
        # Of this size already, so that nothing was resampled.
        assert photo.shape == (120, SIZE, 3)
        left = (picture[:120, :SIZE] != photo).any(-1).mean()
        assert left == 0 if name == 'Panoptic' else left > .02
        assert 'people' in browse.titles[i] and reader.ids[i] in browse.titles[i]


def config_file(tmp_path, dataset, split='train'):
    Config({f'{split}_dataloader': dict(dataset=dataset), 'model': dict(body_model=BODY)}).dump(tmp_path / 'config.py')
    return tmp_path / 'config.py'


def crowd(**kwargs):
    return dict(type='SyntheticCrowd', scenes=dict(size=(90, 120), people=(1, 2)), num_scenes=20, **kwargs)


def test_pipelines_of_configs(browse, tmp_path):
    """An endless mixture of packed items."""
    mixture = dict(type='WeightedMixture', datasets=[crowd()], weights=[1.], pipeline=[
        dict(type='RandomView', input_size=112), dict(type='OccludeWithNoise'), dict(type='PackHumanInputs')])
    first = browse(config_file(tmp_path, mixture), '--num', 2)
    assert [name.split('_')[0] for name in first] == ['000000', '000001']
    assert all(picture.shape[1] >= 2 * SIZE + BIRDSEYE for picture in first.values())


def test_items_at_random():
    few, more, other = (tool.chosen(20, number, seed) for number, seed in ((5, 0), (50, 0), (5, 1)))
    assert len(set(few)) == 5 and few != other and sorted(more) == list(range(20))
    assert few == tool.chosen(20, 5, 0) and list(tool.chosen(20, 5, None)) == [0, 1, 2, 3, 4]
    assert max(tool.chosen(1 << 40, 8, 0)) < 1_000_000


def test_splits(browse, tmp_path):
    assert len(browse(config_file(tmp_path, crowd(pipeline=[dict(type='PackHumanInputs')]), 'val'),
                      '--split', 'val', '--num', 1)) == 1
    with pytest.raises(SystemExit, match='has neither train_dataloader nor source'):
        browse(tmp_path / 'config.py')


@pytest.fixture
def table(scenes, tmp_path):
    """A table of bodies without boxes, of the open body or, by name only, of SMPL; its images."""
    config = write_public_set('DTOHumans', tmp_path / 'set', scenes, BODY)
    reader = READERS.build(config)

    def write(body_name):
        builder = PeopleTableBuilder(body_name)
        for sample in reader:
            builder.add(sample)
        builder.write(tmp_path / body_name)
        return tmp_path / body_name, '--img-root', reader.img_root

    return write


def test_tables(browse, table):
    folder, *root = table('OpenBody')
    found = browse(folder, *root)
    assert [picture.shape[1] for picture in found.values()] == [2 * SIZE + BIRDSEYE] * 2
    with pytest.raises(SystemExit, match='--img-root is needed'):
        browse(folder)


def test_bodies_without_their_files_are_left_out(browse, table, tmp_path, capsys):
    folder, *root = table('SMPL')
    tool.main([str(folder), *map(str, root), '--size', str(SIZE), '--out-dir', str(tmp_path / 'out'),
               '--body-model-path', str(tmp_path / 'nowhere')])
    out, err = capsys.readouterr()
    assert err.count('meshes are not drawn: no SMPL_NEUTRAL') == 1
    assert [read_image(path).shape[1] for path in out.split()] == [SIZE] * 2


def test_what_is_missing_is_named(browse, table, tmp_path, capsys):
    folder, _, root = table('OpenBody')
    lost = dict(type='HumanTable', data_root='nowhere/images', table=str(folder))
    with pytest.raises(SystemExit, match=r'config\.py: 1 files or folders are not there:\n  nowhere/images'):
        browse(config_file(tmp_path, lost))
    first = sorted(root.rglob('*.png'))[0]
    first.unlink()
    assert tool.main([str(folder), '--img-root', str(root), '--out-dir', str(tmp_path / 'out')]) == 1
    out, err = capsys.readouterr()
    assert f'{first.name}: no such image' in err and err.count('\n') == 1 and out.count('.png') == 1


def test_the_first_body_model_of_a_config():
    found = tool.first_body_model(dict(a=[dict(x=1), dict(pipeline=(dict(body_model=BODY), ))], body_model='SMPL'))
    assert found == BODY and tool.first_body_model(dict(a=[1, 'b'])) is None


def test_packed_pixels_are_those_of_the_item():
    plain, packed = (DATASETS.build(crowd(pipeline=steps))[0] for steps in ([], [dict(type='PackHumanInputs')]))
    assert np.array_equal(tool.as_truth(packed).image, plain.image)
    assert torch.equal(packed['data_samples'].gt_instances.transl, plain.gt_instances.transl)
