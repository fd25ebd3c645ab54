from pathlib import Path

import torch
from mmengine.config import Config

from mmhuman_dto.apis import dry_run as tried
from mmhuman_dto.apis.flops import flop_counter

TINY = Path(__file__).parents[2] / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py'


def test_attention_on_the_cpu_counts():
    q, k, v = torch.rand(1, 2, 10, 8, requires_grad=True), torch.rand(1, 2, 6, 8), torch.rand(1, 2, 6, 8)
    with flop_counter() as forward:
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    with flop_counter() as backward:
        out.sum().backward()
    product = 2 * 2 * 10 * 6 * 8
    assert (forward.get_total_flops(), backward.get_total_flops()) == (2 * product, 5 * product)


def test_a_dry_run_counts_it_too(monkeypatch):
    counters = []
    monkeypatch.setattr(tried, 'flop_counter', lambda: counters.append(flop_counter()) or counters[-1])
    report = tried.dry_run(Config.fromfile(TINY))
    counts = {str(op): flops for op, flops in counters[0].get_flop_counts()['Global'].items()}
    attention = {name for name in counts if 'attention' in name}
    assert len(attention) == 2 and all(counts[name] > 1e6 for name in attention)
    assert f'{sum(counts.values()) / 1e9:.1f} GFLOP an image' in report
