"""Files of the real joblib, of all its compressions and of older releases, read without it."""
import io
import pickle
import zlib

import numpy as np
import pytest
import torch
from fileio.test_safe_pickle import plain

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_joblib, load_npy, load_pickle
from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.fileio.plain_pickle import object_npy, pickled, write_pickle

joblib = pytest.importorskip('joblib')
shared = np.arange(4)
VALUE = dict(
    floats=np.arange(6, dtype=np.float32).reshape(2, 3), fortran=np.asfortranarray(np.arange(6.).reshape(2, 3)),
    empty=np.zeros((0, 3)), scalar=np.array(3, np.int8), bools=np.array([True, False]), big=np.array([1, 2], '>i4'),
    texts=np.array(['a', 'bcd']), raw=np.array([b'a']), objects=np.array([1, 'x', None, np.ones(2)], object),
    number=np.float32(2), tensor=torch.arange(3.), nested=[(1, {'a': np.zeros(1)})], shared=[shared, shared])


@pytest.mark.parametrize('compress', [0, 3, *((name, 3) for name in ('zlib', 'gzip', 'bz2', 'lzma', 'xz'))])
@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_reads_what_joblib_writes(tmp_path, compress, protocol):
    joblib.dump(VALUE, tmp_path / 'a.pkl', compress=compress, protocol=protocol)
    assert plain(load_joblib(tmp_path / 'a.pkl')) == plain(VALUE)


def test_more_than_one_step_unpacks(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, 5_000_000)
    for compress in ('zlib', 'bz2', 'xz'):
        joblib.dump(values, tmp_path / 'a.pkl', compress=(compress, 1))
        np.testing.assert_array_equal(load_joblib(tmp_path / 'a.pkl'), values)


def test_joblib_before_1_2_wrote_no_padding(tmp_path, monkeypatch):
    wrapper = joblib.numpy_pickle.NumpyArrayWrapper
    init = wrapper.__init__
    monkeypatch.setattr(wrapper, 'safe_get_numpy_array_alignment_bytes', lambda self: None)

    def without(self, *args, **options):
        init(self, *args, **options)
        del self.numpy_array_alignment_bytes

    monkeypatch.setattr(wrapper, '__init__', without)
    joblib.dump(VALUE, tmp_path / 'a.pkl')
    assert b'alignment' not in (tmp_path / 'a.pkl').read_bytes()
    assert plain(load_joblib(tmp_path / 'a.pkl')) == plain(VALUE)


def test_arrays_can_be_changed(tmp_path):
    joblib.dump(np.zeros(100_000), tmp_path / 'a.pkl')
    load_joblib(tmp_path / 'a.pkl')[0] = 1


def test_plain_pickles_are_read_and_written_back_for_joblib(tmp_path):
    write_pickle(tmp_path / 'a.pkl', VALUE)
    for read in (load_joblib, load_pickle, joblib.load):
        assert plain(read(tmp_path / 'a.pkl')) == plain(VALUE)


def test_written_pickles_name_numpy_as_numpy_1_does(tmp_path):
    assert b'_core' not in pickled(VALUE) and b'_core' in pickle.dumps(VALUE)
    (tmp_path / 'a.npy').write_bytes(object_npy(VALUE))
    assert plain(np.load(tmp_path / 'a.npy', allow_pickle=True).item()) == plain(VALUE)
    (tmp_path / 'b.npy').write_bytes(object_npy(VALUE['objects']))
    assert plain(load_npy(tmp_path / 'b.npy')) == plain(VALUE['objects'])


def test_cut_short_or_of_other_compressions(tmp_path):
    path = tmp_path / 'a.pkl'
    for compress in (0, 'zlib', 'gzip', 'bz2', 'lzma', 'xz'):
        joblib.dump(VALUE, path, compress=compress)
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(BrokenFileError, match=r'a\.pkl: (damaged, )?cut short'):
            load_joblib(path)
    path.write_bytes(b'\x04"M\x18' + bytes(9))
    with pytest.raises(UnsafeFileError, match=r"a\.pkl: compressed with lz4, which is not read.*compress='zlib'"):
        load_joblib(path)


def test_only_load_joblib_knows_its_arrays(tmp_path):
    joblib.dump(np.zeros(3), tmp_path / 'a.pkl')
    with pytest.raises(UnsafeFileError, match='asks for joblib.numpy_pickle.NumpyArrayWrapper'):
        load_pickle(tmp_path / 'a.pkl')


@pytest.mark.parametrize('change', [
    (b'shape\x94K\x03\x85', b'shape\x94K\x04\x85'), (b'shape\x94K\x03\x85', b'shape\x94K\xff\x85'),
    (b'shape\x94K\x03\x85', b'shape\x94K\x03\x8f'), (b'\x8c\x02f8', b'\x8c\x02V8'), (b'\x8c\x02f8', b'\x8c\x02O8')])
def test_a_wrong_description_is_refused(tmp_path, change):
    stream = io.BytesIO()
    joblib.dump(np.zeros(3), stream)
    assert change[0] in stream.getvalue()
    (tmp_path / 'a.pkl').write_bytes(zlib.compress(stream.getvalue().replace(*change)))
    with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
        load_joblib(tmp_path / 'a.pkl')


def test_names_in_files(tmp_path):
    for compress in (0, 'zlib', 'xz'):
        joblib.dump(VALUE, tmp_path / 'a.pkl', compress=compress)
        assert mentions(tmp_path / 'a.pkl', 'floats', 'fortran') and not mentions(tmp_path / 'a.pkl', 'floats', 'other')
    (tmp_path / 'empty').touch()
    (tmp_path / 'cut').write_bytes(zlib.compress(bytes(999))[:-5])
    for path in tmp_path / 'empty', tmp_path / 'cut', tmp_path / 'none', tmp_path:
        assert not mentions(path, 'a')
