"""Paths that foreign files name: below the folder they are meant for, or refused."""
import os
from pathlib import Path, PureWindowsPath


class UnsafePathError(ValueError):
    """A path in a file that leads out of its folder; the message names both."""


def path_below(root, relative):
    """``root / relative`` as a string; a ``\\`` in it separates, as Windows writes, unless a file is called so.

    Raises:
        UnsafePathError: ``relative`` is empty, absolute, or holds ``..`` or a NUL: it could name any file.
    """
    parts = PureWindowsPath(relative)  # both / and \ separate
    if not parts.parts or parts.anchor or '..' in parts.parts or '\0' in relative:
        raise UnsafePathError(f'{relative!r} is no path below {root}: it must be relative and must not hold ".."')
    if '\\' in relative and not os.path.exists(os.path.join(root, relative)):
        return str(Path(root, *parts.parts))
    return str(Path(root) / relative)
