"""What a pickle would do to this machine, found without unpickling it.

CPython's unpickler trusts sizes in its input: five bytes ask for a memo of 32 GiB, a megabyte for a tuple nested so
deep that hashing it ends the process, one byte for an empty set of 216. So a pickle is walked through first, with a
stack that knows nothing of its objects but how deep their tuples are, and an estimate of what they take.
"""
import pickletools

import numba
import numpy as np

from .errors import UnsafeFileError
from .limits import check_memory

#: Tuples nested deeper than this are refused; published annotations nest six deep.
MAX_DEPTH = 100

# How an opcode's argument is written, where it isn't a fixed number of bytes; _COUNTED minus the bytes of a count.
_LINE, _TWO_LINES, _NUMBER_LINE, _INDEX_LINE, _UNKNOWN, _COUNTED = -1, -2, -3, -4, -5, -10
_TO_MARK = -1
_FENCE = 254
#: Longest decimal number in a text opcode; Python's own limit.
_DIGITS = 4300
#: Magic number, protocol, system, objects, keys of the storages.
_TORCH_PICKLES = 5

_ARGUMENTS = {
    None: 0, 'uint1': 1, 'uint2': 2, 'int4': 4, 'uint4': 4, 'uint8': 8, 'float8': 8, 'decimalnl_short': _LINE,
    'decimalnl_long': _LINE, 'floatnl': _LINE, 'stringnl': _LINE, 'unicodestringnl': _LINE, 'stringnl_noescape': _LINE,
    'stringnl_noescape_pair': _TWO_LINES, 'string1': _COUNTED - 1, 'string4': _COUNTED - 4, 'bytes1': _COUNTED - 1,
    'bytes4': _COUNTED - 4, 'bytes8': _COUNTED - 8, 'bytearray8': _COUNTED - 8, 'unicodestring1': _COUNTED - 1,
    'unicodestring4': _COUNTED - 4, 'unicodestring8': _COUNTED - 8, 'long1': _COUNTED - 1, 'long4': _COUNTED - 4}
#: Objects and buffers from outside the file; of them torch has its tensors' values in persistent ones.
_REFUSED = ('EXT1', 'EXT2', 'EXT4', 'NEXT_BUFFER', 'READONLY_BUFFER')
_PERSISTENT = ('PERSID', 'BINPERSID')
_CALLS = ('REDUCE', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX')
_TUPLES = ('TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3')
_PUTS, _GETS = ('PUT', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'), ('GET', 'BINGET', 'LONG_BINGET')
_DIGIT_FORMS = {**dict.fromkeys(('INT', 'LONG', 'FLOAT'), _NUMBER_LINE), **dict.fromkeys(('PUT', 'GET'), _INDEX_LINE)}
_KINDS = {name: kind for kind, names in enumerate((
    (), ('STOP', ), ('MARK', ), ('DUP', ), ('FRAME', ), _PUTS, _GETS, _TUPLES, _CALLS, _PERSISTENT, _REFUSED))
    for name in names}
_STOP, _MARK, _DUP, _FRAME, _PUT, _GET, _TUPLE, _CALL, _PERSIST, _REFUSE = range(1, 11)

# Bytes in 64-bit CPython, rounded up: of an object, of each thing taken into one, of each byte of its argument.
_OBJECT, _REFERENCE = 48, 16
_OF_OBJECT = {'MARK': 8, 'EMPTY_SET': 224, 'FROZENSET': 224, 'EMPTY_LIST': 64, 'LIST': 64, 'EMPTY_DICT': 72,
              'DICT': 72, 'BUILD': 64, **dict.fromkeys(_CALLS, 128),
              **dict.fromkeys((*_PUTS, *_GETS, 'DUP'), _REFERENCE)}
_OF_PART = {'SETITEM': 50, 'SETITEMS': 50, 'DICT': 50, 'ADDITEMS': 64, 'FROZENSET': 64}
_OF_BYTE = {'UNICODE': 4, 'BINUNICODE': 4, 'SHORT_BINUNICODE': 4, 'BINUNICODE8': 4}

_TRUNCATED, _NO_OPCODE, _UNDERFLOW, _NO_NUMBER, _MEMO, _OUTSIDE, _DEEP = range(1, 8)
_BROKEN = {_TRUNCATED: 'it ends too early', _NO_OPCODE: 'there is no such opcode',
           _UNDERFLOW: 'it takes what it did not put there', _NO_NUMBER: f'no number of at most {_DIGITS} digits'}
_UNSAFE = {_MEMO: 'its memo has a gap that would fill the memory', _OUTSIDE: 'it refers to objects outside the file',
           _DEEP: f'tuples are nested deeper than {MAX_DEPTH}'}


def check_pickle(data, where, persistent=False):
    """Walk through the pickle at the start of ``data`` (bytes); ``where`` names the file in errors.

    Args:
        data: bytes.
        where: the file, for messages.
        persistent: whether persistent ids are allowed: whoever unpickles it has to look them up.

    Returns:
        int: where the pickle ends.

    Raises:
        UnsafeFileError: it would take too much memory, or nests too deep, or refers to what is not in the file.
        ValueError: it is no whole pickle.
    """
    data = np.frombuffer(data, np.uint8)
    # Neither can have more entries than the pickle has bytes; pages that are not used take no memory.
    stack, memo = np.zeros(len(data) + 1, np.uint8), np.zeros(len(data) + 1, np.uint8)
    error, position, memory = _walk(data, stack, memo, persistent, *_TABLES)
    if error in _UNSAFE:
        raise UnsafeFileError(f'{where}: refused, {_UNSAFE[error]} (byte {position} of the pickle). No program that '
                              'writes annotations, bodies or checkpoints makes such a file.')
    if error:
        raise ValueError(f'{_BROKEN[error]}, byte {position} of the pickle')
    check_memory(memory, where, 'what is pickled in it')
    return position


def check_pickles(data, where):
    """:func:`check_pickle` of the pickles, one after the other, that ``torch.save`` wrote before there were zip files.

    What follows them, the tensors' values, is no pickle.
    """
    data = memoryview(data)
    for _ in range(_TORCH_PICKLES):
        data = data[check_pickle(data, where, persistent=True):]


def _tables():
    """For each opcode: how its argument is written, what it pops and whether it pushes, its kind, its costs."""
    forms, pops, kinds = np.full(256, _UNKNOWN, np.int64), np.zeros(256, np.int64), np.zeros(256, np.int64)
    pushes, costs = np.zeros(256, np.bool_), np.zeros((256, 3), np.int64)
    for opcode in pickletools.opcodes:
        code, name = ord(opcode.code), opcode.name
        before, after = opcode.stack_before, opcode.stack_after
        # APPEND and others leave the object they change; so, for us, does REDUCE, which replaces a callable.
        kept = len(before) if name == 'DUP' else len(after) if before[:len(after)] == after else 0
        forms[code] = _DIGIT_FORMS.get(name, _ARGUMENTS[opcode.arg.name if opcode.arg else None])
        pops[code] = _TO_MARK if pickletools.markobject in before else len(before) - kept
        pushes[code], kinds[code] = len(after) > kept, _KINDS.get(name, 0)
        costs[code] = (_OF_OBJECT.get(name, _OBJECT if pushes[code] else 0), _OF_PART.get(name, 8),
                       _OF_BYTE.get(name, 1))
    return forms, pops, pushes, kinds, costs


_TABLES = _tables()


@numba.njit(cache=True, nogil=True)
def _argument(data, position, form):
    """(value, length, position after it, error) of an opcode's argument at ``position``."""
    size, value, length = len(data), 0, 0
    if form >= 0 or form < _COUNTED:
        width = form if form >= 0 else _COUNTED - form
        if position + width > size:
            return value, length, position, _TRUNCATED
        for i in range(width):
            value |= np.int64(data[position + i]) << (8 * i)
        position += width
        if form < _COUNTED:
            if value < 0 or value > size - position:
                return value, length, position, _TRUNCATED
            length = value
        return value, length, position + length, 0
    begin = position
    for _ in range(2 if form == _TWO_LINES else 1):
        while position < size and data[position] != 10:
            position += 1
        position += 1
    if position > size:
        return value, length, begin, _TRUNCATED
    length = position - begin
    if form == _NUMBER_LINE and length > _DIGITS:
        return value, length, begin, _NO_NUMBER
    if form == _INDEX_LINE:
        if not 1 < length < 16:
            return value, length, begin, _NO_NUMBER
        for i in range(begin, position - 1):
            if not 48 <= data[i] <= 57:
                return value, length, begin, _NO_NUMBER
            value = value * 10 + data[i] - 48
    return value, length, position, 0


@numba.njit(cache=True, nogil=True)
def _walk(data, stack, memo, persistent, forms, pops, pushes, kinds, costs):
    """(error or 0, byte after the pickle or of the error, estimated bytes of memory).

    ``stack`` gets the depth of what lies on it, or _FENCE for a mark; ``memo`` that + 1, where it holds something.
    """
    position, memory, steps, height, num_memo, largest = 0, 0, 0, 0, 0, 0
    while position < len(data):
        start, code = position, data[position]
        kind, form, taken, depth = kinds[code], forms[code], pops[code], 0
        if form == _UNKNOWN or kind == _REFUSE or kind == _PERSIST and not persistent:
            return (_NO_OPCODE if form == _UNKNOWN else _OUTSIDE), start, memory
        value, length, position, error = _argument(data, position + 1, form)
        if kind == _FRAME and (value < 0 or value > len(data) - position):
            error = _TRUNCATED
        if error:
            return error, start, memory
        steps += 1
        if taken == _TO_MARK:
            taken = 0
            while taken < height and stack[height - 1 - taken] != _FENCE:
                taken += 1
            taken += 1
        if max(taken, kind in (_PUT, _DUP, _STOP)) > height:
            return _UNDERFLOW, start, memory
        if kind == _STOP:
            return 0, position, memory
        memory += costs[code, 0] + taken * costs[code, 1] + length * costs[code, 2]
        largest = max(largest, length)
        if kind == _CALL and persistent:  # torch's unpickler does not count its copies as ours does
            memory += largest
        if kind == _MARK:
            depth = _FENCE
        elif kind == _PUT:
            value = num_memo if form == 0 else value  # MEMOIZE takes the next one
            if value > steps:
                return _MEMO, start, memory
            num_memo += memo[value] == 0
            memo[value] = stack[height - 1] + 1
        elif kind == _TUPLE:
            for i in range(height - taken, height):
                if stack[i] != _FENCE:
                    depth = max(depth, np.int64(stack[i]))
            depth += 1
            if depth > MAX_DEPTH:
                return _DEEP, start, memory
        elif kind == _DUP:
            depth = np.int64(stack[height - 1])
        elif kind == _GET:
            if value >= len(memo) or memo[value] == 0:
                return _UNDERFLOW, start, memory
            depth = memo[value] - 1
        height -= taken
        if pushes[code]:
            stack[height] = depth
            height += 1
    return _TRUNCATED, position, memory
