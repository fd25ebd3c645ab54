"""Files that would fill the memory or never end: each is read by a process that has little of either."""

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile.test_malicious_pickles import Call, npy
from PIL import Image

from mmhuman_dto.fileio import UnsafeFileError, load_npz
from mmhuman_dto.fileio.limits import max_memory

M = 2**20
#: What the process may take on top of its libraries, and its processor time.
MEMORY, SECONDS = 1200 * M, 40

READ = """
import os, resource, signal, sys, warnings
from pathlib import Path
sys.path.insert(0, {tests!r})
from hostile.foreign_files import CASES

warnings.simplefilter('ignore')
used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {memory}, ) * 2)
for index, path in {bombs!r}:
    resource.setrlimit(resource.RLIMIT_CPU, (int(sum(os.times()[:2])) + {seconds}, resource.RLIM_INFINITY))
    try:
        CASES[index].read(Path(path))
        print(path, 'VALUE', sep='|', flush=True)
    except Exception as error:
        print(path, type(error).__module__, str(error).replace(chr(10), ' '), sep='|', flush=True)
"""


def array_header(descr, shape, version=1, length=None):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return (
        b'\x93NUMPY'
        + bytes([version, 0])
        + struct.pack('<H' if version == 1 else '<I', len(header) if length is None else length)
        + header
    )


def zipped(members, method=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, 'w', method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def overlapping(copies, size):
    """A zip with many members that are the same compressed bytes."""
    data = bytearray(zipped({'0.npy': bytes(size)}))
    start = data.rfind(b'PK\x01\x02')
    end = data.rfind(b'PK\x05\x06')
    entry, tail = bytes(data[start:end]), bytearray(data[end:])
    directory = b''.join(entry.replace(b'0.npy', b'%05d' % number) for number in range(copies))
    tail[8:12] = struct.pack('<HH', copies, copies)
    tail[12:16] = struct.pack('<I', len(directory))
    return bytes(data[:start]) + directory + bytes(tail)


def laughs(depth, width=10):
    value = [1.0] * width
    for _ in range(depth):
        value = [value] * width
    return value


def counted(opcode, size):
    return b'\x80\x04' + opcode + struct.pack('<Q', size) + b'x.'


def put(count):
    return b'\x80\x02Nr' + struct.pack('<I', count) + b'.'


def storages(count, size):
    """Many arrays that are each copied from the same bytes, as Python 2 wrote them."""
    raw = b'\x80\x02T' + struct.pack('<I', size) + bytes(size) + b'q\x000('
    one = b'c_codecs\nencode\nh\x00U\x06latin1\x86R'
    return raw + one * count + b'l.'


def png(width, height):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress(bytes(M)))
        + chunk(b'IEND', b'')
    )


def texts(*kinds):
    data = io.BytesIO()
    Image.new('L', (8, 6)).save(data, 'PNG')
    packed = zlib.compress(bytes(80 * M))
    return (
        data.getvalue()[:33]
        + b''.join(
            struct.pack('>I', len(packed) + len(head))
            + kind
            + head
            + packed
            + struct.pack('>I', zlib.crc32(kind + head + packed))
            for kind, head in kinds
        )
        + data.getvalue()[33:]
    )


def tensor_pickle(size, stride):
    """A checkpoint whose tensor says it has more values than there are."""
    data = io.BytesIO()
    torch.save(dict(state_dict=dict(a=torch.ones(2).as_strided((7,), (0,)))), data)
    with zipfile.ZipFile(io.BytesIO(data.getvalue())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.endswith('/data.pkl'))
    assert members[name].count(b'K\x07\x85') == 1
    members[name] = members[name].replace(b'K\x07\x85', b'\x8a\x08' + struct.pack('<q', size) + b'\x85')
    return zipped(members, zipfile.ZIP_STORED)


def bombs():
    """{name: (suffix, content)}."""
    return dict(
        memo=('pkl', put(2**32 - 1)),
        memo_text=('pkl', b'Np4000000000\n.'),
        memo_smaller=('pkl', put(2**28)),
        bytes8=('pkl', counted(b'\x8e', 2**40)),
        bytearray8=('pkl', counted(b'\x96', 2**33)),
        text8=('pkl', counted(b'\x8d', 2**60)),
        negative=('pkl', counted(b'\x8e', 2**64 - 1)),
        frame=('pkl', b'\x80\x04\x95' + struct.pack('<Q', 2**50) + b'N.'),
        deep_key=('pkl', b'\x80\x02})' + b'\x85' * 2_000_000 + b'Ns.'),
        deep_frozenset=('pkl', b'\x80\x04(' + b'(' + b')' + b'\x85' * 2_000_000 + b'\x91\x91.'),
        deep_list=('pkl', b'\x80\x02' + b']' * 500_000 + b'a' * 499_999 + b'.'),
        empty_sets=('pkl', b'\x80\x04(' + b'\x8f' * (16 * M) + b'l.'),
        marks=('pkl', b'(' * (12 * M) + b'.'),
        digits=('pkl', b'L' + b'9' * 3_000_000 + b'L\n.'),
        digits_int=('pkl', b'I' + b'9' * 3_000_000 + b'\n.'),
        laughs=('pkl', pickle.dumps(laughs(12), 2)),
        slow_key=('pkl', b'\x80\x04})' + b'\x942h\x00\x86' * 1 + b'2\x86' * 60 + b'Ns.'),
        cycle=('pkl', b'\x80\x02]q\x00(h\x00h\x00e.'),
        copies=('pkl', storages(2000, M)),
        shared_arrays=('pkl', pickle.dumps([np.zeros(M // 4)] * 100_000)),
        sets=(
            'pkl',
            pickle.dumps([Call(set, values := list(range(100_000)))] + [Call(set, values) for _ in range(2000)]),
        ),
        extension=('pkl', b'\x80\x02\x82\x01.'),
        nothing=('pkl', b''),
        only_stop=('pkl', b'.'),
        pops=('pkl', b'0' * M),
        empty_axis=('npy', array_header("'<f8'", (2**60, 0))),
        no_itemsize=('npy', array_header("'|S0'", (2**60,))),
        claims=('npy', array_header("'<f8'", (2**31, 2**31)) + bytes(64)),
        claims_overflow=('npy', array_header("'<f8'", (2**62, 4)) + bytes(64)),
        negative_axis=('npy', array_header("'<f8'", (-8, -1)) + bytes(64)),
        long_header=('npy', array_header("'<f8'", (2,), 2, 2**32 - 1)),
        deep_header=('npy', array_header("'<f8'", '(' * 3000 + ')' * 3000)),
        minus_header=('npy', array_header("'<f8'", '-' * 9000 + '1')),
        huge_item=('npy', array_header("'<U536870911'", (1,))),
        sub_array=('npy', array_header("('<f8', (2**30, ))", (1,))),
        object_bomb=('npy', npy(put(2**32 - 1))),
        booleans=('npy', array_header("'<f8'", '(True, True)') + bytes(8)),
        zeros=('npz', zipped({'a.npy': array_header("'|u1'", (200 * M,)) + bytes(200 * M)})),
        overlap=('npz', overlapping(20_000, 50 * M)),
        lzma=('npz', zipped({'a.npy': bytes(M)}, zipfile.ZIP_LZMA)),
        bz2=('npz', zipped({'a.npy': bytes(M)}, zipfile.ZIP_BZIP2)),
        many_members=('npz', overlapping(65_000, 10)),
        object_in_zip=('npz', zipped({'a.npy': npy(put(2**31))})),
        deep_json=('json', b'[' * 10 * M),
        deep_objects=('json', b'{"a":' * M),
        json_digits=('json', b'[' + b'9' * M + b']'),
        lists=('json', b'[' + b'[],' * (12 * M) + b'[]]'),
        objects=('json', b'[' + b'{},' * (12 * M) + b'{}]'),
        pixels=('png', png(100_000, 100_000)),
        pixels_31=('png', png(2**31 - 1, 2**31 - 1)),
        text_bomb=('png', texts((b'zTXt', b'Raw profile type exif\0\0'))),
        profile_bomb=('png', texts((b'iCCP', b'a\0\0'))),
        postscript=('png', b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\n(x) run\n'),
        weights_memo=('pth', zipped({'a/data.pkl': put(2**32 - 1), 'a/version': b'3'}, zipfile.ZIP_STORED)),
        weights_key=(
            'pth',
            zipped({'a/data.pkl': b'\x80\x02})' + b'\x85' * 2_000_000 + b'Ns.', 'a/version': b'3'}, zipfile.ZIP_STORED),
        ),
        weights_zeros=('pth', zipped({'a/data.pkl': bytes(100 * M), 'a/version': b'3'})),
        weights_expanded=('pth', tensor_pickle(2**40, 0)),
        weights_old=('pth', put(2**32 - 1)),
        weights_copies=(
            'pth',
            zipped(
                {
                    'a/data.pkl': b'\x80\x02cbuiltins\nbytearray\nq\x010B'
                    + struct.pack('<I', M)
                    + bytes(M)
                    + b'q\x020('
                    + b'h\x01h\x02\x85R' * 5000
                    + b'l.',
                    'a/version': b'3',
                },
                zipfile.ZIP_STORED,
            ),
        ),
        header=('safetensors', struct.pack('<Q', 2**62) + b'{}'),
        header_2=('safetensors', struct.pack('<Q', 2**31) + b'{' * M),
        offsets=(
            'safetensors',
            struct.pack('<Q', 64)
            + b'{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,8]}}'.ljust(64)
            + bytes(8),
        ),
    )


#: What costs little here: gaps and frames that CPython's own unpickler would make room for, 200 MB of zeros.
HARMLESS = {'memo', 'memo_text', 'memo_smaller', 'frame', 'zeros'}
#: Cases of foreign_files that read such a suffix; several where formats differ.
READERS = dict(
    pkl=(0,), npy=(6, 18, 26), npz=(5, 8, 16), json=(13, 14, 15, 23), png=(27, 29), pth=(39, 41), safetensors=(42,)
)


def test_refused_with_little_memory_in_little_time(tmp_path):
    from hostile.foreign_files import CASES

    jobs = {}
    for name, (suffix, content) in bombs().items():
        for index in READERS[suffix]:
            case = CASES[index]
            assert case.name.endswith(suffix), f'{index}: {case.name}'
            path = tmp_path / name / str(index) / case.name
            path.parent.mkdir(parents=True)
            if case.name == 'people.transl.npy':
                case.write(path)
            path.write_bytes(content)
            jobs[str(path)] = index
    code = READ.format(
        tests=str(Path(__file__).parents[1]),
        memory=MEMORY,
        seconds=SECONDS,
        bombs=[(index, path) for path, index in jobs.items()],
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, 'MMHUMAN_DTO_MAX_MEMORY': '1G', 'OMP_NUM_THREADS': '1'},
    )
    lines = dict(line.split('|', 1) for line in done.stdout.splitlines() if '|' in line)
    assert lines.keys() == jobs.keys(), f'ended with {done.returncode}: {done.stderr[-2000:]}'
    wrong = {path: line for path, line in lines.items() if not (
        line == 'VALUE' and Path(path).parts[-3] in HARMLESS
        or line.startswith('mmhuman_dto') and (Path(path).name in line or str(Path(path).parent / 't') in line))}
    assert not wrong


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
