"""Archives of torch.save that hold numpy arrays beside tensors are read without running anything."""
import collections
import zipfile

import numpy as np
import pytest
import torch
from hostile.foreign_files import Call

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError
from mmhuman_dto.fileio.torch_archive import is_torch_archive, load_torch_archive


def test_tensors_of_all_types_arrays_and_containers(tmp_path):
    whole = torch.arange(12.).reshape(3, 4)
    dtypes = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
              torch.uint8, torch.bool)
    vertices = np.arange(6, dtype=np.float32).reshape(2, 3)
    content = dict(
        people=[dict(vertices=vertices, focal=np.float32(2.5), name='ä', none=None)],
        view=whole[1:, ::2], same=whole, turned=whole.T, scalar=torch.tensor(3), empty=torch.zeros(0, 3),
        ordered=collections.OrderedDict(a=torch.nn.Parameter(torch.ones(2))),
        objects=np.array([dict(x=1), None], object), **{str(dtype): torch.ones(2, dtype=dtype) for dtype in dtypes})
    torch.save(content, tmp_path / 'a.pt')
    assert is_torch_archive(tmp_path / 'a.pt')
    read = load_torch_archive(tmp_path / 'a.pt')
    for name, value in content.items():
        if torch.is_tensor(value):
            assert read[name].dtype == value.dtype and torch.equal(read[name], value), name
    person, = read['people']
    np.testing.assert_array_equal(person['vertices'], content['people'][0]['vertices'])
    assert person['focal'] == np.float32(2.5) and person['name'] == 'ä' and person['none'] is None
    assert torch.equal(read['ordered']['a'], torch.ones(2)) and read['objects'][0] == dict(x=1)


def test_programs_in_an_archive_are_refused_by_name(tmp_path):
    torch.save(dict(a=torch.ones(2), b=Call(print, 'run')), tmp_path / 'a.pt')
    with pytest.raises(UnsafeFileError, match=r'a\.pt: refused, it asks for __builtin__\.print'):
        load_torch_archive(tmp_path / 'a.pt')


def changed(path, name, change):
    """The archive with a member's content changed."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, 'w') as archive:
        for member, content in members.items():
            archive.writestr(member, change(content) if member.endswith(name) else content)


@pytest.mark.parametrize(('name', 'change'), [
    ('/data/0', lambda content: content[:-4]), ('/byteorder', lambda content: b'big'),
    ('/data.pkl', lambda content: content[:-8])])
def test_damage_is_told_by_the_name_of_the_file(tmp_path, name, change):
    torch.save(dict(a=torch.arange(4.)), tmp_path / 'a.pt')
    changed(tmp_path / 'a.pt', name, change)
    with pytest.raises(BrokenFileError, match=r'a\.pt'):
        load_torch_archive(tmp_path / 'a.pt')


def test_a_small_storage_of_many_claimed_values_is_refused(tmp_path):
    torch.save(torch.zeros(1).expand(2**40), tmp_path / 'a.pt')
    with pytest.raises((BrokenFileError, UnsafeFileError), match=r'a\.pt'):
        load_torch_archive(tmp_path / 'a.pt')
