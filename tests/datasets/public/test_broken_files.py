"""Whatever is wrong with a public file is said with file, key and image; other images are still read."""
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from writer_public import LAYOUTS

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.datasets.public import LayoutError
from mmhuman_dto.datasets.public.parsing import ShapeSpace, padded_betas
from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_npz
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


def damaged(written, folder, edits):
    """A copy of a set with one dictionary of its first image edited; config of its reader.

    Args:
        edits: {key: what it becomes, a function of what it was, or None, which removes it}, of the first dictionary
            that has the first of these keys.
    """
    config = dict(written.config, data_root=str(folder))
    with load_npz(written.reader.path) as file:
        content = dict(file)
    record = content if config['type'] in FLAT else content.get('annots', content)[written.reader.ids[0]]
    record = holder(record, next(iter(edits)))
    for key, value in edits.items():
        if value is None:
            record.pop(key, None)
        else:
            record[key] = value(record[key]) if callable(value) else value
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


def spoilt(number):
    def put(values):
        values = np.array(values, dtype=np.float32)
        values.flat[3 if values.size > 3 else 0] = number
        return values
    return put


#: What may be wrong with numbers of any set, and what is said of their key.
ANY = [(lambda values: np.asarray(values)[..., :-1], r'.*has shape \(.*\), expected \('),
       (spoilt(np.nan), 'holds values that are not finite'), (spoilt(np.inf), 'holds values that are not finite'),
       (lambda values: ['many'] * len(np.asarray(values)), 'is not an array of numbers')]
NO_ROTATION = [(lambda values: np.asarray(values) * 1.1, 'is no rotation'),
               (lambda values: -np.asarray(values), 'is no rotation')]


@pytest.mark.parametrize('name, edits, message', [
    *[(name, {key: change}, f'{key} {message}') for name, key in KEYS.items() for change, message in ANY],
    *[(name, {key: None}, f'lacks {key}') for name, key in KEYS.items() if name not in FLAT],
    *[(name, dict(cam_rot=change), f'cam_rot {message}') for name in ('AGORA', 'BEDLAM', 'Hi4D', 'ThreeDPW')
      for change, message in NO_ROTATION],
    ('RelativeHuman', dict(kp2d=np.zeros((17, 3))), r'kp2d has shape \(17, 3\), expected \(14, 3\) or \(19, 3\)'),
    ('RelativeHuman', dict(age=4), r'age is \[4.0, .*expected -1 to 3'),
    ('RelativeHuman', dict(gender=.5), r'gender is \[0.5, .*expected -1 to 1'),
    ('RelativeHuman', dict(bbox=[10, 20, 5, 8], bbox_wb=None), r'bbox \[10.0, 20.0, 5.0, 8.0\] is not x0, y0, x1, y1'),
    ('RelativeHuman', dict(bbox=None, bbox_wb=None), 'lacks bbox'),
    ('ThreeDPW', dict(genders=lambda names: ['male', 'person', *names[2:]]), "genders are .*'person'"),
    ('ThreeDPW', dict(global_orient=3), 'global_orient is int, expected a row a person'),
    ('BEDLAM', dict(pose_world=3), 'pose_world is int, expected a row a person'),
    ('Hi4D', dict(cam_rot=10**400), 'cam_rot is not an array of numbers'),
    ('Hi4D', dict(cam_rot=np.eye(3) * 1j), r'cam_rot is not an array of numbers \(it holds complex128'),
    ('Hi4D', dict(cam_rot=np.full((3, 3), 1e300)), 'cam_rot holds values that are not finite'),
    ('Hi4D', dict(focal=lambda values: 2 * np.asarray(values)), 'focal, princpt differs between the people'),
    *[('Panoptic', dict(height=height), 'height, width are .*no size of an image')
      for height in (0, -3, 1e30, [120, 120])],
    ('InitialMeshes', dict(shape=np.zeros((7, 10))), r'shape has shape \(7, 10\), expected \([2-5], B\)'),
    ('InitialMeshes', dict(cam_int=np.zeros((2, 3))), r'cam_int has shape \(2, 3\), expected \(N, 3, 3\)'),
    ('InitialMeshes', dict(cam_int=lambda values: np.stack([*values[1:], 2 * values[0]])),
     'cam_int differs between the people'),
    ('InitialMeshes', dict(trans_cam=[[0, 0, 1], [0, 1]]), 'trans_cam is not an array of numbers'),
])
def test_what_is_wrong_with_an_image_is_said(public_sets, tmp_path, name, edits, message):
    written = public_sets[name]
    assert_first_image_fails(damaged(written, tmp_path, edits), written.reader.ids[0], message)


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
    with load_npz(public_sets[name].reader.path) as file:
        first = next(iter(file))
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


def test_children_need_a_body_model_that_knows_them(public_sets, synthetic_smpl):
    written = public_sets['AGORA']
    reader = READERS.build(dict(written.config, body_model=dict(type='SMPL', model_path=str(synthetic_smpl))))
    index = next(i for i, scene in enumerate(written.scenes) if scene.betas[:, 10].any())
    with pytest.raises(LayoutError, match=r'betas has 11 coefficients, the body model 10: .*SMPL\+A'):
        reader[index]


@pytest.mark.parametrize('name, key, change, message', [
    ('MuPoTS', 'annot_3d', lambda v: np.asarray(v) / 1000, 'annot_3d makes people of .* unit, by a factor of 1000'),
    ('MuPoTS', 'annot_3d', lambda v: np.asarray(v) * 100, 'annot_3d makes people of .* by a factor of 0.01'),
    ('Panoptic', 'kpts3d', lambda v: np.asarray(v) * [1e3, 1e3, 1e3, 1], 'kpts3d makes .* by a factor of 0.001'),
    ('Panoptic', 'kpts3d', lambda v: np.asarray(v) * [100, 100, 100, 1], 'kpts3d makes .* by a factor of 0.01'),
])
def test_joints_in_another_unit_are_refused_with_the_factor(public_sets, tmp_path, name, key, change, message):
    written = public_sets[name]
    reader = READERS.build(written.config)
    records = reader.records[reader.ids[0]]
    for record in records if isinstance(records, list) else [records]:
        record[key] = change(record[key])
    with pytest.raises(LayoutError, match=message):
        reader[0]


def test_joints_in_mpis_order_are_refused(public_sets):
    reader = READERS.build(public_sets['MuPoTS'].config)
    h36m, mpi = (JOINT_SETS[name].names for name in ('h36m17', 'mpi17'))
    for person in reader.records[reader.ids[0]]:
        person['annot_3d'] = np.asarray(person['annot_3d'])[[h36m.index(name) for name in mpi]]
    with pytest.raises(LayoutError, match='annot_3d seems to be in the order of mpi17, not in that of h36m17'):
        reader[0]


def test_boxes_of_corner_and_size_are_refused(public_sets):
    reader, failed = READERS.build(public_sets['RelativeHuman'].config), 0
    for index, img_id in enumerate(reader.ids):
        for person in reader.records[img_id]:
            for name in ('bbox', 'bbox_wb'):
                if name in person:
                    box = np.asarray(person[name], float)
                    person[name] = np.concatenate([box[:2], box[2:] - box[:2]])
        with pytest.raises(LayoutError, match='bbox .* (is not x0, y0|holds its person as x, y, width, height)'):
            reader[index]
        failed += 1
    assert failed == 3


def with_eleven(values):
    """Betas of adults, and an 11th component of 1."""
    return np.concatenate([np.asarray(values), np.ones((*np.shape(values)[:-1], 1), np.float32)], -1)


@pytest.mark.parametrize('name, key', [('ThreeDPW', 'betas'), ('Hi4D', 'betas'), ('CameraHMRRelease', 'shape')])
def test_an_11th_component_is_refused_where_none_belongs(public_sets, tmp_path, name, key):
    """Whose body model has a blend to a child must not get it as such, nor be told to."""
    written = public_sets[name]
    config = damaged(written, tmp_path, {key: with_eleven})
    with pytest.raises(LayoutError, match=f'{key} has 11 (shape )?components, .*blend') as error:
        READERS.build(config)[0]
    assert 'such as SMPL+A' not in str(error.value)


@pytest.mark.parametrize('child', [True, False])
def test_an_11th_component_of_bedlam_is_no_blend_to_a_child(public_sets, synthetic_smpl, tmp_path, child):
    written = public_sets['BEDLAM']
    config = damaged(written, tmp_path, dict(shape=with_eleven))
    if not child:
        config['body_model'] = dict(type='SMPL', model_path=str(synthetic_smpl))
    betas = READERS.build(config)[0].gt_instances.betas
    assert betas.shape[1] == (11 if child else 10) and not betas[:, 10:].any()
    np.testing.assert_allclose(betas[:, :10], written.reader[0].gt_instances.betas[:, :10])


def test_an_adult_of_agora_has_no_blend_to_a_child(public_sets, tmp_path):
    written = public_sets['AGORA']
    config = damaged(written, tmp_path, dict(kid=lambda kid: [False] * len(kid)))
    index = next(i for i, scene in enumerate(written.scenes) if scene.betas[:, 10].any())
    edited = READERS.build(config)
    for record in edited.records.values():
        record['kid'] = [False] * len(record['kid'])
    with pytest.raises(LayoutError, match='no child .kid. have a blend to a child, .* 11th coefficient'):
        edited[index]


def test_where_components_go_and_where_the_blend_goes():
    eleven = torch.arange(1., 12)
    larger = padded_betas([eleven], 'betas', ShapeSpace(16, True), child_last=True)[0]
    assert larger.tolist() == [*range(1, 11), *[0] * 6, 11]
    assert padded_betas([eleven], 'shape', ShapeSpace(16, True), cut=10)[0].tolist() == [*range(1, 12), *[0] * 6]
    assert padded_betas([eleven], 'shape', ShapeSpace(10, True), cut=10)[0].tolist() == [*range(1, 11), 0]
    with pytest.raises(LayoutError, match='betas has 16 shape components, the body model 10: give it num_betas=16'):
        padded_betas([torch.ones(16)], 'betas', ShapeSpace(10, True), child_last=True)


@pytest.mark.parametrize('kind', ['<f2', '>f8', 'object'])
def test_numbers_of_any_kind(public_sets, tmp_path, kind):
    config = damaged(public_sets['MuPoTS'], tmp_path, dict(annot_3d=lambda values: values.astype(kind)))
    joints, want = (READERS.build(c)[0].gt_instances.keypoints_3d for c in (config, public_sets['MuPoTS'].config))
    np.testing.assert_allclose(joints, want, rtol=1e-3 if kind == '<f2' else 1e-6)


def test_paths_that_are_no_list(public_sets, tmp_path):
    with load_npz(public_sets['CameraHMRRelease'].reader.path) as file:
        np.savez(tmp_path / 'coco-release.npz', **{**file, 'imgname': np.array('a.jpg')})
    with pytest.raises(LayoutError, match=r'coco-release.npz: imgname has shape \(\), expected a path a person'):
        READERS.build(dict(public_sets['CameraHMRRelease'].config, data_root=str(tmp_path)))


def test_arrays_of_an_object_stand_for_it(public_sets, tmp_path):
    """As numpy writes a dictionary in an array."""
    written = public_sets['AGORA']

    smpl_gt = dict(smpl_gt=lambda people: [np.array(person, dtype=object) for person in people])
    reader = READERS.build(damaged(written, tmp_path, smpl_gt))
    np.testing.assert_array_equal(reader[0].gt_instances.transl, written.reader[0].gt_instances.transl)
