"""How much of this machine one file may ask for; see docs/security.md."""
import math
import os
import re
from pathlib import Path

from .errors import UnsafeFileError

#: Environment variable with the most bytes that what is in one file may take, such as ``24G``.
VARIABLE = 'MMHUMAN_DTO_MAX_MEMORY'


def max_memory():
    """Bytes that what is in one file may take: ``MMHUMAN_DTO_MAX_MEMORY`` (ValueError), or half of the machine's."""
    given = os.environ.get(VARIABLE)
    if given is None:
        physical = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        group = Path('/sys/fs/cgroup/memory.max')
        container = group.read_text().strip() if group.is_file() else ''
        return min(physical, int(container) if container.isdigit() else physical) // 2
    found = re.fullmatch(r'(\d{1,9})([KMGT]?)B?', given.strip().upper())
    if not found:
        raise ValueError(f'{VARIABLE}={given!r}: expected bytes, such as 24G')
    return int(found[1]) << 10 * ' KMGT'.index(found[2] or ' ')


def check_memory(size, where, what='it'):
    """Raise :class:`UnsafeFileError` where ``size`` bytes are more than a file may take; ``where`` names the file."""
    if size > (most := max_memory()):
        raise UnsafeFileError(
            f'{where}: refused, {what} would take {size / 2**20:,.0f} MiB of memory or more, the limit is '
            f'{most / 2**20:,.0f} MiB. If the file is really that large, set the environment variable {VARIABLE}, for '
            f'instance to {-(-size // 2**29)}G.')


class Budget:
    """Pays in bytes for what is made of one file, named ``where``."""

    def __init__(self, where):
        self.where, self.left = where, max_memory()

    def pay(self, size):
        self.left -= size
        if self.left < 0:
            check_memory(max_memory() - self.left, self.where, 'what is pickled in it')


def check_shape(shape, have, itemsize):
    """Raise ValueError unless ``have`` bytes are an array of this shape; ``itemsize`` is that of a value."""
    if not {int}.issuperset(map(type, shape)) or math.prod(shape) * itemsize != have or min(shape, default=0) < 0:
        raise ValueError(f'array of shape {shape} does not fit its {have} bytes or objects')
    # One without bytes can have an axis of 2^60, and a list made of it fills the memory.
    if not have and math.prod(max(size, 1) for size in shape) > 2**20:
        raise ValueError(f'array of shape {shape} without any bytes')
