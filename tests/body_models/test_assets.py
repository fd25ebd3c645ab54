import pickle

import numpy as np
import pytest
import scipy.sparse

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.body_models.assets import find_body_file, read_body, read_matrix
from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError

PARENTS = np.array([2**32 - 1, 0, 1], np.uint32)


def body(**changes):
    content = dict(
        v_template=np.arange(15.).reshape(5, 3), shapedirs=np.ones((5, 3, 2)), posedirs=np.ones((5, 3, 18)),
        J_regressor=np.eye(3, 5), weights=np.ones((5, 3)) / 3, kintree_table=np.stack([PARENTS, np.arange(3)]),
        f=np.array([[0, 1, 4]], np.uint32))
    return {key: value for key, value in {**content, **changes}.items() if value is not None}


def write(tmp_path, content, suffix='.pkl'):
    path = tmp_path / f'SMPL_NEUTRAL{suffix}'
    if suffix == '.npz':
        np.savez(path, **content)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    return path


@pytest.mark.parametrize('suffix', ['.pkl', '.npz'])
def test_reads_both_formats(tmp_path, suffix):
    arrays = read_body(write(tmp_path, body(), suffix), 3)
    np.testing.assert_array_equal(arrays.template, np.arange(15.).reshape(5, 3))
    assert arrays.parents.tolist() == [-1, 0, 1] and arrays.faces.dtype == np.int64


def test_sparse_regressor_becomes_dense(tmp_path):
    content = body(J_regressor=scipy.sparse.csc_matrix(np.eye(3, 5)))
    np.testing.assert_array_equal(read_body(write(tmp_path, content), 3).joint_regressor, np.eye(3, 5))


@pytest.mark.parametrize('changes, message', [
    (dict(posedirs=None), "no key 'posedirs'"),
    (dict(weights=np.ones((5, 4))), r"key 'weights' has shape \(5, 4\), expected \(5, 3\)"),
    (dict(v_template='text'), "key 'v_template' has shape None"),
    (dict(f=np.array([[0, 1, 5]])), 'key f names vertices 0 to 5, there are 5'),
    (dict(kintree_table=np.array([[-1, 2, 1], [0, 1, 2]])), 'a joint before its parent'),
    (dict(shapedirs=np.full((5, 3, 2), 'x')), "key 'shapedirs' holds <U1, expected numbers"),
])
def test_wrong_content_is_named(tmp_path, changes, message):
    path = write(tmp_path, body(**changes))
    with pytest.raises(BrokenFileError, match=message) as error:
        read_body(path, 3)
    assert str(path) in str(error.value)


def test_foreign_class_is_refused(tmp_path):
    with pytest.raises(UnsafeFileError, match='fractions.Fraction'):
        from fractions import Fraction
        read_body(write(tmp_path, body(note=Fraction(1, 2))), 3)


def test_find_prefers_the_family_folder(tmp_path):
    (tmp_path / 'smplx').mkdir()
    for folder in (tmp_path, tmp_path / 'smplx'):
        (folder / 'SMPLX_FEMALE.pkl').touch()
    assert find_body_file(tmp_path, 'smplx', 'female') == tmp_path / 'smplx/SMPLX_FEMALE.pkl'
    assert find_body_file(tmp_path / 'smplx', 'smplx', 'female') == tmp_path / 'smplx/SMPLX_FEMALE.pkl'


def test_matrix_shape_is_checked(tmp_path):
    np.save(tmp_path / 'a.npy', np.ones((9, 5)))
    with pytest.raises(BrokenFileError, match=r'a\.npy: array has shape \(9, 5\), expected \(17, 5\)'):
        read_matrix(tmp_path / 'a.npy', (17, 5))


@pytest.mark.parametrize('name, asked, said', [
    ('SMPL_MALE.pkl', 'neutral', 'male'), ('SMPLX_FEMALE.npz', 'male', 'female'),
    ('SMPL_NEUTRAL.pkl', 'female', 'neutral'), ('basicmodel_m_lbs_10_207_0_v1.1.0.pkl', 'female', 'male'),
    ('basicModel_f_lbs_10_207_0_v1.0.0.pkl', 'neutral', 'female'),
    ('SMPL_FEMALE.pkl', 'female', None), ('basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl', 'neutral', None),
    ('my_body.pkl', 'male', None), ('male_and_female.pkl', 'neutral', None)])
def test_a_file_named_after_another_gender_is_refused(tmp_path, name, asked, said):
    (tmp_path / name).touch()
    if said is None:
        assert find_body_file(tmp_path / name, 'smpl', asked) == tmp_path / name
    else:
        with pytest.raises(BodyModelError, match=f'{name}: gender {asked!r} is asked for, .*name says {said!r}'):
            find_body_file(tmp_path / name, 'smpl', asked)


@pytest.mark.parametrize('suffix', ['.pkl', '.npz'])
@pytest.mark.parametrize('gender', ['female', b'female', np.array('Female'), np.array(['female']), np.array(b'f')])
def test_a_file_that_says_another_gender_is_refused(tmp_path, suffix, gender):
    path = write(tmp_path, body(gender=gender), suffix)
    with pytest.raises(BodyModelError, match="NEUTRAL.*: gender 'neutral' is asked for, .*content says 'female'"):
        read_body(path, 3, gender='neutral')
    assert read_body(path, 3, gender='female').path == path


def test_a_gender_that_is_no_text_says_nothing(tmp_path):
    for gender in (3, np.zeros(2), 'unknown', None):
        assert read_body(write(tmp_path, body(gender=gender)), 3, gender='male')
