"""Unpickling that builds plain data only: no class or function of the file's choosing is ever called.

Every name a pickle asks for is looked up in one table of stand-ins below. A stand-in only stores what it is given;
after the whole pickle is read, :class:`_Plainer` turns stand-ins into numpy arrays, torch tensors and scipy matrices,
with their sizes checked against the data that is really there. What would fill the memory is refused before
(:mod:`~mmhuman_dto.fileio.opcodes`), what is made of the same bytes again and again on the way.
"""
import io
import math
import pickle
import re
import threading

import numpy as np
import scipy.sparse
import torch

from .errors import UnsafeFileError, reading
from .limits import MAX_SHARING, SMALL, check_shape
from .opcodes import MAX_DEPTH, check_pickle, check_pickles

_LEAVES = frozenset([str, bytes, bytearray, int, float, complex, bool, type(None)])
#: Bytes that an entry of a list, dictionary or set takes.
_REFERENCE, _ENTRY = 8, 32


def unpickle(data, where):
    """Plain objects from pickled bytes; ``where`` names the file in errors.

    Understands builtin containers, numpy arrays and scalars, torch tensors, scipy's csc, csr and coo matrices and
    chumpy arrays (returned as numpy arrays), written by Python 2 or 3 with any protocol.

    Raises:
        UnsafeFileError: any other class, by name, or more memory than a file may take.
        BrokenFileError: data that is no whole pickle.
    """
    with reading(where, 'a pickle of plain data'):
        check_pickle(data, where)
        _ACCOUNT.where, _ACCOUNT.left = where, max(SMALL, MAX_SHARING * len(data))
        return _Plainer(where, _ACCOUNT.left).convert(_Unpickler(io.BytesIO(data), where).load())


def _refuse(where, what):
    raise UnsafeFileError(f'{where}: refused, {what} would become many times as large as the file. No program that '
                          'writes annotations or bodies makes such a file.')


class _Account(threading.local):
    """How many bytes the pickle that this thread reads may still copy."""
    where, left = '', 0


_ACCOUNT = _Account()


def _charge(size):
    """Count bytes that are made of what is in memory already."""
    _ACCOUNT.left -= size
    if _ACCOUNT.left < 0:
        _refuse(_ACCOUNT.where, 'copies of the same data')


class _Unpickler(pickle.Unpickler):

    def __init__(self, stream, where):
        # latin1 keeps the bytes of Python 2 strings, which hold numpy's raw data.
        super().__init__(stream, encoding='latin1')
        self._where = where

    def find_class(self, module, name):
        if (key := (_canonical(module), name)) not in _TABLE:
            raise UnsafeFileError(
                f'{self._where}: refused, it asks for {module}.{name}, which is not plain data (containers, numpy, '
                'torch tensors, scipy sparse, chumpy arrays). A pickle can run any program; nothing of this one was '
                'run. If you trust its author, convert it elsewhere to an .npz of plain arrays.')
        return _TABLE[key]


def _canonical(module):
    """The one spelling of a module whose name differs between versions of Python, numpy and scipy."""
    module = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}.get(module, module)
    return re.sub(r'^scipy\.sparse\._(cs[cr]|coo)$', r'scipy.sparse.\1', module.replace('numpy._core.', 'numpy.core.'))


class _StandIn:
    """Holds what a pickle says about one object; unhashable, so that it is only found where :class:`_Plainer` looks."""
    __slots__ = ('state', )
    __hash__ = None

    def __setstate__(self, state):
        self.state = state

    def plain(self, convert):
        """The real object; ``convert`` makes parts of the state plain."""
        raise NotImplementedError


class _Dtype(_StandIn):
    """``numpy.dtype``. A real one would take flags from the file that make numpy read raw bytes as pointers."""
    __slots__ = ('dtype', )

    def __init__(self, code, align=False, copy=False):
        if not re.fullmatch(r'[biufcSUO]\d*|\?', str(code)):
            raise ValueError(f'numpy dtype {code!r}, only numbers, strings and objects are read from pickles')
        self.dtype = np.dtype(code)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])

    def plain(self, convert):
        return self.dtype


class _Array(np.ndarray):
    """An array whose size is checked against its data before numpy, which doesn't, is given both."""

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        dtype = dtype.dtype
        if dtype.hasobject:
            if type(raw) is not list:
                raise ValueError('object array without a list of objects')
            _charge(_REFERENCE * len(raw))
            check_shape(shape, len(raw), 1)
        else:
            raw = _raw_bytes(raw)
            check_shape(shape, len(raw), dtype.itemsize)
        super().__setstate__((1, shape, dtype, bool(fortran), raw))


def _raw_bytes(raw):
    if type(raw) is bytes:
        return raw
    if type(raw) not in (str, bytearray):
        raise ValueError(f'array data of {type(raw)}')
    _charge(len(raw))
    return raw.encode('latin1') if type(raw) is str else bytes(raw)


def _empty_array(kind, shape, code):
    return _Array((0, ), 'b')


def _array_from_buffer(buffer, dtype, shape, order):
    dtype, raw = dtype.dtype, _raw_bytes(buffer)
    _charge(len(raw))
    check_shape(shape, len(raw), dtype.itemsize)
    return np.frombuffer(raw, dtype).reshape(shape, order=order).astype(dtype.newbyteorder('='))


def _scalar(dtype, raw):
    dtype, raw = dtype.dtype, _raw_bytes(raw)
    check_shape((), len(raw), dtype.itemsize)
    return np.frombuffer(raw, dtype)[0] if raw else dtype.type()


class _Storage(_StandIn):
    """``torch.storage._load_from_bytes``, which would call ``torch.load``."""
    __slots__ = ()

    def __init__(self, raw):
        self.state = raw

    def plain(self, convert):
        if self.state[:2] == b'PK':
            raise ValueError('tensor storage in a zip archive')
        _charge(len(self.state))
        check_pickles(self.state, _ACCOUNT.where)
        storage = torch.load(io.BytesIO(self.state), map_location='cpu', weights_only=True)
        return torch.tensor([], dtype=storage.dtype).set_(storage)


class _Tensor(_StandIn):
    """``torch._utils._rebuild_tensor_v2``."""
    __slots__ = ()

    def __init__(self, storage, offset, size, stride, *ignored):
        self.state = storage, offset, size, stride

    def plain(self, convert):
        storage, offset, size, stride = self.state
        flat = convert(storage)
        if math.prod(size) > flat.numel():
            raise ValueError(f'tensor of size {tuple(size)} does not fit its {flat.numel()} values')
        check_shape(tuple(size), math.prod(size), 1)
        _charge(math.prod(size) * flat.itemsize)
        return flat.as_strided(size, stride, offset).clone()


class _Parameter(_StandIn):
    """``torch._utils._rebuild_parameter``; comes back as a plain tensor."""
    __slots__ = ()

    def __init__(self, tensor, *ignored):
        self.state = tensor

    def plain(self, convert):
        return convert(self.state)


class _Sparse(_StandIn):
    __slots__ = ()
    matrix = None

    def plain(self, convert):
        state = convert(self.state)
        shape = tuple(int(size) for size in state['_shape'])
        if state['data'].dtype.kind not in 'biufc':
            raise ValueError(f'sparse matrix of {state["data"].dtype}')
        _charge(3 * state['data'].nbytes)
        if self.matrix is scipy.sparse.coo_matrix:
            coords = state['coords'] if 'coords' in state else (state['row'], state['col'])
            return scipy.sparse.coo_matrix((state['data'], coords), shape=shape)
        matrix = self.matrix((state['data'], state['indices'], state['indptr']), shape=shape)
        matrix.check_format(full_check=True)
        return matrix


class _Csc(_Sparse):
    __slots__ = ()
    matrix = scipy.sparse.csc_matrix


class _Csr(_Sparse):
    __slots__ = ()
    matrix = scipy.sparse.csr_matrix


class _Coo(_Sparse):
    __slots__ = ()
    matrix = scipy.sparse.coo_matrix


class _Chumpy(_StandIn):
    """``chumpy.ch.Ch``: its value is ``x``."""
    __slots__ = ()

    def plain(self, convert):
        return np.asarray(convert(self.state['x']))


class _ChumpySelect(_StandIn):
    """``chumpy.reordering.Select``: entries ``idxs`` of the flattened ``a``."""
    __slots__ = ()

    def plain(self, convert):
        flat, index = convert(self.state['a']).ravel(), np.asarray(convert(self.state['idxs']))
        _charge(flat.nbytes + index.size * flat.itemsize)
        picked = flat[index]
        return picked.reshape(convert(self.state.get('preferred_shape', picked.shape)))


class _ChumpyReshape(_StandIn):
    """``chumpy.reordering.Reshape``."""
    __slots__ = ()

    def plain(self, convert):
        return convert(self.state['a']).reshape(convert(self.state['newshape']))


def _new_object(kind, base, state):
    if not (isinstance(kind, type) and issubclass(kind, _StandIn)):
        raise ValueError(f'copyreg._reconstructor of {kind!r}')
    return kind()


def _encode(text, encoding):
    if encoding not in ('latin1', 'latin-1'):
        raise ValueError(f'bytes in encoding {encoding!r}')
    _charge(len(text))
    return text.encode('latin1')


def _no_bytes():
    return b''


def _bytearray(content=b'', encoding='latin1'):
    _charge(len(content))
    return bytearray(content if isinstance(content, bytes) else _encode(content, encoding))


def _dict(items=()):
    _charge(_ENTRY * len(items))
    return dict(items)


# Functions, so that no opcode makes them without paying.
def _set(items=()):
    _charge(_ENTRY * len(items))
    return set(items)


def _frozenset(items=()):
    _charge(_ENTRY * len(items))
    return frozenset(items)


def _default_dict(factory=None):
    return {}


# Names that are only ever arguments of others are plain strings, which can't be called.
_TABLE = {
    ('builtins', 'set'): _set,
    ('builtins', 'frozenset'): _frozenset,
    ('builtins', 'complex'): complex,
    ('builtins', 'bytes'): _no_bytes,
    ('builtins', 'bytearray'): _bytearray,
    **{('builtins', name): name for name in ('object', 'dict', 'list', 'int', 'float')},
    ('collections', 'OrderedDict'): _dict,
    ('collections', 'defaultdict'): _default_dict,
    ('copyreg', '_reconstructor'): _new_object,
    ('_codecs', 'encode'): _encode,
    ('numpy', 'dtype'): _Dtype,
    ('numpy', 'ndarray'): 'ndarray',
    ('numpy.core.multiarray', '_reconstruct'): _empty_array,
    ('numpy.core.multiarray', 'scalar'): _scalar,
    ('numpy.core.numeric', '_frombuffer'): _array_from_buffer,
    ('torch._utils', '_rebuild_tensor_v2'): _Tensor,
    ('torch._utils', '_rebuild_parameter'): _Parameter,
    ('torch.storage', '_load_from_bytes'): _Storage,
    **{(f'scipy.sparse.{form}', f'{form}_{kind}'): stand_in for kind in ('matrix', 'array')
       for form, stand_in in (('csc', _Csc), ('csr', _Csr), ('coo', _Coo))},
    ('chumpy.ch', 'Ch'): _Chumpy,
    ('chumpy.reordering', 'Select'): _ChumpySelect,
    ('chumpy.reordering', 'Reshape'): _ChumpyReshape,
}


class _Plainer:
    """Turns stand-ins into real objects, in place where a container can be changed, so shared ones stay shared.

    Counts what the data would take if nothing were shared: lists that hold the same list twice, twenty deep, are small
    until somebody makes an array of them.
    """

    def __init__(self, where, most):
        self._where, self._most, self._size, self._depth = where, most, 0, 0
        # Size of each container that was met before, None while it is being converted.
        self._sizes = {}
        # Each value is kept beside its result: a freed object's id could be given to another.
        self._replaced = {}

    def convert(self, value):
        """``value`` without stand-ins."""
        kind = type(value)
        if kind in _LEAVES:
            return value
        if kind is _Array and not value.dtype.hasobject:
            self._grow(value.nbytes)
            return value.view(np.ndarray)
        if kind is dict or kind is list:
            return self._once(value, self._fill)
        if kind is tuple or kind is _Array or isinstance(value, _StandIn):
            return self._once(value, self._replace)
        return value

    def _once(self, value, make):
        """``value`` converted by ``make``; the second time what was made of it."""
        key = id(value)
        if key not in self._sizes:
            if self._depth > MAX_DEPTH:
                raise ValueError(f'containers nested deeper than {MAX_DEPTH}')
            self._sizes[key] = None
            self._depth += 1
            before = self._size
            make(value)
            self._sizes[key] = self._size - before
            self._depth -= 1
        elif self._sizes[key] is None:
            raise ValueError('a container that holds itself')
        else:
            self._grow(self._sizes[key])
        return self._replaced[key][1] if key in self._replaced else value

    def _grow(self, size):
        self._size += size
        if self._size > self._most:
            _refuse(self._where, 'containers that hold the same data many times')

    def _fill(self, container):
        self._grow(_REFERENCE * len(container))
        for key, value in container.items() if type(container) is dict else enumerate(container):
            container[key] = self.convert(value)

    def _replace(self, value):
        if type(value) is tuple:
            self._grow(_REFERENCE * len(value))
            result = tuple(map(self.convert, value))
        elif type(value) is _Array:
            result = value.view(np.ndarray)
            flat = result.ravel(order='K')
            self._grow(_REFERENCE * len(flat))
            for i, part in enumerate(flat):
                flat[i] = self.convert(part)
        else:
            result = value.plain(self.convert)
        self._replaced[id(value)] = value, result
