"""Which device a process works on."""
import torch

from mmhuman_dto.engine.device import pick_device


def test_auto_device_is_the_gpu_of_the_local_rank_or_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert pick_device('auto') == torch.device('cpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    monkeypatch.setenv('LOCAL_RANK', '6')
    assert pick_device('auto') == pick_device() == torch.device('cuda', 2)
    assert pick_device('cpu') == torch.device('cpu')
