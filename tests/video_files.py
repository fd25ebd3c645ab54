"""Small videos whose frames tell their numbers, and changes that make of them what phones and broken copies are."""
import struct
from pathlib import Path

import cv2
import numpy as np

#: (height, width) px of the frames; each shows its number as bits, white or black, in a row at the top.
SIZE = (48, 160)
_BITS = 10
_PARENTS = (b'moov', b'trak', b'mdia', b'minf', b'stbl')


def numbered(number):
    """(H, W, 3) uint8 RGB of a frame that shows its number, and red in the lower left corner."""
    image = np.full((*SIZE, 3), 60, np.uint8)
    for bit in range(_BITS):
        image[:16, 16 * bit:16 * (bit + 1)] = 230 * (number >> bit & 1)
    image[32:, :32] = 220, 20, 20
    return image


def number_of(image):
    """The number that a frame shows."""
    return sum(1 << bit for bit in range(_BITS) if image[4:12, 16 * bit + 4:16 * bit + 12].mean() > 128)


def write_video(path, count, fps=30, codec=None):
    """``count`` frames :func:`numbered` from 0 on; the codec follows the file's suffix."""
    codec = codec or {'.mp4': 'mp4v', '.mkv': 'mp4v', '.avi': 'MJPG', '.mpg': 'MPG1'}[Path(path).suffix]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), fps, SIZE[::-1])
    assert writer.isOpened()
    for number in range(count):
        writer.write(numbered(number)[..., ::-1])
    writer.release()


def turn(path, degrees):
    """State in an MP4 that its pictures are to be turned clockwise, as phones do."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack('>9i', cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    change(path, b'tkhd', lambda body: body[:40] + matrix + body[76:])


def set_times(path, ticks):
    """Give the frames of an MP4 other durations, a number of ticks each of which there are :func:`ticks_a_second`."""
    table = b''.join(struct.pack('>II', 1, int(tick)) for tick in ticks)
    change(path, b'stts', lambda body: struct.pack('>II', 0, len(ticks)) + table)


def ticks_a_second(path):
    found = []
    change(path, b'mdhd', lambda body: found.append(struct.unpack('>I', body[12:16])[0]) or body)
    return found[0]


def index_first(path):
    """Put the list of frames of an MP4 before them, so that a copy that was broken off can be read."""
    change(path, b'free', lambda body: body)
    boxes = _parsed(path.read_bytes())
    moov = next(box for box in boxes if box[0] == b'moov')
    ahead = len(_packed([moov]))

    def moved(body):
        count, = struct.unpack('>I', body[4:8])
        return body[:8] + struct.pack(f'>{count}I', *(o + ahead for o in struct.unpack(f'>{count}I', body[8:])))

    _change(boxes, b'stco', moved)
    boxes.remove(moov)
    path.write_bytes(_packed([boxes[0], moov, *boxes[1:]]))


def cut(path, share):
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * share)])


def change(path, kind, function):
    """Replace the body of the boxes of a kind of an MP4; edit lists, which state durations, are left out."""
    boxes = _parsed(path.read_bytes())
    _change(boxes, kind, function)
    path.write_bytes(_packed(boxes))


def _change(boxes, kind, function):
    boxes[:] = [box for box in boxes if box[0] != b'edts']
    for box in boxes:
        if box[0] in _PARENTS:
            _change(box[1], kind, function)
        elif box[0] == kind:
            box[1] = function(box[1])


def _parsed(content):
    boxes = []
    while content:
        size, kind = struct.unpack('>I4s', content[:8])
        body = content[8:size]
        boxes.append([kind, _parsed(body) if kind in _PARENTS else body])
        content = content[size:]
    return boxes


def _packed(boxes):
    bodies = [_packed(body) if kind in _PARENTS else body for kind, body in boxes]
    return b''.join(struct.pack('>I4s', len(body) + 8, kind) + body for (kind, _), body in zip(boxes, bodies))
