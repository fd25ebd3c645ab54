"""A short run of fuzz_readers.py: damaged files of every format give a value or an error that names them."""

import random

import pytest
from hostile.foreign_files import CASES, in_folder, named
from hostile.fuzz_readers import outcome
from hostile.mutations import mutated
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope='module')
def contents(tmp_path_factory):
    """Content of a valid file of each case."""
    folder = tmp_path_factory.mktemp('valid')
    return {named(case): in_folder(case, folder / named(case)).read_bytes() for case in CASES}


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('case', CASES, ids=named)
def test_a_value_or_an_error_that_names_the_file(case, contents, tmp_path):
    path, others = in_folder(case, tmp_path), list(contents.values())

    @settings(max_examples=12)
    @given(st.integers(0, 2**32))
    def damage(seed):
        path.write_bytes(mutated(contents[named(case)], random.Random(seed), others))
        assert outcome(case, path) in ('value', 'refused')

    damage()


def test_damage_is_repeatable_and_of_all_kinds(contents):
    whole = contents['00-a.pkl']
    damaged = [mutated(whole, random.Random(seed), [b'x' * 50]) for seed in range(200)]
    assert damaged == [mutated(whole, random.Random(seed), [b'x' * 50]) for seed in range(200)]
    lengths = {len(data) - len(whole) for data in damaged}
    assert min(lengths) < -100 and max(lengths) > 100 and 0 in lengths and sum(data != whole for data in damaged) > 190
