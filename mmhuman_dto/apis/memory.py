"""How much memory the tensors of a step take."""
import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveTensors(TorchDispatchMode):
    """Counts the tensors made within it, whatever device they are on, for as long as something holds them.

    What a kernel needs for itself while it runs is not seen.

    Args:
        known: tensors that were there before: they and their views are not counted.

    Attributes:
        bytes: of the tensors alive now. peak: the most there ever were.
    """

    def __init__(self, known=()):
        super().__init__()
        self.bytes = self.peak = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if torch.is_tensor(value):
                self._add(value.untyped_storage())
        return result

    def _add(self, storage):
        address, size = storage._cdata, storage.nbytes()
        if address not in self._seen:
            self._seen.add(address)
            self.bytes += size
            self.peak = max(self.peak, self.bytes)
            weakref.finalize(storage, self._remove, address, size)

    def _remove(self, address, size):
        self._seen.discard(address)
        self.bytes -= size
