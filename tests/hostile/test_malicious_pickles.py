"""A pickle that runs a program, in every format that may hold a pickle: it is refused, and the program does not run."""

import ast
import contextlib
import copyreg
import io
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile.foreign_files import CASES, Call, in_folder, named, npy_bytes

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.unpickle import unpickle

LOADERS = {'np.load', 'numpy.load', 'torch.load', 'joblib.load', 'pickle.load', 'pickle.loads', 'pickle.Unpickler'}
FORMATS = [case for case in CASES if case.pickled]


def touch(target):
    return Call(os.system, f'touch {target}')


def by_name(module, name, *args):
    """STACK_GLOBAL, which takes dotted names, and REDUCE."""
    module, name, *args = (b'\x8c' + bytes([len(text)]) + text.encode() for text in (module, name, *args))
    return b'\x80\x04' + module + name + b'\x93(' + b''.join(args) + b'tR.'


def payloads(target):
    """Pickles that make the file ``target``, where they work."""
    command, code, stored = f'touch {target}', f'open({str(target)!r}, "w")', io.BytesIO()
    torch.save(touch(target), stored, _use_new_zipfile_serialization=False)
    return dict(
        system=pickle.dumps(touch(target)),
        system_0=pickle.dumps(touch(target), 0),
        evaluated=pickle.dumps(Call(eval, code)),
        executed=pickle.dumps(Call(exec, code)),
        inst=f"(S'{command}'\nios\nsystem\n.".encode(),
        obj=f"(cos\nsystem\nS'{command}'\no.".encode(),
        newobj=b'\x80\x02cos\nsystem\n' + pickle.dumps(command)[2:-1] + b'\x85\x81.',
        built=b'\x80\x04' + pickle.dumps(touch(target))[2:-1] + b'}b.',
        dotted=by_name('shutil', 'os.system', command),
        imported=by_name('os', 'system', command),
        popped=pickle.dumps(touch(target))[:-1] + b'0N.',
        in_a_key=pickle.dumps({(1, (touch(target),)): 1}),
        in_a_list=pickle.dumps([[touch(target)]]),
        in_an_array=pickle.dumps(np.array([touch(target), 1], object)),
        numpy_runs=by_name('numpy.testing._private.utils', 'runstring', code),
        numpy_compiles=by_name('numpy.f2py', 'compile', code),
        numpy_loads=by_name('numpy', 'load', str(target)),
        torch_loads=by_name('torch', 'load', str(target)),
        torch_jit=by_name('torch.jit', 'load', str(target)),
        torch_runs=by_name('torch.utils.cpp_extension', 'load_inline', 'a', code),
        torch_hub=by_name('torch.hub', 'load', 'a/b', code),
        scipy=by_name('scipy.io', 'loadmat', str(target)),
        attribute=by_name('builtins', 'getattr', 'a', '__class__'),
        partial=by_name('functools', 'partial', 'a'),
        shell=by_name('subprocess', 'getoutput', command),
        joblib=by_name('joblib', 'load', str(target)),
        compressed=zlib.compress(pickle.dumps(touch(target))),  # as joblib reads it
        storage=pickle.dumps(Call(torch.storage._load_from_bytes, stored.getvalue())),
        persistent=pickle.dumps(touch(target), 2)[:-1] + b'Q.',
        method=by_name('collections', 'OrderedDict.fromkeys'),
        constructor=by_name('numpy', 'dtype.__new__'),
    )


def wrapped(how, payload, path):
    """Put a pickle into the file at ``path`` where its format has one."""
    if how in ('pickle', 'npy'):
        path.write_bytes(npy_bytes("'|O'", (), payload) if how == 'npy' else payload)
    elif how.startswith('npz:'):
        replace(path, how.removeprefix('npz:') + '.npy', npy_bytes("'|O'", (), payload))
    elif how == 'torch':
        replace(path, next(name for name in zipfile.ZipFile(path).namelist() if name.endswith('/data.pkl')), payload)
    else:
        head = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, dict(little_endian=True))]
        path.write_bytes(b''.join(head) + payload + pickle.dumps([], 2))


def replace(path, name, content):
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    assert name in members
    with zipfile.ZipFile(path, 'w') as archive:
        for member, old in members.items():
            archive.writestr(member, content if member == name else old)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('case', FORMATS, ids=named)
def test_nothing_runs(case, tmp_path):
    """All of them by the first reader of a format; one by all others, which have no loader of their own."""
    target, first = tmp_path / 'ran', case is next(other for other in FORMATS if other.pickled[:3] == case.pickled[:3])
    for kind, payload in payloads(target).items() if first else [('system', payloads(target)['system'])]:
        path = in_folder(case, tmp_path / kind)
        wrapped(case.pickled, payload, path)
        with pytest.raises((ValueError, OSError, RuntimeError)) as raised:
            case.read(path)
        assert type(raised.value).__module__.startswith('mmhuman_dto'), kind
        assert path.name in str(raised.value) or 't/' in str(raised.value), kind
        assert not target.exists(), kind


def test_the_pickles_would_work(tmp_path):
    """Guards the test above against pickles that do nothing anyway."""
    for name in ('system', 'system_0', 'evaluated', 'executed', 'inst', 'obj', 'dotted', 'imported', 'popped',
                 'in_a_list', 'in_an_array', 'shell'):
        with contextlib.suppress(Exception):
            pickle.loads(payloads(tmp_path / name)[name])
        assert (tmp_path / name).exists(), name


def test_code_is_found_by_no_other_way():
    """What a program may have registered, and what it may be asked for."""
    copyreg.add_extension('os', 'system', 241)
    try:
        pickle.loads(b'\x82\xf1.')  # from now on Python has it in a cache that find_class never sees
        for payload in (b"\x82\xf1(S'true'\ntR.", b'Ptrue\n.', b"S'true'\nQ.", b'\x97.'):
            with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
                unpickle(payload, 'a.pkl')
    finally:
        copyreg.remove_extension('os', 'system', 241)


def test_every_reader_of_pickles_is_here():
    """A new call of a loader of numpy or torch, or of pickle itself, has to be a guarded one."""
    package = Path(__file__).parents[2] / 'mmhuman_dto'
    guarded = {'fileio/tensors.py', 'fileio/unpickle.py', 'fileio/safe_pickle.py'}
    assert guarded == {
        str(path.relative_to(package)) for path in package.rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in LOADERS}
