"""Whatever is wrong with a public file is said with file, key and image; other images are still read."""
import pickle
import re
import shutil
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from writer_public import LAYOUTS

from mmhuman_dto.datasets.public import LayoutError
from mmhuman_dto.datasets.transforms import LoadImage
from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_npz
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.registry import READERS

#: A key of each layout that holds numbers of a fixed shape. COCO's json has a test file of its own.
KEYS = {name: layout.key for name, layout in LAYOUTS.items() if layout.key}
FLAT = [name for name, layout in LAYOUTS.items() if layout.flat]


def holder(record, key):
    """The first dictionary in a record that has ``key``."""
    if isinstance(record, dict) and key in record:
        return record
    parts = record.values() if isinstance(record, dict) else record if isinstance(record, list) else ()
    return next((found for part in parts if (found := holder(part, key)) is not None), None)


def damaged(written, folder, change, key=None):
    """A copy of a set with ``change(dictionary, key)`` done to the first of its images; config of its reader.

    The dictionary is the first that has ``key``, by default the one in ``KEYS``.
    """
    config = dict(written.config, data_root=str(folder))
    with load_npz(written.reader.path) as file:
        content = dict(file)
    record = content
    if config['type'] not in FLAT:
        record = content.get('annots', content)
        record = record[written.reader.ids[0]]
    key = key or KEYS[config['type']]
    change(holder(record, key), key)
    np.savez(folder / config['ann_file'], **{name: np.array(value, dtype=object) if isinstance(value, (dict, list))
                                             else value for name, value in content.items()})
    return config


def assert_first_image_fails(config, img_id, message):
    """Reading the first image fails, naming file, image and ``message``; the last is still read."""
    reader = READERS.build(config)
    with pytest.raises(LayoutError, match=f'{re.escape(config["ann_file"])}: {re.escape(img_id)}: .*{message}'):
        reader[0]
    if config['type'] not in FLAT:
        assert len(reader[len(reader) - 1].get(f'{reader.side}_instances'))


@pytest.mark.parametrize('name', KEYS)
def test_missing_key(public_sets, tmp_path, name):
    config = damaged(public_sets[name], tmp_path, lambda record, key: record.pop(key))
    if name in FLAT:
        with pytest.raises(LayoutError, match=f'{config["ann_file"]}: lacks .*{KEYS[name]}'):
            READERS.build(config)
    else:
        assert_first_image_fails(config, public_sets[name].reader.ids[0], f'lacks {KEYS[name]}')


@pytest.mark.parametrize('name', KEYS)
def test_wrong_shape(public_sets, tmp_path, name):
    def cut(record, key):
        record[key] = np.asarray(record[key])[..., :-1]

    config = damaged(public_sets[name], tmp_path, cut)
    assert_first_image_fails(config, public_sets[name].reader.ids[0], rf'{KEYS[name]} .*has shape \(.*\), expected \(')


@pytest.mark.parametrize('value', [np.nan, np.inf])
@pytest.mark.parametrize('name', KEYS)
def test_numbers_that_are_not_finite(public_sets, tmp_path, name, value):
    def spoil(record, key):
        record[key] = np.array(record[key], dtype=np.float32)
        record[key].flat[3 if record[key].size > 3 else 0] = value

    config = damaged(public_sets[name], tmp_path, spoil)
    assert_first_image_fails(config, public_sets[name].reader.ids[0], f'{KEYS[name]} holds values that are not finite')


@pytest.mark.parametrize('name', KEYS)
def test_no_numbers(public_sets, tmp_path, name):
    def spoil(record, key):
        record[key] = ['many'] * len(np.asarray(record[key]))

    config = damaged(public_sets[name], tmp_path, spoil)
    assert_first_image_fails(config, public_sets[name].reader.ids[0], f'{KEYS[name]} is not an array of numbers')


@pytest.mark.parametrize('name', [name for name in KEYS if name not in FLAT])
def test_an_image_whose_entry_is_nonsense(public_sets, tmp_path, name):
    written = public_sets[name]
    with load_npz(written.reader.path) as file:
        content = dict(file)
    content.get('annots', content)[written.reader.ids[0]] = 'nonsense'
    np.savez(tmp_path / written.config['ann_file'],
             **{key: np.array(value, dtype=object) for key, value in content.items()})
    assert_first_image_fails(dict(written.config, data_root=str(tmp_path)), written.reader.ids[0], '')


def test_an_image_outside_of_the_folder_of_images(public_sets, tmp_path):
    written = public_sets['RelativeHuman']
    np.savez(tmp_path / written.config['ann_file'], annots=np.array({'../../etc/passwd': []}, dtype=object))
    with pytest.raises(LayoutError, match=r"test_annots.npz: \.\./\.\./etc/passwd: .*is no path below"):
        READERS.build(dict(written.config, data_root=str(tmp_path)))[0]


def members(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.parametrize('name', KEYS)
def test_truncated_zip(public_sets, tmp_path, name):
    config = dict(public_sets[name].config, data_root=str(tmp_path))
    path = tmp_path / config['ann_file']
    data = public_sets[name].reader.path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    with pytest.raises(BrokenFileError, match=f'{path.name}: damaged, cut short or not a zip archive'):
        READERS.build(config)


@pytest.mark.parametrize('name', KEYS)
def test_an_object_of_a_foreign_class(public_sets, tmp_path, name):
    config = dict(public_sets[name].config, data_root=str(tmp_path))
    path = tmp_path / config['ann_file']
    first = members(public_sets[name].reader.path)[0].removesuffix('.npy')
    np.savez(path, **{first: np.array(Fraction(1, 3), dtype=object)})
    with pytest.raises(UnsafeFileError, match=f'{path.name}.*asks for fractions.Fraction'):
        READERS.build(config)[0]
    assert pickle.dumps(Fraction(1, 3))  # it would have been read by numpy


@pytest.mark.parametrize('name', [name for name in KEYS if name not in ('DTORaw', *FLAT)])
def test_another_file(public_sets, tmp_path, name):
    config = dict(public_sets[name].config, data_root=str(tmp_path))
    np.savez(tmp_path / config['ann_file'], something=np.zeros(3))
    with pytest.raises(LayoutError, match=f'{config["ann_file"]}: needs a key "annots".*something'):
        READERS.build(config)


@pytest.mark.parametrize('name', LAYOUTS)
def test_images_that_are_gone_or_cut(public_sets, tmp_path, name):
    written = public_sets[name]
    (tmp_path / written.config['ann_file']).parent.mkdir(exist_ok=True)
    shutil.copy(written.reader.path, tmp_path / written.config['ann_file'])
    reader = READERS.build(dict(written.config, data_root=str(tmp_path)))
    path = Path(reader[0].img_path)
    with pytest.raises(ImageError, match=f'{re.escape(str(path))}: no such image'):
        LoadImage()(reader[0])
    content = Path(written.reader[0].img_path).read_bytes()
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(ImageError, match=f'{re.escape(str(path))}: cannot be read'):
        LoadImage()(reader[0])


def test_children_need_a_body_model_that_knows_them(public_sets, synthetic_smpl):
    written = public_sets['AGORA']
    reader = READERS.build(dict(written.config, body_model=dict(type='SMPL', model_path=str(synthetic_smpl))))
    index = next(i for i, scene in enumerate(written.scenes) if scene.betas[:, 10].any())
    with pytest.raises(LayoutError, match=r'betas has 11 coefficients, the body model 10: .*SMPL\+A'):
        reader[index]


@pytest.mark.parametrize('change, message', [
    (dict(kp2d=np.zeros((17, 3))), r'kp2d has shape \(17, 3\), expected \(14, 3\) or \(19, 3\)'),
    (dict(age=4), r'age is \[4.0, .*expected -1 to 3'),
    (dict(gender=.5), r'gender is \[0.5, .*expected -1 to 1'),
    (dict(bbox=[10, 20, 5, 8], bbox_wb=None), r'bbox \[10.0, 20.0, 5.0, 8.0\] is not x0, y0, x1, y1'),
    (dict(bbox=None, bbox_wb=None), 'lacks bbox'),
])
def test_labels_of_relative_human(public_sets, tmp_path, change, message):
    config = damaged(public_sets['RelativeHuman'], tmp_path, lambda record, key: record.update(change))
    assert_first_image_fails(config, public_sets['RelativeHuman'].reader.ids[0], message)


def test_genders_that_are_none(public_sets, tmp_path):
    def change(record, key):
        record['genders'] = ['male', 'person'] + record['genders'][2:]

    config = damaged(public_sets['ThreeDPW'], tmp_path, change)
    assert_first_image_fails(config, public_sets['ThreeDPW'].reader.ids[0], "genders are .*'person'")


@pytest.mark.parametrize('factor', [1.1, -1])
@pytest.mark.parametrize('name', ['AGORA', 'BEDLAM', 'Hi4D', 'ThreeDPW'])
def test_cameras_that_do_not_rotate(public_sets, tmp_path, name, factor):
    def change(record, key):
        record['cam_rot'] = np.asarray(record['cam_rot']) * factor

    written = public_sets[name]
    config = damaged(written, tmp_path, change, key='cam_rot')
    assert_first_image_fails(config, written.reader.ids[0], 'cam_rot is no rotation')


@pytest.mark.parametrize('name', ['BEDLAM', 'ThreeDPW'])
def test_a_number_instead_of_rows(public_sets, tmp_path, name):
    config = damaged(public_sets[name], tmp_path, lambda record, key: record.update({key: 3}),
                     key=(key := dict(BEDLAM='pose_world', ThreeDPW='global_orient')[name]))
    assert_first_image_fails(config, public_sets[name].reader.ids[0], f'{key} is int, expected a row a person')


@pytest.mark.parametrize('value, message', [
    (10**400, 'is not an array of numbers'), (np.eye(3) * 1j, r'is not an array of numbers \(it holds complex128'),
    (np.full((3, 3), 1e300), 'holds values that are not finite')], ids=['integer', 'complex', 'double'])
def test_numbers_that_no_float_holds(public_sets, tmp_path, value, message):
    config = damaged(public_sets['Hi4D'], tmp_path, lambda record, key: record.update({key: value}))
    assert_first_image_fails(config, public_sets['Hi4D'].reader.ids[0], f'cam_rot {message}')


@pytest.mark.parametrize('kind', ['<f2', '>f8', 'object'])
def test_numbers_of_any_kind(public_sets, tmp_path, kind):
    config = damaged(public_sets['MuPoTS'], tmp_path, lambda entry, key: entry.update({key: entry[key].astype(kind)}))
    joints, want = (READERS.build(c)[0].gt_instances.keypoints_3d for c in (config, public_sets['MuPoTS'].config))
    np.testing.assert_allclose(joints, want, rtol=1e-3 if kind == '<f2' else 1e-6)


@pytest.mark.parametrize('height', [0, -3, 1e30, [120, 120]])
def test_sizes_that_no_image_has(public_sets, tmp_path, height):
    config = damaged(public_sets['Panoptic'], tmp_path, lambda record, key: record.update(height=height))
    assert_first_image_fails(config, public_sets['Panoptic'].reader.ids[0], 'height, width are .*no size of an image')


def test_paths_that_are_no_list(public_sets, tmp_path):
    with load_npz(public_sets['CameraHMRRelease'].reader.path) as file:
        np.savez(tmp_path / 'coco-release.npz', **{**file, 'imgname': np.array('a.jpg')})
    with pytest.raises(LayoutError, match=r'coco-release.npz: imgname has shape \(\), expected a path a person'):
        READERS.build(dict(public_sets['CameraHMRRelease'].config, data_root=str(tmp_path)))


def test_arrays_of_an_object_stand_for_it(public_sets, tmp_path):
    """As numpy writes a dictionary in an array."""
    written = public_sets['AGORA']

    def wrap(record, key):
        record['smpl_gt'] = [np.array(person, dtype=object) for person in record['smpl_gt']]

    reader = READERS.build(damaged(written, tmp_path, wrap, key='smpl_gt'))
    np.testing.assert_array_equal(reader[0].gt_instances.transl, written.reader[0].gt_instances.transl)


def test_cameras_that_differ_within_an_image(public_sets, tmp_path):
    def change(record, key):
        record['focal'] = np.asarray(record['focal']) * 2

    config = damaged(public_sets['Hi4D'], tmp_path, change)
    assert_first_image_fails(config, public_sets['Hi4D'].reader.ids[0], 'focal, princpt differs between the people')
