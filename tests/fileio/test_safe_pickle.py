import pickle
import sys
import types
import zipfile
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import scipy.sparse
import torch
from hostile.foreign_files import Call, npy_bytes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_npy, load_npz, load_pickle
from mmhuman_dto.fileio.unpickle import unpickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def plain(value):
    """What can be compared: values with their types, shapes and order, of dictionaries and tensors the base classes."""
    if scipy.sparse.issparse(value):
        return value.format, plain(value.toarray())
    if torch.is_tensor(value):
        return 'tensor', plain(value.detach().numpy())
    if isinstance(value, np.ndarray):
        return value.dtype.newbyteorder('='), value.shape, plain(value.ravel().tolist())
    if isinstance(value, dict):
        return [(key, plain(part)) for key, part in value.items()]
    return type(value), [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


PLAIN = dict(
    scalars=[1, 2**80, 1.5, True, None, 'é', b'', b'\xff\x00', bytearray(b'xy'), 1j],
    sets=[{1, 2}, frozenset('ab')], ordered=OrderedDict(b=1, a=2), default=defaultdict(list, {1: [2]}),
    arrays=[np.arange(6.).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 3), np.float32),
            np.array(3, np.int8), np.array(['a', 'bcd']), np.array([b'a', b'bc']), np.array([True, False]),
            np.array([1, 2], '>i4'), np.array([1j])],
    objects=[np.array([1, 'x', None, [np.ones(2)]], object),
             np.asfortranarray(np.array([[1, None], ['a', 2]], object))],
    numpy_scalars=[np.float32(3), np.int64(-1), np.bool_(True), np.str_('hé'), np.str_('')],
    tensors=[torch.arange(6.).reshape(2, 3)[:, 1:], torch.tensor(3), torch.ones(2, dtype=torch.float16), torch.zeros(0),
             torch.nn.Parameter(torch.ones(2))],
    nested=(1, (np.ones(2), [{'a': np.zeros(1)}])))
SPARSE = [make(np.diag([1., 0, 3])) for make in (
    scipy.sparse.csc_matrix, scipy.sparse.csr_matrix, scipy.sparse.coo_matrix, scipy.sparse.csr_array)]


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_plain_data_round_trip(tmp_path, protocol):
    want = dict(PLAIN, sparse=SPARSE)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(want, protocol))
    got = load_pickle(tmp_path / 'a.pkl')
    assert plain(got) == plain(want)
    assert {type(got['ordered']), type(got['default'])} == {dict} and {*map(type, got['tensors'])} == {torch.Tensor}


@given(array=hnp.arrays(st.one_of(hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unicode_string_dtypes()),
                        hnp.array_shapes(min_dims=0, min_side=0), fill=st.nothing()),
       protocol=st.sampled_from(PROTOCOLS))
def test_any_array_round_trip(array, protocol):
    got = unpickle(pickle.dumps(array, protocol=protocol), 'a.pkl')
    np.testing.assert_array_equal(got, array.astype(array.dtype.newbyteorder('=')), strict=True)


def test_shared_containers_stay_so():
    shared = {'a': 1}
    first, second = unpickle(pickle.dumps([shared, (shared, )]), 'a.pkl')
    assert second[0] is first


def test_old_and_new_numpy_names():
    for old, new in ((b'numpy.core.', b'numpy._core.'), (b'numpy._core.', b'numpy.core.')):
        data = pickle.dumps([np.arange(3), np.float32(2)], protocol=0).replace(old, new)
        assert plain(unpickle(data, 'a.pkl')) == plain([np.arange(3), np.float32(2)])


def test_python_2_array():
    """An array as Python 2 wrote it: raw data in a byte string, names in protocol 2's spelling."""
    raw = np.array([1.5, -2.25]).tobytes()
    data = (b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R('
            b'K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
            b'\x89U' + bytes([len(raw)]) + raw + b'tb.')
    np.testing.assert_array_equal(unpickle(data, 'a.pkl'), [1.5, -2.25])


@pytest.fixture
def chumpy(monkeypatch):
    """Modules with chumpy's class names, so that pickles name them."""
    def init(self, **state):
        vars(self).update(state)

    package, classes = types.ModuleType('chumpy'), {}
    for module, names in (('chumpy.ch', ['Ch', 'MatVecMult']), ('chumpy.reordering', ['Select', 'Reshape'])):
        fake = types.ModuleType(module)
        for name in names:
            classes[name] = type(name, (), {'__module__': module, '__init__': init})
            setattr(fake, name, classes[name])
        monkeypatch.setitem(sys.modules, module, fake)
    monkeypatch.setitem(sys.modules, 'chumpy', package)
    return types.SimpleNamespace(**classes)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_chumpy_arrays_become_numpy(chumpy, protocol):
    x = np.arange(12.).reshape(3, 4)
    inner = chumpy.Ch(x=x, _dirty_vars=set(), dterms=['x'])
    select = chumpy.Select(a=inner, idxs=np.array([5, 1, 2, 0]), preferred_shape=(2, 2))
    got = unpickle(pickle.dumps(dict(
        x=inner, select=select, flat=chumpy.Select(a=inner, idxs=np.array([3])),
        reshape=chumpy.Reshape(a=select, newshape=(4, ))), protocol=protocol), 'a.pkl')
    assert plain(got) == plain(dict(
        x=x, select=np.array([[5., 1], [2, 0]]), flat=np.array([3.]), reshape=np.array([5., 1, 2, 0])))


def test_other_chumpy_classes_are_refused(chumpy):
    with pytest.raises(UnsafeFileError, match=r'a\.pkl: refused, it asks for chumpy\.ch\.MatVecMult'):
        unpickle(pickle.dumps(chumpy.MatVecMult(x=1)), 'a.pkl')


def array_of(*state):
    return Call(np._core.multiarray._reconstruct, np.ndarray, (0, ), b'b', state=(1, *state))


def tensor_of(size, stride, offset):
    storage = torch.storage.TypedStorage(
        wrap_storage=torch.arange(4.).untyped_storage(), dtype=torch.float32, _internal=True)
    return Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, OrderedDict())


def sparse_beyond(index):
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.indices[0] = index
    return matrix


def cycles():
    """An array made of such a list would have 2^64 entries; a list and a tuple."""
    cycle = []
    cycle += [cycle, cycle]
    cycle.append((cycle, ))
    return dict(cycle=cycle, cycle_of_tuples=cycle[2])


DAMAGED = dict(
    short_list=array_of((1000, ), np.dtype(object), False, [1]),  # numpy itself would read past the list
    short_bytes=array_of((2, ), np.dtype(float), False, b'12345678'),
    overflow=array_of((2**62, 2**62), np.dtype(float), False, b''),
    negative=array_of((-1, ), np.dtype(float), False, b''),
    number=array_of((2**40, ), np.dtype('u1'), False, 2**40),
    pointers=array_of((8, ), np.dtype(object), False, b'x' * 8),
    scalar_pointer=Call(np._core.multiarray.scalar, np.dtype(object), b'x' * 8),
    buffer_of_pointers=Call(np._core.numeric._frombuffer, b'x' * 8, np.dtype(object), (1, ), 'C'),
    struct=np.zeros(1, [('a', object)]), void=np.zeros(1, 'V8'), time=np.zeros(1, 'M8[s]'),
    expanded=tensor_of((10**12, ), (0, ), 0), beyond=tensor_of((4, ), (1, ), 2), strided=tensor_of((2, ), (9, ), 0),
    sparse=sparse_beyond(1000), **cycles())
SAID = dict(
    dict.fromkeys(('struct', 'void', 'time'), 'only numbers, strings'), number='raw data of', sparse='indices must be',
    **dict.fromkeys(('cycle', 'cycle_of_tuples'), 'holds itself'),
    **dict.fromkeys(('beyond', 'strided'), 'out of bound'),
    **dict.fromkeys(('scalar_pointer', 'buffer_of_pointers'), 'object pickle'))


@pytest.mark.parametrize('kind', DAMAGED)
def test_what_does_not_fit_is_refused(kind):
    with pytest.raises(BrokenFileError, match=f'a.pkl: damaged.*{SAID.get(kind, "not fit its")}'):
        unpickle(pickle.dumps(DAMAGED[kind], 4), 'a.pkl')


def test_deep_nesting_is_refused():
    data = b'\x80\x04' + b']' * 100_000 + b'a' * 99_999 + b'.'
    with pytest.raises(BrokenFileError, match='nested deeper than 100'):
        unpickle(data, 'a.pkl')


@given(cut=st.integers(0, len(pickle.dumps(PLAIN)) - 1))
def test_cut_pickles_name_the_file(cut):
    with pytest.raises(BrokenFileError, match='a.pkl: damaged, cut short'):
        unpickle(pickle.dumps(PLAIN)[:cut], 'a.pkl')


def test_archives_with_two_members_of_a_name_or_cut_short(tmp_path):
    """Which of two another program would read cannot be known."""
    path = tmp_path / 'a.npz'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('annots.npy', b'x' * 1000)
        archive.writestr('annots', b'x')
    with pytest.raises(BrokenFileError, match=r"a\.npz: holds key 'annots' twice"):
        load_npz(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BrokenFileError, match=r'a\.npz: damaged, cut short or not a zip archive'):
        load_npz(path)


def test_npz_reads_arrays_objects_and_slashed_keys(tmp_path):
    annots = {'insta-train/a.jpg': [{'pose': np.ones(72), 'betas': torch.zeros(10)}]}
    np.savez_compressed(tmp_path / 'a.npz', **{'annots': np.array(annots, object), 'a/b.jpg': np.arange(3),
                                               'people': np.array([{'a': 1}, {'a': 2}], object)})
    with load_npz(tmp_path / 'a.npz') as file:
        assert list(file) == ['annots', 'a/b.jpg', 'people'] and 'other' not in file
        assert plain(file['annots']) == plain(annots)
        np.testing.assert_array_equal(file['a/b.jpg'], np.arange(3))
        assert file['people'].shape == (2, ) and file['people'][1] == {'a': 2}
        with pytest.raises(KeyError):
            file['other']


@pytest.mark.parametrize('array', [np.arange(6.).reshape(2, 3).T, np.zeros((0, 4)), np.array('text'),
                                   np.zeros(2, [('a', 'f4'), ('b', 'i8')])])
def test_npy_round_trip(tmp_path, array):
    np.save(tmp_path / 'a.npy', array)
    got = load_npy(tmp_path / 'a.npy')
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize('content', [
    *(npy_bytes("'<f8'", shape, bytes(size))
      for shape, size in (((2**50, ), 8), ((2, ), 8), ((2, ), 24), ((-1, -1), 8))),
    npy_bytes("[('a', '|O')]", (1, ), bytes(8)), npy_bytes("'|O'", (3, ), pickle.dumps(np.array([1, 2], object))),
    npy_bytes("'|O'", (), pickle.dumps([1])), b'\x93NUMPY\x01\x00\xff\xff{', b'', b'text'],
    ids=['bomb', 'short', 'long', 'negative', 'struct', 'object shape', 'no array', 'header', 'empty', 'text'])
def test_bad_npy_names_file_and_key(tmp_path, content):
    (tmp_path / 'a.npy').write_bytes(content)
    with pytest.raises(BrokenFileError, match=r'a\.npy: damaged'):
        load_npy(tmp_path / 'a.npy')
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('key.npy', content)
    with load_npz(tmp_path / 'a.npz') as file, pytest.raises(BrokenFileError, match=r"a\.npz, key 'key': damaged"):
        file['key']


def test_missing_file(tmp_path):
    for load in (load_pickle, load_npz, load_npy):
        with pytest.raises(FileNotFoundError, match='nowhere'):
            load(tmp_path / 'nowhere')
