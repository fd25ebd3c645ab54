"""Names of files: as text that can be shown, and of outputs that no other output overwrites."""
import hashlib
import unicodedata
from itertools import chain, count
from pathlib import PurePosixPath

#: Suffixes of outputs, which a folder of outputs must not look like.
_SUFFIXES = ('.jpg', '.png', '.json', '.npz', '.glb', '.obj', '.ply', '.usdc', '.bvh', '.trc', '.html')
#: What outputs of the people before DTO are called besides: ``NAME_before``.
BEFORE = '_before'
#: Bytes of a part of a path, of the 255 that file systems take: room for ``_before`` and a suffix.
_LONGEST = 200


def printable(text):
    """A name as text that can be printed and written anywhere: bytes that are no UTF-8 become escapes."""
    return str(text).encode('utf-8', 'backslashreplace').decode()


class OutputNames:
    """Names of the outputs of pictures, no two of which share a file.

    A name is the picture's own without its suffix, with it (``a_png``) where that is taken, or with a number too. Taken
    are also ``NAME_before``, and names that differ in case or in Unicode's composition alone, which some disks do not
    tell apart. Signs that a path cannot have everywhere become ``_``, parts that are too long are cut.
    """

    def __init__(self):
        self._files, self._folders = set(), set()

    def of(self, img_id):
        """A path without suffix, ``/`` between its parts, for the outputs of a picture."""
        parts = [_safe(part) for part in img_id.split('/') if part] or ['_']
        own = PurePosixPath(*parts)
        whole = '/'.join(part.replace('.', '_') for part in parts)
        names = chain([str(own.with_suffix('')), whole], (f'{whole}_{number}' for number in count(2)))
        return next(name for name in map(_short, names) if self._take(name))

    def _take(self, name):
        files = {_key(name), _key(name + BEFORE)}
        folders = {_key(str(parent.with_suffix(''))) for parent in PurePosixPath(name).parents
                   if parent.suffix.lower() in _SUFFIXES}
        if files & (self._files | self._folders) or folders & self._files:
            return False
        self._files |= files
        self._folders |= folders
        return True


def _safe(part):
    """A part of a path without what is a separator or no sign at all somewhere."""
    part = ''.join('_' if sign == '\\' or unicodedata.category(sign) in ('Cc', 'Cs') else sign for sign in part)
    return part if part.strip('.') else '_' * len(part)


def _short(name):
    """A path whose parts are cut where they are too long, and then told apart by what was cut."""
    parts = []
    for part in name.split('/'):
        if len(encoded := part.encode()) > _LONGEST:
            part = encoded[:_LONGEST - 9].decode(errors='ignore') + '_' + hashlib.sha256(encoded).hexdigest()[:8]
        parts.append(part)
    return '/'.join(parts)


def _key(name):
    return unicodedata.normalize('NFC', name).casefold()
