import pytest
import torch

from mmhuman_dto.models.layers import Packing, packed_attention


def tensors(lens, k_lens=None, heads=2, width=4, value_width=4):
    gen = torch.Generator().manual_seed(0)
    tokens = sum(k_lens or lens)
    return (torch.randn(sum(lens), heads, width, generator=gen), torch.randn(tokens, heads, width, generator=gen),
            torch.randn(tokens, heads, value_width, generator=gen))


def plain_attention(q, k, v, scale):
    """One sequence, by the formula."""
    weights = (torch.einsum('qhd,khd->hqk', q, k) * scale).softmax(-1)
    return torch.einsum('hqk,khd->qhd', weights, v)


@pytest.mark.parametrize('lens', [[5], [3, 1, 4], [2, 2, 2], [0, 3], [3, 0, 0]])
def test_sequences_do_not_see_each_other(lens):
    q, k, v = tensors(lens)
    out = packed_attention(q, k, v, Packing(lens))
    expected = torch.cat([plain_attention(*qkv, .5) for qkv in zip(q.split(lens), k.split(lens), v.split(lens))])
    torch.testing.assert_close(out, expected)


@pytest.mark.parametrize('k_lens', [[5, 2], [3, 3]])
def test_queries_and_keys_of_different_lengths_and_widths(k_lens):
    q, k, v = tensors([2, 2], k_lens, width=8, value_width=3)
    out = packed_attention(q, k, v, Packing([2, 2]), Packing(k_lens), scale=.3)
    expected = torch.cat([plain_attention(*qkv, .3) for qkv in zip(q.split(2), k.split(k_lens), v.split(k_lens))])
    torch.testing.assert_close(out, expected)


def test_no_tokens():
    q, k, v = tensors([0, 0])
    assert packed_attention(q, k, v, Packing([0, 0])).shape == (0, 2, 4)


def test_packing_counts():
    packing = Packing([3, 0, 2])
    assert (len(packing), packing.total, packing.longest, packing.uniform) == (3, 5, 3, False)
    assert packing.offsets(torch.device('cpu')).tolist() == [0, 3, 3, 5]


@pytest.mark.gpu
def test_flash_kernel_agrees_with_one_call_a_sequence():
    lens = [33, 1, 70]
    q, k, v = (x.cuda() for x in tensors(lens, heads=4, width=64, value_width=64))
    exact = packed_attention(q, k, v, Packing(lens))
    half = packed_attention(*(x.bfloat16() for x in (q, k, v)), Packing(lens))
    torch.testing.assert_close(half.float(), exact, atol=2e-2, rtol=2e-2)
