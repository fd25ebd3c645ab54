"""Files of meshes as other programs write them."""
import json
import struct

import numpy as np


def ply(vertices, faces, form):
    """A PLY file with colours and, binary, as trimesh writes them."""
    count, kind = len(vertices), dict(ascii='ascii', binary='binary_little_endian')[form]
    head = (f'ply\nformat {kind} 1.0\ncomment by a test\nelement vertex {count}\nproperty float x\nproperty float y\n'
            'property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n'
            f'element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n')
    if form == 'ascii':
        rows = [f'{x:.9g} {y:.9g} {z:.9g} 1 2 3' for x, y, z in vertices] + [f'3 {a} {b} {c}' for a, b, c in faces]
        return (head + '\n'.join(rows) + '\n').encode()
    return head.encode() + b''.join(struct.pack('<fffBBB', *row, 1, 2, 3) for row in vertices) + b''.join(
        struct.pack('<Biii', 3, *row) for row in faces)


def glb(vertices, faces, node=None):
    """A file as trimesh writes it: one mesh below a node."""
    positions, indices = np.asarray(vertices, '<f4'), np.asarray(faces, '<u4')
    document = dict(
        asset=dict(version='2.0'), scene=0, scenes=[dict(nodes=[0])],
        nodes=[dict(name='world', children=[1]), dict(name='geometry_0', mesh=0, **(node or {}))],
        meshes=[dict(primitives=[dict(attributes=dict(POSITION=1), indices=0, mode=4)])],
        bufferViews=[dict(buffer=0, byteOffset=0, byteLength=indices.nbytes),
                     dict(buffer=0, byteOffset=indices.nbytes, byteLength=positions.nbytes)],
        accessors=[dict(bufferView=0, componentType=5125, count=indices.size, type='SCALAR'),
                   dict(bufferView=1, componentType=5126, count=len(positions), type='VEC3')],
        buffers=[dict(byteLength=indices.nbytes + positions.nbytes)])
    text = json.dumps(document).encode()
    text += b' ' * (-len(text) % 4)
    chunks = struct.pack('<II', len(text), 0x4E4F534A) + text
    binary = indices.tobytes() + positions.tobytes()
    chunks += struct.pack('<II', len(binary), 0x004E4942) + binary
    return struct.pack('<III', 0x46546C67, 2, 12 + len(chunks)) + chunks
