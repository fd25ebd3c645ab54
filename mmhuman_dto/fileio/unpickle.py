"""Unpickling that makes plain data only: of the functions that a file asks for, those of one table stand in."""
import io
import math
import re
from functools import partial

import numpy as np
import scipy.sparse
import torch

from .errors import UnsafeFileError, reading
from .limits import Budget, check_memory, check_shape
from .opcodes import LEAVES, Machine, Unbuilt, check_keys

#: Containers may nest so deep, published annotations do six deep; bytes of a place in one.
_MAX_DEPTH, _PLACE = 100, 8
#: Class of joblib >= 0.10 that says what array follows it in the stream.
_JOBLIB_ARRAY = 'joblib.numpy_pickle', 'NumpyArrayWrapper'
_PLAIN = (np.ndarray, np.generic, np.dtype, torch.Tensor, set, frozenset, scipy.sparse.spmatrix)


def unpickle(data, where, inline_arrays=False, storages=None):
    """Plain objects from pickled bytes; ``where`` names the file in errors.

    Understands builtin containers, numpy arrays and scalars, torch tensors, scipy's csc, csr and coo matrices and
    chumpy arrays (returned as numpy arrays), written by Python 2 or 3 with any protocol; with ``inline_arrays`` also
    arrays whose values joblib put between the pickle's opcodes, with ``storages`` (budget, identity) -> flat tensor
    also tensors whose values torch put beside it. Raises UnsafeFileError for any other class, by name, and for more
    memory than a file may take, BrokenFileError for what is no whole pickle.
    """
    with reading(where, 'a pickle of plain data'):
        budget, stream, find = Budget(where), io.BytesIO(data), partial(_find, where)
        budget.pay(len(data))
        wrapper = partial(Unbuilt, partial(_inline_array, stream, find))
        machine = Machine(stream, budget, lambda *name: (
            lambda budget, *args: wrapper()) if inline_arrays and name == _JOBLIB_ARRAY else find(*name))
        if storages is not None:
            machine.persistent_load = partial(storages, budget)
        value = machine.load()
        check_memory(_unshared(value, {}), where, 'what it holds, shared parts counted each time,')
        return value


def check_pickles(stream, where, count=5):
    """Raise where ``torch.load`` would fill the memory with pickles of ``stream``, or crash; old files have five."""
    def ignored(budget, *args):
        budget.pay(sum(len(arg) for arg in args if hasattr(arg, '__len__')))  # the class may copy them
        return Unbuilt(lambda budget, state: None)

    machine = Machine(stream, Budget(where), lambda module, name: _dict if module == 'collections' else ignored)
    machine.persistent_load = lambda identity: None
    for _ in range(count):
        machine.load()


def _find(where, module, name):
    spelling = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}.get(module, module)
    spelling = spelling.replace('numpy._core', 'numpy.core').replace('scipy.sparse._c', 'scipy.sparse.c')
    if (found := _TABLE.get(f'{spelling} {name}')) is None:
        raise UnsafeFileError(
            f'{where}: refused, it asks for {module}.{name}, which is not plain data (containers, numpy, torch '
            'tensors, scipy sparse, chumpy arrays). A pickle can run any program; nothing of this one was run. If you '
            'trust its author, convert it elsewhere to an .npz of plain arrays.')
    return found


def _unshared(value, sizes, depth=0):
    """Bytes of ``value`` if nothing in it were shared; ``sizes`` has those of the containers met before, by id."""
    kind = type(value)
    if kind in (dict, list, tuple) or kind is np.ndarray and value.dtype.hasobject:
        if depth > _MAX_DEPTH:
            raise ValueError(f'containers nested deeper than {_MAX_DEPTH}')
        if id(value) not in sizes:
            sizes[id(value)] = None
            parts = value.values() if kind is dict else value.flat if kind is np.ndarray else value
            sizes[id(value)] = _PLACE + sum(_PLACE if type(part) in LEAVES else _unshared(part, sizes, depth + 1)
                                            for part in parts)
        if sizes[id(value)] is None:
            raise ValueError('a container that holds itself')
        return sizes[id(value)]
    if kind not in LEAVES and not isinstance(value, _PLAIN):
        raise ValueError(f'a {kind.__name__} without its state')
    return getattr(value, 'nbytes', _PLACE)


def _numbers(budget, *arrays):
    """These, where they are arrays of numbers; a copy of them is paid for."""
    for array in arrays:
        if type(array) is not np.ndarray or array.dtype.kind not in 'biufc':
            raise ValueError(f'a {type(array).__name__} where an array of numbers belongs')
        budget.pay(array.nbytes)
    return arrays


def _raw(budget, content, encoding='latin1'):
    if type(content) not in (bytes, str, bytearray):
        raise ValueError(f'raw data of {type(content)}')
    budget.pay(len(content))
    return content.encode('latin1') if type(content) is str else bytes(content)


def _dtype(budget, code, *ignored):
    # A real one would take flags from the file that make numpy read raw bytes as pointers.
    if not re.fullmatch(r'[biufcSUO]\d*|\?', code):
        raise ValueError(f'numpy dtype {code!r}, only numbers, strings and objects are read from pickles')
    return Unbuilt(lambda budget, state: np.dtype(code).newbyteorder(state[1]))


def _array(budget, state):
    _, shape, dtype, fortran, content = state
    if not dtype.hasobject:
        return _from_buffer(budget, content, dtype, shape, 'F' if fortran else 'C')
    check_shape(shape, len(content) if type(content) is list else -1, 1)
    budget.pay(_PLACE * len(content))
    return np.fromiter(content, object, len(content)).reshape(shape)


def _from_buffer(budget, content, dtype, shape, order):
    content = _raw(budget, content)
    check_shape(shape, len(content), dtype.itemsize)
    array = np.empty(0)
    array.__setstate__((1, shape, dtype, order == 'F', content))  # keeps large contents without a copy
    return array


def _inline_array(stream, find, budget, state):
    """The array that joblib wrote into the stream after its description."""
    shape, dtype = state['shape'], state['dtype']
    if dtype.hasobject:
        return Machine(stream, budget, find).load()
    if state.get('numpy_array_alignment_bytes') is not None:  # joblib >= 1.2: as many bytes of padding as this one says
        stream.read(stream.read(1)[0])
    check_shape(shape, size := math.prod(shape) * dtype.itemsize, dtype.itemsize)
    return _from_buffer(budget, stream.read(size), dtype, shape, state['order'])


def _storage(budget, content):
    if content[:2] == b'PK':
        raise ValueError('tensor storage in a zip archive')
    budget.pay(len(content))
    check_pickles(io.BytesIO(content), budget.where)
    storage = torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)
    return torch.tensor([], dtype=storage.dtype).set_(storage)


def _tensor(budget, flat, offset, size, stride, *ignored):
    tensor = flat.as_strided(size, stride, offset)
    check_shape(tuple(tensor.shape), min(tensor.numel(), flat.numel()), 1)
    budget.pay(tensor.nbytes)
    return tensor.clone()


def _sparse(matrix, budget, state):
    shape = tuple(map(int, state['_shape']))
    if matrix is scipy.sparse.coo_matrix:
        data, *coords = _numbers(budget, state['data'], *(state.get('coords') or (state['row'], state['col'])))
        return matrix((data, tuple(coords)), shape=shape)
    made = matrix(_numbers(budget, state['data'], state['indices'], state['indptr']), shape=shape)
    made.check_format(full_check=True)
    return made


def _select(budget, state):
    flat, index = _numbers(budget, state['a'], state['idxs'])
    budget.pay(index.size * flat.itemsize)
    return _reshaped(budget, dict(a=flat.ravel()[index], newshape=state.get('preferred_shape', index.shape)))


def _reshaped(budget, state):
    made = _numbers(budget, state['a'])[0].reshape(state['newshape'])
    check_shape(made.shape, made.size, 1)
    return made


def _dict(budget, items=()):
    check_keys([key for key, _ in items], budget)
    return dict(items)


# Names that are only arguments of others are plain strings.
_TABLE = {
    **{f'builtins {name}': name for name in ('object', 'dict', 'list', 'int', 'float')},
    'builtins set': lambda budget, items=(): check_keys(items, budget) or set(items),
    'builtins frozenset': lambda budget, items=(): check_keys(items, budget) or frozenset(items),
    'builtins complex': lambda budget, *parts: complex(*parts),
    'builtins bytes': lambda budget: b'',
    'builtins bytearray': lambda budget, content=b'', *encoding: bytearray(_raw(budget, content)),
    '_codecs encode': _raw,
    'collections OrderedDict': _dict,
    'collections defaultdict': lambda budget, *factory: {},
    'copyreg _reconstructor': lambda budget, kind, *ignored: kind(budget),
    'numpy dtype': _dtype,
    'numpy ndarray': 'ndarray',
    'numpy.core.multiarray _reconstruct': partial(Unbuilt, _array),
    'numpy.core.multiarray scalar': lambda budget, dtype, content: (
        _from_buffer(budget, content, dtype, (), 'C')[()] if content else dtype.type()),
    'numpy.core.numeric _frombuffer': _from_buffer,
    'torch._utils _rebuild_tensor_v2': _tensor,
    'torch._utils _rebuild_parameter': lambda budget, tensor, *ignored: tensor,
    'torch.storage _load_from_bytes': _storage,
    **{f'torch {name}Storage': f'{name}Storage' for name in (
        'Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte', 'Bool')},
    **{f'scipy.sparse.{form} {form}_{kind}': partial(Unbuilt, partial(_sparse, getattr(scipy.sparse, f'{form}_matrix')))
       for form in ('csc', 'csr', 'coo') for kind in ('matrix', 'array')},
    'chumpy.ch Ch': partial(Unbuilt, lambda budget, state: _numbers(budget, state['x'])[0]),
    'chumpy.reordering Select': partial(Unbuilt, _select),
    'chumpy.reordering Reshape': partial(Unbuilt, _reshaped),
}
