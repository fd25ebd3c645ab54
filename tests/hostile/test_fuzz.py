"""Damaged files of every format give a value or an error that names them.

For longer, with the seeds that fail printed: ``FUZZ=1000 pytest tests/hostile/test_fuzz.py -k pth``.
"""
import io
import os
import random
import time
import zipfile
import zlib

import pytest
from hostile.foreign_files import CASES, in_folder, named
from hypothesis import given, settings
from hypothesis import strategies as st

#: Processor time that a small file may take.
SECONDS = 20
#: What length fields are set to: none, all, the limits of signed and unsigned numbers, absurd.
NUMBERS = [0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**60, 2**63 - 1, 2**63]
TEXTS = [b'nan', b'-1', b'1e999', b'9' * 5000, b'[' * 3000, b'{"a":' * 3000, b'null', b'..', b'/etc/passwd', b'\0',
         b"'|O'", b'(' * 3000, b"'U999999999'", b'0, 999999999']




def damaged(data, rng, others):
    """``data`` with bytes, lengths and pieces changed; archives and PNGs mostly inside, their checksums set right."""
    inner = {b'PK': in_archive, b'\x89P': in_png}.get(bytes(data[:2]))
    if inner and rng.random() < .6:
        return inner(data, rng, others)
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        start, width, other = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8)), rng.choice(others)
        end, taken = start + rng.choice((1, 2, 4, 8, 30, 300)), rng.randrange(len(other) + 1)
        piece, end = rng.choice([
            (bytes(byte ^ 1 << rng.randrange(8) for byte in data[start:start + 1]), start + 1),
            (bytes([rng.randrange(256)]), start + 1), (b'', len(data)), (b'', end),
            (data[start:end] * rng.choice((2, 3, 100)), end), (rng.choice(TEXTS), end),
            ((rng.choice(NUMBERS) % 256**width).to_bytes(width, rng.choice(('little', 'big'))), start + width),
            (other[taken:taken + rng.choice((4, 40, 400))], end)])
        data[start:end] = piece
    return bytes(data)


def in_archive(data, rng, others):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen, written = rng.choice(sorted(members)), io.BytesIO()
    with zipfile.ZipFile(written, 'w', rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members.items():
            archive.writestr(name, damaged(content, rng, others) if name == chosen else content)
    return written.getvalue()


def in_png(data, rng, others):
    place, chunks = 8, []
    while place < len(data):
        size = int.from_bytes(data[place:place + 4], 'big')
        chunks.append(data[place + 4:place + 8 + size])
        place += 12 + size
    chosen = rng.randrange(len(chunks))
    chunks[chosen] = chunks[chosen][:4] + damaged(chunks[chosen][4:], rng, others)
    return data[:8] + b''.join((len(chunk) - 4).to_bytes(4, 'big') + chunk + zlib.crc32(chunk).to_bytes(4, 'big')
                               for chunk in chunks)


@pytest.fixture(scope='module')
def contents(tmp_path_factory):
    """Content of a valid file of each case."""
    folder = tmp_path_factory.mktemp('valid')
    return {named(case): in_folder(case, folder / named(case)).read_bytes() for case in CASES}


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('case', CASES, ids=named)
def test_a_value_or_an_error_that_names_the_file(case, contents, tmp_path, monkeypatch):
    monkeypatch.setenv('MMHUMAN_DTO_MAX_MEMORY', '1G')
    path, others = in_folder(case, tmp_path), list(contents.values())

    @settings(max_examples=int(os.environ.get('FUZZ', 12)), derandomize='FUZZ' not in os.environ)
    @given(st.integers(0, 2**64))
    def check(seed):
        path.write_bytes(damaged(contents[named(case)], random.Random(seed), others))
        start = time.process_time()
        try:
            case.read(path)
        except (ValueError, OSError, RuntimeError) as error:
            assert type(error) is ValueError or type(error).__module__.startswith('mmhuman_dto')
            assert path.name in str(error) or str(tmp_path / 't') in str(error)
        assert time.process_time() - start < SECONDS

    check()


def test_damage_is_repeatable_and_of_all_kinds(contents):
    whole = contents['00-a.pkl']
    first, again = ([damaged(whole, random.Random(seed), [b'x' * 50]) for seed in range(200)] for _ in range(2))
    lengths = {len(data) - len(whole) for data in first}
    assert first == again and sum(data != whole for data in first) > 190
    assert min(lengths) < -100 and max(lengths) > 100 and 0 in lengths
