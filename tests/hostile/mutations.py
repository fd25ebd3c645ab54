"""Damage done to files: bytes, lengths, pieces; in what an archive holds as well as in the archive."""

import io
import zipfile
import zlib

#: What length fields are set to: none, all, the limits of signed and unsigned numbers, absurd.
_NUMBERS = [
    0,
    1,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**60,
    2**63 - 1,
    2**63,
    2**64 - 1,
]
_TEXTS = [
    b'nan',
    b'-1',
    b'1e999',
    b'9' * 5000,
    b'[' * 3000,
    b'{"a":' * 3000,
    b'null',
    b'..',
    b'/etc/passwd',
    b'\0',
    b"'|O'",
    b'(' * 3000,
    b"'U999999999'",
    b'0, 999999999',
]


def mutated(data, rng, others=()):
    """Damaged bytes; ``rng`` a random.Random, ``others`` contents of other files to take pieces from."""
    inner = {b'PK': _in_archive, b'\x89P': _in_png}.get(bytes(data[:2]))
    if inner and rng.random() < 0.6:
        return inner(data, rng, others)
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        _damage(data, rng, others)
    return bytes(data)


def _damage(data, rng, others):
    place = rng.randrange(len(data) + 1)
    end = min(len(data), place + rng.choice((1, 2, 4, 8, 30, 300)))
    kind = rng.randrange(9)
    if kind == 0 and place < len(data):
        data[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[place : place + 1] = bytes([rng.randrange(256)])
    elif kind == 2:
        del data[place:]
    elif kind == 3:
        del data[place:end]
    elif kind == 4:
        data[place:place] = data[place:end] * rng.choice((1, 2, 100))
    elif kind in (5, 6):
        width, order = rng.choice((1, 2, 4, 8)), rng.choice(('little', 'big'))
        data[place : place + width] = (rng.choice(_NUMBERS) % 256**width).to_bytes(width, order)
    elif kind == 7:
        data[place:end] = rng.choice(_TEXTS)
    elif others:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        data[place:end] = other[start : start + rng.choice((4, 40, 400))]


def _in_archive(data, rng, others):
    """A zip whose checksums are right, with one member damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error):
        return data
    chosen = rng.choice(sorted(members))
    written = io.BytesIO()
    with zipfile.ZipFile(written, 'w', rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members.items():
            archive.writestr(name, mutated(content, rng, others) if name == chosen else content)
    return written.getvalue()


def _in_png(data, rng, others):
    """A PNG whose checksums are right, with one chunk damaged."""
    parts, place = [data[:8]], 8
    chunks = []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], 'big')
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    chosen = rng.randrange(len(chunks))
    for number, (kind, content) in enumerate(chunks):
        content = mutated(content, rng, others) if number == chosen else content
        parts += [len(content).to_bytes(4, 'big'), kind, content, zlib.crc32(kind + content).to_bytes(4, 'big')]
    return b''.join(parts)
