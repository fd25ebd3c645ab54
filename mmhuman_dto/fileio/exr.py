"""OpenEXR pictures, by the optional package ``OpenEXR`` of the format's own makers."""
import importlib
from pathlib import Path

import numpy as np

from .errors import BrokenFileError, reading
from .limits import check_memory

#: Channels that hold depth, the most telling name first; ``Y`` is what OpenCV calls the one of a grey picture.
_DEPTH_CHANNELS = ('depth', 'Depth', 'Z', 'Y', 'R')


def read_exr(path):
    """The depth channel (H, W) float32 of an ``.exr`` file: ``Z``, ``depth``, or the only one.

    Raises:
        ImportError: the package is not installed; names the command.
        BrokenFileError: no whole OpenEXR file, or one of several channels none of which is called like depth.
        UnsafeFileError: larger than the memory. FileNotFoundError.
    """
    openexr, path = _package(), Path(path)
    path.stat()
    with reading(path, 'an OpenEXR file'):
        header = openexr.File(str(path), header_only=True).parts[0].header
        low, high = header['dataWindow']
        # Every pixel as floats of all channels, which the package decodes together.
        check_memory(int(np.prod(high - low + 1.)) * 4 * len(header['channels']), path, 'what it holds')
        channels = {name: channel.pixels for name, channel in openexr.File(
            str(path), separate_channels=True).channels().items()}
    name = _depth_channel(channels)
    if name is None:
        raise BrokenFileError(f'{path}: its channels are {", ".join(channels)}; depth is in one called Z, or in the '
                              'only one')
    return np.ascontiguousarray(channels[name], np.float32)


def _depth_channel(channels):
    """Name of the channel that holds depth; None where that is not known."""
    if len(channels) == 1:
        return next(iter(channels))
    telling = [name for name in _DEPTH_CHANNELS[:3] if name in channels]
    if telling:
        return telling[0]
    values = list(channels.values())
    equal = all(np.array_equal(values[0], other, equal_nan=True) for other in values[1:])
    return next((name for name in _DEPTH_CHANNELS if name in channels), None) if equal else None


def _package():
    try:
        return importlib.import_module('OpenEXR')
    except ImportError as error:
        raise ImportError(f'OpenEXR cannot be imported ({error}). .exr files are read by it: pip install '
                          '"mmhuman_dto[exr]", or pip install -r requirements/exr.txt') from error
