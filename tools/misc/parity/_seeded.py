"""Arrays by name, the same on every machine (numpy's frozen ``RandomState``); the model files were made with these."""
import zlib

import numpy as np


def array(name, shape, scale=1.):
    """Normal numbers times ``scale``, float32, seeded by the name."""
    return (np.random.RandomState(zlib.crc32(name.encode())).randn(*shape) * scale).astype(np.float32)


def weight(name, shape):
    """Values of a parameter: scaled by fan-in for matrices, near 1 for norms and layer scales, else small."""
    is_matrix = len(shape) >= 2 and 'embed' not in name and 'token' not in name
    if is_matrix or name.endswith('proj.weight'):
        return array(name, shape, 1. / np.sqrt(np.prod(shape[1:])))
    if name.endswith('.gamma') or ('norm' in name and name.endswith('weight')):
        return 1 + array(name, shape, .1)
    return array(name, shape, .1)
