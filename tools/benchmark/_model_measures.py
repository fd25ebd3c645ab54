"""What a pass costs: FLOPs, memory, and the share of each part of a training step."""
import time
from contextlib import ExitStack, contextmanager

import torch
from torch.autograd.graph import saved_tensors_hooks

from mmhuman_dto.apis.flops import flop_counter

#: Parts of a training step by the path of the module whose forward pass they are.
PARTS = {'forward': '', 'preprocess': 'data_preprocessor', 'targets': 'targets', 'encoder': 'backbone',
         'decoder': 'decoder', 'heads': 'head', 'matcher': 'criterion.assigner', 'matcher_and_losses': 'criterion'}


def clock(device):
    """What tells the time: processor time on a CPU, which other programs don't disturb, else that of the clock."""
    return time.process_time if device == 'cpu' else time.perf_counter


def finish(device):
    """Wait until a device has done all it was given."""
    if device == 'cuda':
        torch.cuda.synchronize()


@contextmanager
def cost(model, device):
    """FLOPs and memory of what runs in the block.

    Yields:
        dict, filled at the end: ``gflop``; ``kept_mb``, what is kept for the backward pass, weights left out; on CUDA
        ``peak_mb``, the most that was held at once beyond what was held before.
    """
    found, kept = {}, {}
    weights = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    if device == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    with flop_counter() as flops, saved_tensors_hooks(keep, lambda x: x):
        yield found
    found.update(gflop=flops.get_total_flops() / 1e9, kept_mb=sum(kept.values()) / 2**20)
    if device == 'cuda':
        found['peak_mb'] = (torch.cuda.max_memory_allocated() - before) / 2**20


class Stopwatch:
    """While entered, times the forward passes of a model's parts and remembers what its body models were asked.

    Attributes:
        seconds: of each of ``PARTS``.
    """

    def __init__(self, model, device):
        self.model, self.device, self.clock = model, device, clock(device)
        self.seconds, self._bodies = dict.fromkeys(PARTS, 0.), []

    def __enter__(self):
        self._hooks = ExitStack()
        for part, path in PARTS.items():
            self._watch(part, self.model.get_submodule(path))
        for body in {self.model.body_model, self.model.joint_model}:
            self._hooks.enter_context(body.register_forward_pre_hook(self._remember))
        return self

    def __exit__(self, *error):
        self._hooks.close()

    def _watch(self, part, module):
        def start(*_):
            finish(self.device)
            self.seconds[part] -= self.clock()

        def stop(*_):
            finish(self.device)
            self.seconds[part] += self.clock()

        self._hooks.enter_context(module.register_forward_pre_hook(start))
        self._hooks.enter_context(module.register_forward_hook(stop))

    def _remember(self, body, args):
        self._bodies.append((body, [x.detach().clone() for x in args], torch.is_grad_enabled()))

    def body_seconds(self):
        """Time of the step's calls of body models, made again by themselves, with their backward passes."""
        finish(self.device)
        start = self.clock()
        for body, args, learns in self._bodies:
            with torch.set_grad_enabled(learns):
                joints = body(*(x.requires_grad_(learns) for x in args)).joints
            if learns:
                joints.sum().backward()
        finish(self.device)
        return self.clock() - start
