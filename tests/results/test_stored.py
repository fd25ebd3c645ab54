import pickle

import numpy as np
import pytest
import torch
from results.peers import alike, malicious

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError
from mmhuman_dto.results.stored import Stored, load_stored, save_stored

PEOPLE = [dict(a=np.arange(3, dtype=np.float32), b=torch.ones(2, 3), c=None, d=np.float32(2))]
TENSORS = [dict(a=torch.arange(3), b='text')]
OBJECTS = np.array(PEOPLE + [1], object)


@pytest.mark.parametrize('form, content', [
    ('pickle', PEOPLE), ('torch', TENSORS), ('torch', PEOPLE), ('npy', OBJECTS), ('npy', PEOPLE[0]),
    ('npy', np.ones((2, 3), np.float16)),
    ('npz', dict(people=OBJECTS, one=PEOPLE[0], K=np.eye(3)))])
def test_round_trip(tmp_path, form, content):
    save_stored(tmp_path / 'deep/file.bin', Stored(content, form))
    got = load_stored(tmp_path / 'deep/file.bin')
    assert got.form == form
    alike(got.content, content)
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['file.bin']


def test_what_programs_write_is_read(tmp_path):
    np.savez(tmp_path / 'a.npz', results=PEOPLE[0])
    np.save(tmp_path / 'a.npy', PEOPLE, allow_pickle=True)
    torch.save(TENSORS, tmp_path / 'new.pt')
    torch.save(TENSORS, tmp_path / 'old.pt', _use_new_zipfile_serialization=False)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(PEOPLE))
    alike(load_stored(tmp_path / 'a.npz').content['results'], PEOPLE[0])
    alike(load_stored(tmp_path / 'a.npy').content.tolist(), PEOPLE)
    alike(load_stored(tmp_path / 'new.pt').content, TENSORS)
    alike(load_stored(tmp_path / 'old.pt').content, TENSORS)
    alike(load_stored(tmp_path / 'a.pkl').content, PEOPLE)


def test_nothing_is_run(tmp_path):
    content, evidence = malicious(tmp_path)
    for name in ('a.pkl', 'a.npz', 'a.pt'):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((UnsafeFileError, BrokenFileError), match=name):
            load_stored(tmp_path / name)
    assert not evidence.exists()
