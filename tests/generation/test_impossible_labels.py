"""Labels that nobody can have, and pictures that cannot be decoded, are found when a table is made."""
import json
import math

import numpy as np
import pytest
import torch
from scripts import load_script
from unbroken import cut

from mmhuman_dto.structures import People
from mmhuman_dto.tables.label_ranges import implausible, implausible_focal
from mmhuman_dto.tables.people_table import PeopleTable
from mmhuman_dto.visualization import write_image

BEYOND, FAR = 'beyond 10 standard deviations', 'farther than 300 m'
TURNS = 'more than two turns (rad)'


def people(count=3, **changes):
    """People of whom all is possible but what row 1 has of ``changes``."""
    fields = dict(
        global_orient=torch.full((count, 3), 1.8), body_pose=torch.zeros(count, 23, 3),
        betas=torch.full((count, 11), 5.),
        transl=torch.tensor([[.5, -3., 250.]]).repeat(count, 1), heights=torch.full((count, ), .5),
        ages=torch.full((count, ), torch.nan), male_probs=torch.ones(count), bboxes=torch.full((count, 4), -2e4),
        keypoints_2d=torch.zeros(count, 17, 2), keypoints_2d_valid=torch.ones(count, 17, dtype=torch.bool),
        keypoints_3d=torch.zeros(count, 17, 3), keypoints_3d_valid=torch.ones(count, 17, dtype=torch.bool))
    for name, value in changes.items():
        fields[name] = fields[name].clone()
        fields[name][1] = value
    return People(**fields)


@pytest.mark.parametrize('field, value, measured, reason', [
    ('betas', 1e37, 1e37, BEYOND), ('betas', -11., 11., BEYOND),
    ('transl', torch.tensor([0., 0, -2]), -2., 'behind the camera'), ('transl', 0., 0., 'behind the camera'),
    ('transl', torch.tensor([0., 0, 4000]), 4000., FAR),
    ('global_orient', torch.tensor([180., 0, 0]), 180., TURNS), ('body_pose', 3e3, 3e3 * math.sqrt(3), TURNS),
    ('heights', 175., 175., 'not within 0.3 to 2.8 m'), ('heights', 0., 0., 'not within 0.3 to 2.8 m'),
    ('ages', 1987., 1987., 'not within 0 to 130 years'), ('ages', -1., -1., 'not within 0 to 130 years'),
    ('male_probs', 2., 2., 'not within 0 to 1'), ('keypoints_3d', 4000., 4000., FAR),
    ('keypoints_2d', 1e30, 1e30, 'beyond 1,000,000 px'), ('bboxes', -1e9, 1e9, 'beyond 1,000,000 px')])
def test_impossible_values_are_told_by_person_field_and_value(field, value, measured, reason):
    (person, name, number, why), = implausible(people(**{field: value}))
    assert (person, name, why) == (1, field, reason) and number == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize('changes', [{}, dict(keypoints_2d=1e30, keypoints_2d_valid=False)])
def test_what_somebody_can_have_or_nobody_says_is_left_alone(changes):
    assert implausible(people(**changes)) == [] == implausible(People(num_people=0))
    unknown = people(transl=0.)
    unknown.has_mesh = torch.tensor([True, False, True])
    assert implausible(unknown) == []


@pytest.mark.parametrize('focal, wrong', [(5., True), (20., False), (9000., False), (5e5, True)])
def test_focal_lengths_of_no_camera(focal, wrong):
    said = implausible_focal(torch.diag(torch.tensor([focal, focal, 1.])), (60, 100))
    assert bool(said) == wrong and (not wrong or f'{focal:g} px' in said and '10 to 10000' in said)


@pytest.fixture
def convert(tmp_path, capsys):
    """convert({image: changes of its second person}, *options) -> (status, printed text, table's folder)."""
    def run(images, *options, focal=60., broken=()):
        annots = {}
        for name, changes in images.items():
            arrays = dict(trans_cam=np.tile([0., 0, 5], (2, 1)), pose_cam=np.zeros((2, 72)), shape=np.zeros((2, 10)))
            for key, value in changes.items():
                arrays[key][1] = value
            camera = np.array([[focal, 0, 32], [0, focal, 24], [0, 0, 1.]])
            annots[name] = dict(arrays, cam_int=np.repeat(camera[None], 2, 0))
            noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
            write_image(tmp_path / 'images' / name, noise)
        np.savez(tmp_path / 'initial_meshes.npz', annots=np.array(annots, dtype=object))
        for name in broken:
            cut(tmp_path / 'images' / name)
        status = load_script('tools/dataset_converters/public2table.py').main(
            ['initial-meshes', 'train', '--data-root', str(tmp_path), '--out-dir', str(tmp_path / 'table'), *options])
        out = capsys.readouterr()
        return status, out.out + out.err, tmp_path / 'table'
    return run


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_people_with_impossible_labels_are_left_out_and_counted(convert):
    status, text, table = convert({'a.png': {}, 'b.png': dict(shape=1e30), 'c.png': dict(trans_cam=-1.),
                                   'd.png': dict(shape=50.)})
    assert status == 0 and '3 people left out for what nobody can be: 2 betas beyond 10 standard deviations, ' \
        '1 transl behind the camera' in text and 'person 1 of b.png: betas 1e+30' in text
    assert np.diff(PeopleTable(table).people_offsets).tolist() == [2, 1, 1, 1]
    assert [(line['image'], line['person'], line['field']) for line in read(table / 'left_out.jsonl')] == [
        ('b.png', 1, 'betas'), ('c.png', 1, 'transl'), ('d.png', 1, 'betas')]
    counts = json.loads((table / 'manifest.json').read_text())['counts']
    assert counts['left_out'] == {f'betas {BEYOND}': 2, 'transl behind the camera': 1} and counts['people'] == 5


def test_strict_names_the_first(convert):
    status, text, _ = convert({'a.png': {}, 'b.png': dict(shape=50.)}, '--strict')
    assert status == 2 and f'b.png: person 1: betas is 50, {BEYOND}' in text


def test_nothing_left_is_no_success(convert):
    status, text, table = convert({'a.png': {}}, focal=1.)
    assert status == 1 and 'the focal length is 1 px' in text
    assert [line['image'] for line in read(table / 'failures.jsonl')] == ['a.png']


@pytest.mark.parametrize('check', [False, True])
def test_each_picture_is_decoded_when_asked(convert, check):
    status, text, table = convert({'a.png': {}, 'cut.png': {}}, *['--check-images'] * check, broken=['cut.png'])
    assert status == 0 and len(PeopleTable(table)) == 2 - check
    assert [line['image'] for line in read(table / 'failures.jsonl')] == ['cut.png'] * check
    assert not check or 'cut.png' in text and 'cannot be read' in text
