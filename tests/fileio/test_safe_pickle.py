import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_npy, load_npz, load_pickle
from mmhuman_dto.fileio.unpickle import unpickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def write(path, value, protocol=4):
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


def assert_same(got, want):
    """Equal values, of plain types."""
    if scipy.sparse.issparse(want):
        assert scipy.sparse.issparse(got) and got.format == want.format
        np.testing.assert_array_equal(got.toarray(), want.toarray())
    elif isinstance(want, torch.Tensor):
        assert type(got) is torch.Tensor
        torch.testing.assert_close(got, want.detach(), rtol=0, atol=0)
    elif isinstance(want, np.ndarray) and want.dtype == object:
        assert type(got) is np.ndarray and got.shape == want.shape
        assert_same(got.ravel().tolist(), want.ravel().tolist())
    elif isinstance(want, np.ndarray):
        assert type(got) is np.ndarray and got.dtype == want.dtype.newbyteorder('=')
        np.testing.assert_array_equal(got, want)
    elif isinstance(want, dict):
        assert type(got) is dict and list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, (list, tuple)):
        assert type(got) is type(want) and len(got) == len(want)
        for one, other in zip(got, want):
            assert_same(one, other)
    else:
        assert type(got) is type(want) and got == want


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
    assert_same(load_pickle(write(tmp_path / 'a.pkl', want, protocol)), {**want})


@settings(deadline=None)
@given(array=hnp.arrays(st.one_of(hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unicode_string_dtypes()),
                        hnp.array_shapes(min_dims=0, min_side=0), fill=st.nothing()),
       protocol=st.sampled_from(PROTOCOLS))
def test_any_array_round_trip(array, protocol):
    got = unpickle(pickle.dumps(array, protocol=protocol), 'a.pkl')
    assert got.dtype == array.dtype.newbyteorder('=') or got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_shared_containers_stay_so():
    shared = {'a': 1}
    first, second = unpickle(pickle.dumps([shared, (shared, )]), 'a.pkl')
    assert second[0] is first


def test_what_holds_itself_is_refused():
    """An array made of such a list would have 2^64 entries."""
    cycle = []
    cycle += [cycle, cycle]
    pair = (cycle, )
    cycle.append(pair)
    for value in (cycle, pair):
        with pytest.raises(BrokenFileError, match='holds itself'):
            unpickle(pickle.dumps(value), 'a.pkl')


def test_old_and_new_numpy_names():
    for old, new in ((b'numpy.core.', b'numpy._core.'), (b'numpy._core.', b'numpy.core.')):
        data = pickle.dumps([np.arange(3), np.float32(2)], protocol=0).replace(old, new)
        assert_same(unpickle(data, 'a.pkl'), [np.arange(3), np.float32(2)])


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
    assert_same(got, dict(
        x=x, select=np.array([[5., 1], [2, 0]]), flat=np.array([3.]), reshape=np.array([5., 1, 2, 0])))


def test_other_chumpy_classes_are_refused(chumpy):
    with pytest.raises(UnsafeFileError, match=r'a\.pkl: refused, it asks for chumpy\.ch\.MatVecMult'):
        unpickle(pickle.dumps(chumpy.MatVecMult(x=1)), 'a.pkl')


class Call:
    """Pickles as a call of ``function(*args)``, with an optional state."""

    def __init__(self, function, *args, state=None):
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.reduced


def test_attributes_of_what_is_allowed_are_out_of_reach():
    """Dotted names, which Python's own lookup would follow."""
    for module, name in (('collections', 'OrderedDict.fromkeys'), ('builtins', 'set.pop'), ('numpy', 'dtype.__new__')):
        data = pickle.PROTO + b'\x04' + b''.join(
            pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode() for text in (module, name)) + b'\x93.'
        with pytest.raises(UnsafeFileError, match=f'{module}.{name}'):
            unpickle(data, 'a.pkl')


@pytest.mark.parametrize('state', [
    (1, (1000, ), np.dtype(object), False, [1]),  # numpy itself would read past the list
    (1, (2, ), np.dtype(float), False, b'12345678'),
    (1, (2**62, 2**62), np.dtype(float), False, b''),
    (1, (-1, ), np.dtype(float), False, b''),
    (1, (8, ), np.dtype(object), False, b'x' * 64),  # raw pointers
    (1, (2**40, ), np.dtype('u1'), False, 2**40),
], ids=['short list', 'short bytes', 'overflow', 'negative', 'pointers', 'number'])
def test_arrays_must_fit_their_data(state):
    data = pickle.dumps(Call(np._core.multiarray._reconstruct, np.ndarray, (0, ), b'b', state=state))
    with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
        unpickle(data, 'a.pkl')


@pytest.mark.parametrize('value', [
    np.zeros(1, [('a', object)]), np.zeros(1, 'V8'), np.zeros(1, 'M8[s]')], ids=['struct', 'void', 'time'])
def test_other_dtypes_are_refused(value):
    with pytest.raises(BrokenFileError, match='only numbers, strings and objects'):
        unpickle(pickle.dumps(value, protocol=4), 'a.pkl')


@pytest.mark.parametrize('size, stride, offset', [((10**12, ), (0, ), 0), ((4, ), (1, ), 2), ((2, ), (9, ), 0)])
def test_tensors_must_fit_their_storage(size, stride, offset):
    storage = torch.arange(4.).untyped_storage()
    typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
    data = pickle.dumps(Call(torch._utils._rebuild_tensor_v2, typed, offset, size, stride, False, OrderedDict()))
    with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
        unpickle(data, 'a.pkl')


def test_sparse_indices_must_fit_the_shape():
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.indices[0] = 1000
    with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
        unpickle(pickle.dumps(matrix), 'a.pkl')


def test_deep_nesting_is_refused():
    data = b'\x80\x04' + b']' * 100_000 + b'a' * 99_999 + b'.'
    with pytest.raises(BrokenFileError, match='nested deeper than 100'):
        unpickle(data, 'a.pkl')


@settings(deadline=None, max_examples=60)
@given(cut=st.integers(0, len(pickle.dumps(PLAIN)) - 1))
def test_cut_pickles_name_the_file(cut):
    with pytest.raises(BrokenFileError, match='a.pkl: damaged, cut short'):
        unpickle(pickle.dumps(PLAIN)[:cut], 'a.pkl')


def test_npz_with_two_members_of_a_name(tmp_path):
    """Which of them another program would read cannot be known."""
    np.save(tmp_path / 'a.npy', np.zeros(2))
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.write(tmp_path / 'a.npy', 'annots.npy')
        archive.write(tmp_path / 'a.npy', 'annots')
    with pytest.raises(BrokenFileError, match=r"a\.npz: holds key 'annots' twice"):
        load_npz(tmp_path / 'a.npz')


def test_npz_reads_arrays_objects_and_slashed_keys(tmp_path):
    annots = {'insta-train/a.jpg': [{'pose': np.ones(72), 'betas': torch.zeros(10)}]}
    np.savez_compressed(tmp_path / 'a.npz', **{'annots': np.array(annots, object), 'a/b.jpg': np.arange(3),
                                               'people': np.array([{'a': 1}, {'a': 2}], object)})
    with load_npz(tmp_path / 'a.npz') as file:
        assert list(file) == ['annots', 'a/b.jpg', 'people'] and 'other' not in file
        assert_same(file['annots'], annots)
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


def npy_bytes(descr, shape, data):
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header) + 1) + header + b'\n' + data


@pytest.mark.parametrize('content', [
    npy_bytes('<f8', (2**50, ), b'\0' * 8), npy_bytes('<f8', (2, ), b'\0' * 8), npy_bytes('<f8', (2, ), b'\0' * 24),
    npy_bytes('<f8', (-1, -1), b'\0' * 8), npy_bytes([('a', '|O')], (1, ), b'\0' * 8), b'\x93NUMPY\x01\x00\xff\xff{',
    npy_bytes('|O', (3, ), pickle.dumps(np.array([1, 2], object))), npy_bytes('|O', (), pickle.dumps([1])),
    b'', b'text',
], ids=['bomb', 'short', 'long', 'negative', 'struct', 'header', 'object shape', 'no array', 'empty', 'text'])
def test_bad_npy_names_file_and_key(tmp_path, content):
    (tmp_path / 'a.npy').write_bytes(content)
    with pytest.raises(BrokenFileError, match=r'a\.npy: damaged'):
        load_npy(tmp_path / 'a.npy')
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('key.npy', content)
    with load_npz(tmp_path / 'a.npz') as file, pytest.raises(BrokenFileError, match=r"a\.npz, key 'key': damaged"):
        file['key']


def test_cut_archive_names_the_file(tmp_path):
    np.savez(tmp_path / 'a.npz', zeros=np.zeros(100))
    (tmp_path / 'a.npz').write_bytes((tmp_path / 'a.npz').read_bytes()[:300])
    with pytest.raises(BrokenFileError, match=r'a\.npz: damaged, cut short or not a zip archive'):
        load_npz(tmp_path / 'a.npz')


def test_missing_file(tmp_path):
    for load in (load_pickle, load_npz, load_npy):
        with pytest.raises(FileNotFoundError, match='nowhere'):
            load(tmp_path / 'nowhere')
