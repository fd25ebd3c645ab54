"""Files of people become files of people of another body, with what they are off by."""
import sys

import pytest
import torch
from scripts import load_script

from mmhuman_dto.apis.converting import PeopleConversion, build_body, summary
from mmhuman_dto.body_models import BodyModelError, OpenBody
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_file import read_people, write_people
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder

script = load_script('tools/convert.py')


@pytest.fixture(scope='module')
def smpl_dir(tmp_path_factory):
    return write_synthetic_smpl(tmp_path_factory.mktemp('bodies'))


def sample_of(name, count=2):
    pose = .2 * torch.randn(count, 24, 3, generator=torch.Generator().manual_seed(1))
    people = People(num_people=count, global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.zeros(count, 11),
                    transl=torch.tensor([0., 0, 4]).repeat(count, 1), heights=torch.full((count, ), 9.),
                    ages=torch.arange(float(count)))
    camera = Camera(intrinsics=torch.tensor([[500., 0, 300], [0, 500, 200], [0, 0, 1]]))
    return HumanDataSample(metainfo=dict(img_id=name, body_model='OpenBody', ori_shape=(400, 600)),
                           pred_instances=people, pred_camera=camera)


@pytest.mark.parametrize('suffix', ['.json', '.npz'])
def test_a_file(tmp_path, smpl_dir, capsys, suffix):
    write_people(tmp_path / f'people{suffix}', sample_of('a.jpg'))
    script.main([str(tmp_path / f'people{suffix}'), '--to', 'smpl', '--model-path', str(smpl_dir), '--out',
                 str(tmp_path / f'out/smpl{suffix}')])
    made = read_people(tmp_path / f'out/smpl{suffix}')
    assert made.body_model == 'SMPL' and made.img_id == 'a.jpg' and made.pred_instances.betas.shape == (2, 10)
    body = build_body('smpl', smpl_dir)
    torch.testing.assert_close(made.pred_instances.heights, body.height(made.pred_instances.betas))
    assert made.pred_instances.heights[0] == pytest.approx(OpenBody().height(torch.zeros(11)).item(), abs=.02)
    assert made.pred_instances.ages.tolist() == [0, 1]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith('a.jpg: person 0: joints ') and 'mm (worst' in said[0] and len(said) == 4
    assert said[2].startswith('2 people: joints ') and said[3].startswith('wrote ')


def test_a_table(tmp_path, smpl_dir):
    builder = PeopleTableBuilder('OpenBody')
    for name, count in (('a.jpg', 1), ('b.jpg', 0), ('c.jpg', 1)):
        builder.add(sample_of(name, count))
    builder.write(tmp_path / 'table')
    errors = PeopleConversion('SMPL', smpl_dir)(tmp_path / 'table', tmp_path / 'made')
    made = PeopleTable(tmp_path / 'made')
    assert made.schema['body_model'] == 'SMPL' and made.schema['provenance']['converted_from'] == 'OpenBody'
    assert [made[row].img_id for row in range(3)] == ['a.jpg', 'b.jpg', 'c.jpg']
    assert [len(some.joints) for _, some in errors] == [1, 0, 1]
    assert summary(errors)[-1].startswith('2 people: ')
    assert summary([]) == ['nobody']


def test_what_cannot_be_converted(tmp_path, smpl_dir):
    nameless = sample_of('a.jpg')
    nameless.set_metainfo(dict(body_model=None))
    write_people(tmp_path / 'nameless.json', nameless)
    with pytest.raises(BodyModelError, match='nameless.json: it does not say of which body.*source'):
        PeopleConversion('smpl', smpl_dir)(tmp_path / 'nameless.json', tmp_path / 'out.json')
    mesh = sample_of('a.jpg')
    del mesh.pred_instances.betas
    write_people(tmp_path / 'mesh.json', mesh)
    with pytest.raises(BodyModelError, match='mesh.json: its people have no betas'):
        PeopleConversion('smpl', smpl_dir)(tmp_path / 'mesh.json', tmp_path / 'out.json')
    placed = sample_of('a.jpg')
    placed.pred_instances.mesh_scales = torch.tensor([1., .6])
    write_people(tmp_path / 'placed.json', placed)
    with pytest.raises(BodyModelError, match='placed.json: its people were placed as meshes.*mesh_scales'):
        PeopleConversion('smpl', smpl_dir)(tmp_path / 'placed.json', tmp_path / 'out.json')
    with pytest.raises(BodyModelError, match='SMPL comes with its own files: say where they are'):
        PeopleConversion('smpl')
    with pytest.raises(BodyModelError, match="no body 'star'; there are openbody, smpl"):
        build_body('star')
    assert not (tmp_path / 'out.json').exists()


def test_without_anny(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'anny', None)
    write_people(tmp_path / 'people.json', sample_of('a.jpg'))
    with pytest.raises(SystemExit, match=r'anny cannot be imported.*mmhuman_dto\[anny\]'):
        script.main([str(tmp_path / 'people.json'), '--to', 'anny', '--out', str(tmp_path / 'out.json')])


@pytest.mark.slow
def test_to_anny_and_back(tmp_path):
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    write_people(tmp_path / 'people.json', sample_of('a.jpg', 1))
    (_, errors), = PeopleConversion('anny')(tmp_path / 'people.json', tmp_path / 'anny.json')
    assert errors.joints.max() < 15 and errors.surface.max() < 6
    assert read_people(tmp_path / 'anny.json').pred_instances.body_pose.shape == (1, 103, 3)
    (_, errors), = PeopleConversion('openbody')(tmp_path / 'anny.json', tmp_path / 'back.json')
    back = read_people(tmp_path / 'back.json')
    assert errors.joints.max() < 15 and back.body_model == 'OpenBody' and back.pred_instances.betas.shape == (1, 11)
