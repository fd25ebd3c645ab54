"""How much of this machine one file may ask for; see docs/security.md."""
import math
import os
import re
from pathlib import Path

from .errors import UnsafeFileError

#: Environment variable with the most bytes that what is in one file may take, such as ``24G``.
VARIABLE = 'MMHUMAN_DTO_MAX_MEMORY'
#: An archive that grows by more than this factor, or data built more often than that from the same bytes, is a bomb;
#: what stays below _SMALL bytes is not.
MAX_RATIO = 200
MAX_SHARING = 16
SMALL = 64 * 2**20

#: Entries of an array that takes no memory.
_MOST_EMPTY = 2**20
_UNITS = {'': 1, 'K': 2**10, 'M': 2**20, 'G': 2**30, 'T': 2**40}
_CGROUP = Path('/sys/fs/cgroup/memory.max')


def max_memory():
    """Bytes that what is in one file may take: ``MMHUMAN_DTO_MAX_MEMORY``, or half of the machine's memory.

    Raises:
        ValueError: the variable is no size.
    """
    given = os.environ.get(VARIABLE)
    if given is None:
        return _memory() // 2
    found = re.fullmatch(r'(\d{1,9})([KMGT]?)B?', given.strip(), re.IGNORECASE)
    if not found:
        raise ValueError(f'{VARIABLE}={given!r}: expected bytes, such as 24G')
    return int(found[1]) * _UNITS[found[2].upper()]


def check_memory(size, where, what='it'):
    """Raise :class:`UnsafeFileError` where ``size`` bytes are more than a file may take; ``where`` names the file."""
    if size > (most := max_memory()):
        raise UnsafeFileError(
            f'{where}: refused, {what} would take {size / 2**20:,.0f} MiB of memory, the limit is {most / 2**20:,.0f} '
            f'MiB. If the file is really that large, set the environment variable {VARIABLE}, for instance to '
            f'{-(-size * 5 // 2**32)}G.')


def _memory():
    """Bytes of memory that this machine, or the container it is, has."""
    physical = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    limit = _CGROUP.read_text().strip() if _CGROUP.is_file() else ''
    return min(physical, int(limit)) if limit.isdigit() else physical


def check_shape(shape, have, itemsize):
    """Raise ValueError unless ``have`` bytes are an array of this shape; ``itemsize`` is that of a value.

    An array without bytes can have an axis of 2^60 all the same, and a list made of it fills the memory.
    """
    if math.prod(shape) * itemsize != have or min(shape, default=0) < 0:
        raise ValueError(f'array of shape {shape} does not fit its {have} bytes or objects')
    if math.prod(max(size, 1) for size in shape) > max(have, _MOST_EMPTY):
        raise ValueError(f'array of shape {shape} without any bytes')
