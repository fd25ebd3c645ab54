"""A pickle that runs a program, in every format that may hold a pickle: it is refused, and the program does not run."""

import ast
import copyreg
import io
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile.foreign_files import CASES, in_folder, named

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_pickle, load_tensors
from mmhuman_dto.fileio.unpickle import unpickle

LOADERS = {'np.load', 'numpy.load', 'torch.load', 'joblib.load', 'pickle.load', 'pickle.loads', 'pickle.Unpickler'}
FORMATS = [case for case in CASES if case.pickled]


class Call:
    """Pickles as a call of ``function(*args)``."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


class Touch(Call):
    """Makes a file by way of a shell."""

    def __init__(self, target):
        super().__init__(os.system, f'touch {target}')


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def by_name(module, name, *args):
    """STACK_GLOBAL, which takes dotted names, and REDUCE."""
    return (
        b'\x80\x04'
        + text(module)
        + text(name)
        + b'\x93'
        + b''.join(map(text, args))
        + {0: b')', 1: b'\x85', 2: b'\x86'}[len(args)]
        + b'R.'
    )


def payloads(target):
    """Pickles that make the file ``target``, where they work."""
    command, code = f'touch {target}', f'open({str(target)!r}, "w")'
    return dict(
        system=pickle.dumps(Touch(target)),
        system_0=pickle.dumps(Touch(target), 0),
        evaluated=pickle.dumps(Call(eval, code)),
        executed=pickle.dumps(Call(exec, code)),
        inst=f"(S'{command}'\nios\nsystem\n.".encode(),
        obj=f"(cos\nsystem\nS'{command}'\no.".encode(),
        newobj=b'\x80\x02cos\nsystem\n' + text(command) + b'\x85\x81.',
        built=b'\x80\x04' + pickle.dumps(Touch(target))[2:-1] + b'}b.',
        dotted=by_name('pathlib', 'os.system', command),
        imported=by_name('os', 'system', command),
        popped=pickle.dumps(Touch(target))[:-1] + b'0N.',
        in_a_key=pickle.dumps({(1, (Touch(target),)): 1}),
        in_a_list=pickle.dumps([[Touch(target)]]),
        in_an_array=pickle.dumps(np.array([Touch(target), 1], object)),
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
    )


def wrapped(how, payload, path):
    """Put a pickle into the file at ``path`` where its format has one."""
    if how == 'pickle':
        path.write_bytes(payload)
    elif how == 'npy':
        path.write_bytes(npy(payload))
    elif how.startswith('npz:'):
        replace(path, how.removeprefix('npz:') + '.npy', npy(payload))
    elif how == 'torch':
        replace(path, next(name for name in zipfile.ZipFile(path).namelist() if name.endswith('/data.pkl')), payload)
    else:
        head = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, dict(little_endian=True))]
        path.write_bytes(b''.join(head) + payload + pickle.dumps([], 2))


def npy(payload):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + payload


def replace(path, name, content):
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    assert name in members
    with zipfile.ZipFile(path, 'w') as archive:
        for member, old in members.items():
            archive.writestr(member, content if member == name else old)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('case', FORMATS, ids=named)
def test_nothing_runs(case, tmp_path, monkeypatch):
    target = tmp_path / 'ran'
    for kind, payload in payloads(target).items():
        path = in_folder(case, tmp_path / kind)
        wrapped(case.pickled, payload, path)
        with pytest.raises((ValueError, OSError, RuntimeError)) as raised:
            case.read(path)
        assert type(raised.value).__module__.startswith('mmhuman_dto'), kind
        assert path.name in str(raised.value) or 't/' in str(raised.value), kind
        assert not target.exists(), kind


def test_the_pickles_would_work(tmp_path):
    """Guards the test above against pickles that do nothing anyway."""
    names = {'system', 'system_0', 'evaluated', 'executed', 'inst', 'obj', 'dotted', 'imported', 'popped', 'in_a_list',
             'in_an_array', 'shell'}
    worked = set()
    for name in names:
        try:
            pickle.loads(payloads(tmp_path / name)[name])
        except Exception:
            continue
        finally:
            if (tmp_path / name).exists():
                worked.add(name)
    assert worked == names


def test_code_is_found_by_no_other_way():
    """What a program may have registered, and what it may be asked for."""
    copyreg.add_extension('os', 'system', 241)
    try:
        pickle.loads(b'\x82\xf1.')  # from now on Python has it in a cache that find_class never sees
        for payload in (b'\x82\xf1' + text('true') + b'\x85R.', b'Ptrue\n.', text('true') + b'Q.', b'\x97.'):
            with pytest.raises(BrokenFileError, match='a.pkl: damaged'):
                unpickle(b'\x80\x04' + payload, 'a.pkl')
    finally:
        copyreg.remove_extension('os', 'system', 241)


def test_what_is_compressed_as_a_whole_is_no_pickle(tmp_path):
    """joblib reads such files; we don't."""
    (tmp_path / 'a.pkl').write_bytes(zlib.compress(payloads(tmp_path / 'ran')['system']))
    with pytest.raises(BrokenFileError, match='a.pkl'):
        load_pickle(tmp_path / 'a.pkl')
    assert not (tmp_path / 'ran').exists()


def test_storages_of_tensors_run_nothing(tmp_path):
    """A tensor in a pickle has a pickle of its own inside, and a checkpoint's persistent ids name storages."""
    inner = io.BytesIO()
    torch.save(Touch(tmp_path / 'ran'), inner, _use_new_zipfile_serialization=False)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(Call(torch.storage._load_from_bytes, inner.getvalue())))
    with pytest.raises(BrokenFileError, match='a.pkl'):
        load_pickle(tmp_path / 'a.pkl')
    torch.save(dict(a=torch.ones(2)), tmp_path / 'a.pth')
    replace(tmp_path / 'a.pth', 'a/data.pkl', b'\x80\x02' + pickle.dumps(Touch(tmp_path / 'ran'), 2)[2:-1] + b'Q.')
    with pytest.raises(UnsafeFileError, match='a.pth: refused, it holds objects besides tensors'):
        load_tensors(tmp_path / 'a.pth')
    assert not (tmp_path / 'ran').exists()


def test_every_reader_of_pickles_is_here():
    """A new call of a loader of numpy or torch, or of pickle itself, has to be a guarded one."""
    package = Path(__file__).parents[2] / 'mmhuman_dto'
    guarded = {'fileio/tensors.py', 'fileio/unpickle.py', 'fileio/safe_pickle.py'}
    found = set()
    for path in package.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in LOADERS:
                found.add(str(path.relative_to(package)))
    assert found == guarded
