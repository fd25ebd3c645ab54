"""Files that would fill the memory or never end: they are read by a process that has little of either."""
import bz2
import io
import json
import lzma
import os
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile.foreign_files import Call, all_of, depth_of, look, npy_bytes, source
from PIL import Image

from mmhuman_dto.engine.checkpoint import read_state
from mmhuman_dto.fileio import UnsafeFileError, load_joblib, load_json, load_npy, load_npz, load_pickle, map_npy
from mmhuman_dto.fileio.limits import max_memory

M = 2**20
#: What a file may take, what the process may on top of its libraries, and its processor time for a file.
LIMIT, MEMORY, SECONDS = '256M', 400 * M, 40
READERS = dict(pkl=[load_pickle], joblib=[load_joblib], npy=[load_npy, map_npy], npz=[all_of], json=[load_json],
               png=[look, source(depth_of)], pth=[read_state], safetensors=[read_state])


def pack(form, *values):
    return struct.pack('<' + form, *values)


def zipped(method=zipfile.ZIP_DEFLATED, **members):
    written = io.BytesIO()
    with zipfile.ZipFile(written, 'w', method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def weights(content):
    return zipped(zipfile.ZIP_STORED, **{'a/data.pkl': content, 'a/version': b'3'})


def overlapping(copies, size):
    """A zip with many members that are the same compressed bytes."""
    data = zipped(**{'0.npy': bytes(size)})
    start, end = data.rfind(b'PK\x01\x02'), data.rfind(b'PK\x05\x06')
    directory = b''.join(data[start:end].replace(b'0.npy', b'%05d' % number) for number in range(copies))
    return data[:start] + directory + data[end:end + 8] + pack('HHI', copies, copies, len(directory)) + data[end + 16:]


def laughs():
    value = [1.] * 10
    for _ in range(12):
        value = [value] * 10
    return value


def again(value, head, tail, times=5000):
    """A list of what is made of the same value again and again."""
    return pickle.dumps(value, 2)[:-1] + b'r' + pack('I', 1000) + b'0(' + (
        head + b'j' + pack('I', 1000) + tail) * times + b'l.'


def inline(shape):
    """A joblib file of 8 numbers that says it holds as many as the shape has; nothing comes after it."""
    call = b'\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81'
    state = dict(shape=shape, order='C', dtype=np.dtype('<f8'), numpy_array_alignment_bytes=16)
    return call + pickle.dumps(state, 4)[2:-1] + b'b' + b'\1\xff' + bytes(64)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height):
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)) + chunk(
        b'IDAT', zlib.compress(bytes(M))) + chunk(b'IEND', b'')


def text_chunk(kind, head):
    data = io.BytesIO()
    Image.new('L', (8, 6)).save(data, 'PNG')
    return data.getvalue()[:33] + chunk(kind, head + zlib.compress(bytes(80 * M))) + data.getvalue()[33:]


def bombs():
    """{suffix: {name: content}}."""
    put, counted, numbers = b'\x80\x02Nr' + pack('I', 2**32 - 1) + b'.', b'\x80\x04%c' + b'%sx.', list(range(100_000))
    expanded = io.BytesIO()
    torch.save(dict(a=torch.ones(1).as_strided((2**40, ), (0, ))), expanded)  # more values than there are
    deep_key = b'\x80\x02})' + b'\x85' * 2_000_000 + b'Ns.'
    return dict(
        pkl=dict(
            memo=put, memo_text=b'Np4000000000\n.', frame=b'\x80\x04\x95' + pack('Q', 2**50) + b'N.',
            **{f'counted_{code}_{size}': counted % (code, pack('Q', size)) for code, size in (
                (0x8e, 2**40), (0x8e, 2**64 - 1), (0x96, 2**33), (0x8d, 2**60))},
            deep_key=deep_key, deep_frozenset=b'\x80\x04((' + b')' + b'\x85' * 2_000_000 + b'\x91\x91.',
            deep_list=b'\x80\x02' + b']' * 500_000 + b'a' * 499_999 + b'.',
            empty_sets=b'\x80\x04(' + b'\x8f' * (2 * M) + b'l.',
            dup=b'\x80\x04](N' + b'2' * (12 * M) + b'e.', marks=b'(' * (3 * M) + b'.', pops=b'0' * M,
            digits=b'L' + b'9' * 3_000_000 + b'L\n.', digits_int=b'I' + b'9' * 3_000_000 + b'\n.',
            laughs=pickle.dumps(laughs(), 2), slow_key=b'\x80\x04})\x942h\x00\x86' + b'2\x86' * 60 + b'Ns.',
            cycle=b'\x80\x02]q\x00(h\x00h\x00e.', extension=b'\x80\x02\x82\x01.', nothing=b'', only_stop=b'.',
            shared_arrays=pickle.dumps([np.zeros(M // 4)] * 100_000),
            sets=pickle.dumps([Call(set, numbers) for _ in range(2000)]),
            copies=again('\0' * M, b'c_codecs\nencode\n', b'U\x06latin1\x86R'),
            reshapes=again(np.zeros((256, 512), order='F'), b'cchumpy.reordering\nReshape\n)\x81}(U\x01a',
                           b'U\x08newshapeJ\xff\xff\xff\xffub'),
            filled=pickle.dumps(np.zeros(M))[:-1] + b'NK\x00s' * M + b'.',
            added=pickle.dumps(torch.zeros(M))[:-1] + b'(K\x00\x90' * M + b'.'),
        joblib=dict(
            zlib=zlib.compress(bytes(300 * M), 1), bz2=bz2.compress(bytes(300 * M)),
            xz=lzma.compress(bytes(300 * M), preset=0),
            alone=lzma.compress(bytes(300 * M), lzma.FORMAT_ALONE, preset=0),
            window=lzma.compress(b'a', lzma.FORMAT_ALONE, filters=[dict(id=lzma.FILTER_LZMA1, dict_size=2**30)]),
            empty_axis=inline((0, 2**60)), large=inline((2**60, )), negative=inline((-2, -4)),
            packed=zlib.compress(deep_key)),
        npy=dict(
            empty_axis=npy_bytes("'<f8'", (2**60, 0)), large=npy_bytes("'<f8'", (2**60, )),
            negative=npy_bytes("'<f8'", (-8, -1), bytes(64)),
            long_header=npy_bytes("'<f8'", (2, ), b'', 2, 2**32 - 1),
            deep_header=npy_bytes("'<f8'", '(' * 3000 + ')' * 3000),
            minus_header=npy_bytes("'<f8'", '-' * 9000 + '1'), huge_item=npy_bytes("'<U536870911'", (1, )),
            sub_array=npy_bytes("('<f8', (2**30, ))", (1, )), booleans=npy_bytes("'<f8'", '(True, True)', bytes(8)),
            objects=npy_bytes("'|O'", (), put)),
        npz=dict(
            zeros=zipped(**{'a.npy': npy_bytes("'|u1'", (300 * M, ), bytes(300 * M))}),
            overlap=overlapping(20_000, 50 * M),
            many_members=overlapping(65_000, 10), lzma=zipped(zipfile.ZIP_LZMA, a=bytes(M)),
            bz2=zipped(zipfile.ZIP_BZIP2, a=bytes(M)), objects=zipped(**{'a.npy': npy_bytes("'|O'", (), deep_key)})),
        json=dict(
            deep=b'[' * 10 * M, deep_objects=b'{"a":' * M, digits=b'[' + b'9' * M + b']',
            lists=b'[' + b'[],' * (3 * M) + b'[]]',
            objects=b'[' + b'{},' * (3 * M) + b'{}]'),
        png=dict(
            pixels=png(100_000, 100_000), pixels_31=png(2**31 - 1, 2**31 - 1), profile=text_chunk(b'iCCP', b'a\0\0'),
            text=text_chunk(b'zTXt', b'Raw profile type exif\0\0'),
            postscript=b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\n(x) run\n'),
        pth=dict(
            memo=weights(put), key=weights(deep_key), zeros=zipped(**{'a/data.pkl': bytes(300 * M), 'a/version': b'3'}),
            old=put, expanded=expanded.getvalue(),
            copies=weights(again(b'\0' * M, b'cbuiltins\nbytearray\n', b'\x85R'))),
        safetensors=dict(
            length=pack('Q', 2**62) + b'{}', text=pack('Q', 2**31) + b'{' * M,
            offsets=pack('Q', 64) + (
                b'{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,8]}}'.ljust(64) + bytes(8))))


#: Gaps and frames that CPython's own unpickler would make room for, and where its code would look for none.
HARMLESS = {'memo.pkl', 'memo_text.pkl', 'frame.pkl'}


def read_all(folder):
    """Child process: print what each reader says of the files; {name}.{suffix}/a.{suffix} is one."""
    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, ) * 2)
    for path in sorted(Path(folder).glob('*/a.*')):
        for number, read in enumerate(READERS[path.suffix[1:]]):
            resource.setrlimit(resource.RLIMIT_CPU, (int(sum(os.times()[:2])) + SECONDS, resource.RLIM_INFINITY))
            said = 'a value'
            try:
                read(path)
            except Exception as error:
                clear = type(error).__module__.startswith('mmhuman_dto') and str(path) in str(error)
                full = 'MemoryError' in str(error) and 'minus' not in path.parent.name  # the parser's word for depth
                said = 'refused' if clear and not full else f'{type(error).__name__}: {error}'
            print(json.dumps([path.parent.name, number, said]), flush=True)


def test_refused_with_little_memory_in_little_time(tmp_path):
    want = {}
    for suffix, contents in bombs().items():
        for name, content in contents.items():
            path = tmp_path / f'{name}.{suffix}' / f'a.{suffix}'
            path.parent.mkdir()
            path.write_bytes(content)
            for number in range(len(READERS[suffix])):
                want[path.parent.name, number] = 'a value' if path.parent.name in HARMLESS else 'refused'
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, '-c', f'from hostile import test_bombs; test_bombs.read_all({str(tmp_path)!r})'], text=True,
        capture_output=True, env={**os.environ, 'MMHUMAN_DTO_MAX_MEMORY': LIMIT, 'OMP_NUM_THREADS': '1',
                                  'PYTHONPATH': f'{root}:{root}/tests'})
    got = {(name, number): said for name, number, said in map(json.loads, done.stdout.splitlines())}
    assert got == want, f'ended with {done.returncode}: {done.stderr[-2000:]}'


def test_the_limit_is_named_and_can_be_raised(tmp_path, monkeypatch):
    np.savez(tmp_path / 'a.npz', values=np.zeros(3 * M, np.uint8))
    monkeypatch.setenv('MMHUMAN_DTO_MAX_MEMORY', '2M')
    message = r"a\.npz, key 'values': refused, it would take 3 MiB .*, the limit is 2 MiB.*MMHUMAN_DTO_MAX_MEMORY.*1G"
    with load_npz(tmp_path / 'a.npz') as file:
        with pytest.raises(UnsafeFileError, match=message):
            file['values']
        monkeypatch.setenv('MMHUMAN_DTO_MAX_MEMORY', '4M')
        assert len(file['values']) == 3 * M
        monkeypatch.setenv('MMHUMAN_DTO_MAX_MEMORY', 'much')
        with pytest.raises(ValueError, match="MMHUMAN_DTO_MAX_MEMORY='much': expected bytes, such as 24G"):
            max_memory()
        monkeypatch.delenv('MMHUMAN_DTO_MAX_MEMORY')
        assert 2**28 < max_memory() < 2**45
