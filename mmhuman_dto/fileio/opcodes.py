"""The standard library's pickle machine in Python, which calls nothing but what it is given and counts its memory.

CPython's own in C believes sizes: five bytes ask for a memo of 32 GiB, a deep tuple as a key ends the process.
"""
import pickle
import sys

import numpy as np

LEAVES = frozenset([str, bytes, bytearray, int, float, complex, bool, type(None)])
#: Bytes in 64-bit CPython of an entry of a dictionary or set, and of what opcodes make and its place on the stack.
_ENTRY, _OBJECT = 100, 64
_SIZES = {'EMPTY_SET FROZENSET REDUCE NEWOBJ': 240,
          'MARK LIST EMPTY_LIST DICT EMPTY_DICT TUPLE TUPLE1 TUPLE2 TUPLE3 PUT BINPUT LONG_BINPUT MEMOIZE': 100,
          'NONE NEWTRUE NEWFALSE EMPTY_TUPLE DUP GET BINGET LONG_BINGET APPEND SETITEM BUILD': 24}


class Unbuilt:
    """An object whose state comes later; ``make(budget, state)`` is its plain value."""

    def __init__(self, make, *ignored):
        self.make, self.value = make, self


class Machine(pickle._Unpickler):
    """Runs the pickles of a stream (BytesIO or memory map), one after the other, on a ``Budget``.

    ``find(module, name)`` gives the function (budget, *args) that makes the objects of a class.
    """
    get_extension = None  # what the program has registered is not the file's

    def __init__(self, stream, budget, find):
        # latin1 keeps the bytes of Python 2's strings, in which numpy's raw data came.
        super().__init__(stream, encoding='latin1')
        self.read, self.readline, self.budget, self.find_class = stream.read, stream.readline, budget, find

    def load(self):
        """The object of the next pickle."""
        self.stack, self.metastack, self.memo = [], [], {}
        self.append = self.stack.append
        read, budget, operations, costs, stop = self.read, self.budget, _OPERATIONS, _COSTS, pickle.STOP[0]
        while (code := read(1)[0]) != stop:
            budget.left -= costs[code]
            if budget.left < 0:
                budget.pay(0)
            operations[code](self)
        return self.stack.pop()

    def get(self, index):
        value = self.memo[index]
        self.append(value.value if type(value) is Unbuilt else value)

    def call(self):
        arguments = self.stack.pop()
        self.stack[-1] = self.stack[-1](self.budget, *arguments)

    def build(self):
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is not dict:  # ordered ones may have attributes, such as _metadata of a network's state
            target.value = self.stack[-1] = target.make(self.budget, state)

    def fill(self, kind, items, *new):
        self.stack += new
        if type(target := self.stack[-1]) is not kind:  # to fill a large array again and again would never end
            raise ValueError(f'items of a {type(target).__name__}')
        check_keys(items[::2] if kind is dict else items, self.budget)
        target.update(zip(items[::2], items[1::2]) if kind is dict else items)


def check_keys(keys, budget):
    """Raise unless ``keys`` are numbers, text and tuples of these, whose hashes take no recursion."""
    budget.pay(_ENTRY * len(keys))
    for key in keys:
        for part in key if type(key) is tuple else (key, ):
            if type(part) not in LEAVES and not isinstance(part, np.generic):
                raise ValueError(f'a {type(part).__name__} in a key or a set')


def _with_text(load):
    return lambda m: (load(m), m.budget.pay(sys.getsizeof(m.stack[-1])))


def _by_name(opcodes):
    return {getattr(pickle, name)[0]: value for names, value in opcodes.items() for name in names.split()}


_COSTS = dict.fromkeys(range(256), _OBJECT) | _by_name(_SIZES)
_OPERATIONS = pickle._Unpickler.dispatch | _by_name({
    'FRAME': lambda m: m.read(8), 'REDUCE NEWOBJ': Machine.call, 'BUILD': Machine.build,
    'BYTEARRAY8': lambda m: m.append(bytearray(m.read(int.from_bytes(m.read(8), 'little')))),
    'GET': lambda m: m.get(int(m.readline())), 'BINGET': lambda m: m.get(m.read(1)[0]),
    'LONG_BINGET': lambda m: m.get(int.from_bytes(m.read(4), 'little')),
    'SETITEM': lambda m: m.fill(dict, [m.stack.pop(-2), m.stack.pop()]),
    'SETITEMS': lambda m: m.fill(dict, m.pop_mark()), 'ADDITEMS': lambda m: m.fill(set, m.pop_mark()),
    'DICT': lambda m: m.fill(dict, m.pop_mark(), {}),
    'FROZENSET': lambda m: (m.fill(set, m.pop_mark(), set()), m.append(frozenset(m.stack.pop())))})
_OPERATIONS |= {code: _with_text(_OPERATIONS[code])
                for code in _by_name({'UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8': None})}
