"""The bones of one person as a Biovision hierarchy, ``.bvh``: joints at rest, then angles and places by frame.

The format states neither a unit nor an axis that is up. Angles are in degrees, in the order of their channels, which
is that of the product of the rotations: Z, X, Y is ``Rz @ Rx @ Ry``, as most motion files have it.
"""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.geometry.rotation import matrix_to_euler

_ROOT, _JOINT = 'Xposition Yposition Zposition', 'Zrotation Xrotation Yrotation'
#: How far the last bone of a limb reaches beyond its joint, as a share of the bone before: the format wants an end.
_END = .5


def write_bvh(path, skeleton, rate, scale=1.):
    """Write a person in its frames.

    Args:
        path: of the file.
        skeleton: :class:`~mmhuman_dto.geometry.skeleton.Skeleton`, y up.
        rate: frames a second.
        scale: units of the file in a metre: 100 for centimetres.
    """
    offsets = np.array(skeleton.offsets) * scale  # the root's is 0: its place is what the frames say
    # Without jumps by whole turns, between which programs would fill in frames.
    angles = np.degrees(np.unwrap(matrix_to_euler(torch.from_numpy(skeleton.rotations), 'ZXY').numpy(), axis=0))
    order, lines = [], []
    _describe(skeleton, offsets, 0, '', order, lines)
    frames = np.concatenate([skeleton.root * scale, angles[:, order].reshape(len(angles), -1)], 1)
    head = ['HIERARCHY', *lines, 'MOTION', f'Frames: {len(frames)}', f'Frame Time: {1 / rate:.8f}']
    rows = [' '.join(f'{value:.6f}' for value in frame) for frame in frames]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text('\n'.join([*head, *rows]) + '\n', encoding='ascii')


def _describe(skeleton, offsets, bone, indent, order, lines):
    """Add the lines of a bone and of all below it; ``order`` is that of the bones in the file."""
    order.append(bone)
    channels = f'3 {_JOINT}' if indent else f'6 {_ROOT} {_JOINT}'
    lines += [f'{indent}{"JOINT" if indent else "ROOT"} {skeleton.names[bone]}', f'{indent}{{',
              f'{indent}\tOFFSET {_numbers(offsets[bone])}', f'{indent}\tCHANNELS {channels}']
    children = [child for child, parent in enumerate(skeleton.parents) if parent == bone]
    for child in children:
        _describe(skeleton, offsets, child, indent + '\t', order, lines)
    if not children:
        lines += [f'{indent}\tEnd Site', f'{indent}\t{{', f'{indent}\t\tOFFSET {_numbers(_END * offsets[bone])}',
                  f'{indent}\t}}']
    lines.append(f'{indent}}}')


def _numbers(values):
    return ' '.join(f'{value:.6f}' for value in values)
