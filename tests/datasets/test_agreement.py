"""Annotations that do not go with their pictures are told in a sentence a kind, and those that do in none."""
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from scripts import load_script
from writer_public import LAYOUTS, write_public_set

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.agreement import disagreements
from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.generation.conversion import Conversion
from mmhuman_dto.registry import READERS
from mmhuman_dto.structures import HumanDataSample, People
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder

tool = load_script('tools/dataset_converters/public2table.py')
BODY = dict(type='OpenBody')
HEIGHT, WIDTH = 84, 112


@pytest.fixture(scope='module')
def scenes():
    body, config = OpenBody(), CrowdConfig(size=(HEIGHT, WIDTH), people=(2, 4), child_share=0)
    return [sample_scene(i, body, config, seed=3) for i in range(5)]


@pytest.fixture(scope='module')
def sets(scenes, tmp_path_factory):
    """{reader: config of a right set of it}"""
    root = tmp_path_factory.mktemp('sets')
    return {name: write_public_set(name, root / name, scenes, BODY) for name in LAYOUTS}


def convert(source, out):
    Conversion([source], out, 'OpenBody', 11, LAYOUTS[source['type']].reader.info.left_out).run()
    return PeopleTable(out)


@pytest.mark.parametrize('name', LAYOUTS)
def test_right_sets_have_nothing_to_say(name, sets, tmp_path):
    table = convert(sets[name], tmp_path / 'table')
    assert disagreements(table, table.img_root) == [] and (tmp_path / 'table/failures.jsonl').read_text() == ''


def edited(source, folder, change):
    """The set with each image's people and camera changed: ``change(record)`` of each."""
    path = folder / source['ann_file']
    with np.load(f'{source["data_root"]}/{source["ann_file"]}', allow_pickle=True) as file:
        annots = file['annots'].item()
    for record in annots.values():
        change(record)
    np.savez(path, annots=np.array(annots, dtype=object))
    return dict(source, data_root=str(folder), img_prefix=f'{source["data_root"]}/{source["img_prefix"]}')


def scaled(factor):
    def change(record):
        record['cam_int'] = np.asarray(record['cam_int']) * [[factor], [factor], [1]]
    return change


def centred_at(x, y):
    def change(record):
        record['cam_int'] = np.array(record['cam_int'])
        record['cam_int'][..., :2, 2] = x, y
    return change


def beside(record):
    record['trans_cam'] = np.asarray(record['trans_cam']) + [15, 0, 0]


@pytest.mark.parametrize('change, message', [
    (scaled(2), r'intrinsics of 5 of 5 .*resolution: the pictures are 0\.5 x as large .*84 x 112 px.*by 0\.5'),
    (scaled(.5), r'intrinsics of 5 of 5 .*another resolution: the pictures are 2 x as large .*Multiply .*by 2'),
    (scaled(1 / 3), r'pictures are 3 x as large'), (scaled(3), r'pictures are 0\.333 x as large'),
    (centred_at(HEIGHT / 2, WIDTH / 2), r'intrinsics of 5 of 5 images are of a picture lying on its side'),
    (centred_at(-20, 40), r'principal points of 5 of 5 images are outside of the picture .*x -20\.0, y 40\.0'),
    (centred_at(60, 100), r'principal points of 5 of 5 images are outside'),
    (beside, r'(\d+) of \1 people are outside of their pictures, in 5 of 5 images \(0000\.png'),
])
def test_what_does_not_fit_is_said_with_the_likely_cause(change, message, sets, tmp_path, caplog):
    table = convert(edited(sets['InitialMeshes'], tmp_path, change), tmp_path / 'table')
    said = disagreements(table, table.img_root)
    assert any(re.search(message, text) for text in said), said
    assert len(said) <= 3
    HumanTable(table=str(table.folder))
    assert re.search(message, caplog.text)


def test_people_of_doubled_intrinsics_are_counted(sets, tmp_path):
    table = convert(edited(sets['InitialMeshes'], tmp_path, scaled(3)), tmp_path / 'table')
    assert any('people are outside of their pictures' in text for text in disagreements(table))


def test_crops_and_few_odd_images_are_no_matter(sets, tmp_path):
    def cropped(record):
        record['cam_int'] = np.array(record['cam_int'])
        record['cam_int'][..., :2, 2] += 20, -9
    table = convert(edited(sets['InitialMeshes'], tmp_path, cropped), tmp_path / 'table')
    assert not any('intrinsics' in text or 'principal' in text for text in disagreements(table))


@pytest.mark.parametrize('name, key, factor', [('RelativeHuman', 'kp2d', 5), ('MuPoTS', 'annot_2d', 5)])
def test_joints_of_another_resolution(name, key, factor, sets, tmp_path):
    def change(record):
        for person in record:
            if person.get(key) is not None:
                person[key] = np.asarray(person[key]) * ([factor, factor, 1] if key == 'kp2d' else factor)
    table = convert(edited(sets[name], tmp_path, change), tmp_path / 'table')
    assert any('people are outside of their pictures' in text for text in disagreements(table))


def write_coco(folder, pictures, size=(40, 60), point=(10, 12)):
    """A val set of ``{file: (pixels, EXIF orientation)}`` annotated at ``size``; its reader's config."""
    (folder / 'val2017').mkdir(parents=True)
    (folder / 'annotations').mkdir()
    images, people = [], []
    for number, (name, (pixels, orientation)) in enumerate(pictures.items()):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(pixels).save(folder / 'val2017' / name, exif=exif)
        images.append(dict(id=number, file_name=name, height=size[0], width=size[1]))
        people.append(dict(id=number, image_id=number, category_id=1, iscrowd=0, area=64., bbox=[6, 8, 8, 8],
                           keypoints=[*point, 2] * 17))
    (folder / 'annotations/person_keypoints_val2017.json').write_text(json.dumps(dict(
        images=images, annotations=people, categories=[dict(id=1, name='person')])))
    return folder


def dot(size=(40, 60), at=(12, 10)):
    """A black picture with one white spot."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[at[0] - 3:at[0] + 4, at[1] - 3:at[1] + 4] = 255
    return pixels


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('orientation', [1, 5, 6, 7, 8])
def test_pictures_annotated_as_stored_are_read_as_stored(orientation, suffix, tmp_path, capsys):
    data = write_coco(tmp_path / 'coco', {f'a.{suffix}': (dot(), orientation)})
    assert tool.main(['coco', 'val', '--data-root', str(data)]) == 0
    error = capsys.readouterr().err
    assert ('1 of 1 pictures looked at are read as stored, against their EXIF' in error) == (orientation > 1)
    sample, = HumanTable(table=data / 'tables/val', pipeline=[dict(type='LoadImage')])
    assert sample.image.shape == (40, 60, 3) and sample.image[12, 10].min() > 200


@pytest.mark.parametrize('orientation, turn', [(6, 1), (8, -1)])
def test_pictures_annotated_as_shown_are_turned(orientation, turn, tmp_path, capsys):
    stored = np.rot90(dot(), turn)  # EXIF turns it back
    data = write_coco(tmp_path / 'coco', {'a.png': (stored, orientation)})
    assert tool.main(['coco', 'val', '--data-root', str(data)]) == 0 and capsys.readouterr().err == ''
    sample, = HumanTable(table=data / 'tables/val', pipeline=[dict(type='LoadImage')])
    assert sample.image.shape == (40, 60, 3) and sample.image[12, 10].min() > 200


@pytest.mark.parametrize('orientation', [2, 3, 4])
def test_orientations_that_keep_the_size_are_followed_and_named(orientation, tmp_path, capsys):
    data = write_coco(tmp_path / 'coco', {'a.png': (dot(), orientation), 'b.png': (dot(), 1)})
    assert tool.main(['coco', 'val', '--data-root', str(data)]) == 0
    error = capsys.readouterr().err
    assert '1 of 2 pictures looked at have an EXIF orientation that keeps their size' in error and 'a.png' in error


@pytest.mark.parametrize('size, message', [
    ((20, 30), r'is 20 x 30 px \(height, width\), its annotations are of 40 x 60 px, 0\.5 x as large'),
    ((60, 40), 'as if it lay on its side'), ((40, 61), r'is 40 x 61 px .* are of 40 x 60 px'),
    ((80, 120), '2 x as large'),
])
def test_pictures_of_another_size_than_annotated(size, message, tmp_path, capsys):
    data = write_coco(tmp_path / 'coco', {'a.png': (dot(size), 1), 'b.png': (dot(), 1)})
    assert tool.main(['coco', 'val', '--data-root', str(data)]) == 0
    failure, = map(json.loads, (data / 'tables/val/failures.jsonl').read_text().splitlines())
    assert failure['image'] == 'a.png' and re.search(message, failure['reason'])
    # Exchanged after converting: said when the table is opened, and of the picture when it is read.
    Image.fromarray(dot(size)).save(data / 'val2017/b.png')
    table = PeopleTable(data / 'tables/val')
    assert any(re.search(f'1 of 1 pictures .* of another size than annotated: .*{message}', text)
               for text in disagreements(table, table.img_root))
    with pytest.raises(OSError, match=message):
        HumanTable(table=data / 'tables/val', pipeline=[dict(type='LoadImage')])[0]


@pytest.mark.parametrize('kind', ['camera', 'joints', 'neither'])
def test_layouts_without_sizes_say_by_camera_or_joints_how_a_picture_was_annotated(kind, sets, tmp_path):
    """A picture with EXIF orientation 6 whose annotations are of the pixels as stored."""
    source = sets['MuPoTS' if kind == 'joints' else 'InitialMeshes']
    reader = READERS.build(source)
    img_id = reader.ids[0]
    exif = Image.Exif()
    exif[0x0112] = 6
    folder = tmp_path / 'images'
    for name in reader.ids:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(reader.img_root / name) as file:
            file.save(folder / name, exif=exif)

    def change(record):
        if kind == 'neither':
            centred_at(HEIGHT / 2, WIDTH / 2)(record)
        if kind == 'joints':
            for person in record:
                person['annot_2d'] = np.full((17, 2), (WIDTH - 4, 50.))
                person['vis'] = np.ones(17)
    changed = dict(edited(source, tmp_path, change), img_prefix=str(folder))
    sample = HumanTable(folder, convert(changed, tmp_path / 'table').folder, pipeline=[dict(type='LoadImage')])[0]
    assert sample.img_id == img_id
    direct = LoadImage()(READERS.build(changed)[0])  # as DTO reads it, without a table
    assert np.array_equal(direct.image, sample.image)
    assert sample.image.shape[:2] == ((WIDTH, HEIGHT) if kind == 'neither' else (HEIGHT, WIDTH))


def test_people_without_a_mesh_are_nowhere_and_not_outside(sets, tmp_path):
    sample = READERS.build(sets['InitialMeshes'])[0]
    count = len(sample.pred_instances)
    sample.set_metainfo(dict(ori_shape=(HEIGHT, WIDTH)))
    for has_mesh, said in ((torch.zeros(count), 0), (torch.ones(count), 1)):
        sample.pred_instances.has_mesh, sample.pred_instances.transl = has_mesh.bool(), torch.zeros(count, 3)
        builder = PeopleTableBuilder('OpenBody')
        builder.add(sample)
        builder.write(tmp_path / f'table_{said}')
        assert len(disagreements(PeopleTable(tmp_path / f'table_{said}'))) == said


def test_a_table_without_anything_to_compare(tmp_path):
    builder = PeopleTableBuilder(None)
    sample = HumanDataSample(metainfo=dict(img_id='../../x.jpg', ori_shape=(3, 4)))
    sample.gt_instances = People(keypoints_2d=torch.zeros(2, 17, 2), keypoints_2d_valid=torch.zeros(2, 17).bool())
    builder.add(sample)
    builder.write(tmp_path / 'table')
    assert disagreements(PeopleTable(tmp_path / 'table'), tmp_path) == []
