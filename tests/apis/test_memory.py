import torch
from torch.utils.checkpoint import checkpoint

from mmhuman_dto.apis.memory import LiveTensors


def chain(x):
    for _ in range(10):
        x = x.sin()
    return x


def test_views_and_what_was_there_before_count_for_nothing():
    before = torch.ones(1000)
    with LiveTensors([before]) as memory:
        before.view(10, 100).mul_(2)
        assert memory.bytes == 0
        new = before + 1
        part = new[:500]
        del new
        assert memory.bytes == 4000
        del part
        assert memory.bytes == 0 and memory.peak == 4000


def test_what_the_backward_pass_needs_is_held():
    weights = torch.ones(1000, requires_grad=True)
    with LiveTensors([weights]) as memory:
        loss = chain(weights).sum()
        assert memory.bytes == 9 * 4000 + 4
        loss.backward()
        del loss
        assert memory.bytes == weights.grad.nbytes


def test_recomputing_holds_one_chain_at_a_time():
    weights = torch.ones(1000, requires_grad=True)
    with LiveTensors([weights]) as memory:
        x = weights
        for _ in range(5):
            x = checkpoint(chain, x, use_reentrant=False)
        assert memory.bytes == 5 * 4000
        x.sum().backward()
        assert 4000 * (5 + 9) <= memory.peak <= 4000 * (5 + 13)
