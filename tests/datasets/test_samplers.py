from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.datasets import EndlessSampler, SyntheticCrowd, WeightedMixture


def of_rank(size, rank, world_size, position=0, **kwargs):
    sampler = EndlessSampler(range(size), **kwargs)
    sampler.rank, sampler.world_size = rank, world_size
    sampler.start_at(position)
    return sampler


def global_order(size, world_size, batch, steps, **kwargs):
    """Indices of each step's global batch."""
    ranks = [iter(of_rank(size, rank, world_size, **kwargs)) for rank in range(world_size)]
    return [sorted(index for rank in ranks for index in islice(rank, batch // world_size)) for _ in range(steps)]


@given(size=st.integers(1, 40), world_size=st.sampled_from([2, 3, 4, 6]), seed=st.integers(0, 9))
def test_global_batches_are_the_same_for_any_number_of_ranks(size, world_size, seed):
    one = global_order(size, 1, 12, 5, seed=seed)
    assert global_order(size, world_size, 12, 5, seed=seed) == one


@given(size=st.integers(1, 40), rank=st.integers(0, 2), position=st.integers(0, 100))
def test_goes_on_where_it_is_told(size, rank, position):
    unbroken = list(islice(of_rank(size, rank, 3), position + 20))
    assert list(islice(of_rank(size, rank, 3, position), 20)) == unbroken[position:]


def test_each_pass_holds_everything_once_in_its_own_order():
    indices = list(islice(EndlessSampler(range(50), seed=3), 150))
    passes = [indices[i:i + 50] for i in (0, 50, 100)]
    assert all(sorted(one) == list(range(50)) for one in passes)
    assert passes[0] != passes[1] != passes[2] and passes[0] != list(range(50))
    assert list(islice(EndlessSampler(range(50), shuffle=False), 100)) == list(range(50)) * 2


def test_what_cannot_be_sampled():
    with pytest.raises(ValueError, match='without images'):
        EndlessSampler([])
    with pytest.raises(ValueError, match='needs shuffle=False'):
        EndlessSampler(range(1 << 40))
    empty = SyntheticCrowd(scenes=dict(size=(30, 40)), num_scenes=0)
    with pytest.raises(ValueError, match='synthetic_crowd: no images to mix in'):
        WeightedMixture([empty], [1.])
