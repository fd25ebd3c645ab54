"""BVH read by the letter, channels in their order, each a rotation or a way along an axis: for tests."""
import numpy as np
from scipy.spatial.transform import Rotation


def hierarchy_of(words):
    """([name, parent, offset, channels] of each joint, names of the joints that an end follows), up to MOTION."""
    assert next(words) == 'HIERARCHY'
    joints, ends, stack = [], [], []
    for word in words:
        if word in ('ROOT', 'JOINT'):
            joints.append([next(words), stack[-1] if stack else None, None, ()])
        elif word == 'End':
            assert next(words) == 'Site'
            ends.append(joints[stack[-1]][0])
        elif word == '{':
            stack.append(len(joints) - 1)
        elif word == '}':
            stack.pop()
        elif word == 'OFFSET':
            offset = np.array([float(next(words)) for _ in 'xyz'])
            if joints[stack[-1]][2] is None:
                joints[stack[-1]][2] = offset
            else:  # of an end, which stands within its joint's braces
                assert np.linalg.norm(offset) > 0
        elif word == 'CHANNELS':
            joints[stack[-1]][3] = tuple(next(words) for _ in range(int(next(words))))
        else:
            assert word == 'MOTION' and not stack
            break
    return joints, ends


def read_bvh(path):
    """(name -> (T, 3) where each joint is, in units of the file; the joints; who has an end; seconds a frame)."""
    text = path.read_text()
    joints, ends = hierarchy_of(iter(text.split()))
    lines = text.split('MOTION\n')[1].splitlines()
    count, seconds = int(lines[0].split()[1]), float(lines[1].split()[2])
    frames = np.array([line.split() for line in lines[2:]], float)
    assert len(frames) == count and frames.shape[1] == sum(len(joint[3]) for joint in joints)
    places, turned, column = [], [], 0
    for _, parent, offset, channels in joints:
        turn, shift = np.tile(np.eye(3), (count, 1, 1)), np.tile(offset, (count, 1))
        for channel in channels:
            axis, values = channel[0].lower(), frames[:, column]
            if channel.endswith('rotation'):
                turn = turn @ Rotation.from_euler(axis, values[:, None], degrees=True).as_matrix()
            else:
                shift[:, 'xyz'.index(axis)] += values
            column += 1
        turned.append(turn if parent is None else turned[parent] @ turn)
        places.append(shift if parent is None else places[parent] + np.einsum('tij,tj->ti', turned[parent], shift))
    return {joint[0]: place for joint, place in zip(joints, places)}, joints, ends, seconds
