"""Files with wrong things in the right places: a value, or an error that names the file or its folder.

For longer: ``FUZZ=200 pytest tests/results/test_damaged.py``.
"""
import json
import os
import random

import numpy as np
import pytest
import torch
from apis.placing.test_body_kinds import KINDS
from results import test_amass as amass
from results.peers import context, none_of
from results.videos import SIZE

from mmhuman_dto.results import open_results
from mmhuman_dto.results.stored import Stored, load_stored, save_stored

ALL = {kind: case for kind, case in KINDS.items() if kind != '4dhumans'} | {
    'amass': (lambda folder: np.savez(folder / 'a.npz', **amass.content('smplh')), 'a.npz')}
WRONG = [None, 'x', 3, [], {}, np.zeros(0), np.zeros((2, 2)), np.array(['a']), -5, 2.5, [1, 2, 3], np.float64(np.nan),
         b'q', True, torch.zeros(3), 10**30, [[1], [2, 3]]]


def mutated(value, rng):
    """A copy of plain data with one thing in it left out, renamed, or replaced by something else."""
    if isinstance(value, dict) and value and rng.random() < .85:
        key, value = rng.choice(list(value)), dict(value)
        part = value.pop(key)
        if rng.random() < .85:
            value[key] = mutated(part, rng)
        return value
    if isinstance(value, list) and value and rng.random() < .85:
        place = rng.randrange(len(value))
        return value[:place] + [mutated(value[place], rng)] * (rng.random() < .7) + value[place + 1:]
    others = [value[:-1], value[None], value.reshape(-1), value[:0]] * 3 if np.ndim(value) and hasattr(
        value, 'reshape') else []
    return rng.choice(WRONG + others)


def save(path, content, form):
    if form == 'json':
        path.write_text(json.dumps(content, default=str))
    else:
        save_stored(path, Stored(content if form != 'npz' or isinstance(content, dict) else {'a': 1}, form))


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('kind', ALL)
def test_a_value_or_an_error_that_names_the_file(tmp_path, kind):
    write, name = ALL[kind]
    source = tmp_path / 'in'
    source.mkdir()
    write(source)
    files = sorted(path for path in source.rglob('*') if path.suffix in ('.pkl', '.npz', '.npy', '.pt', '.json'))
    contents = [Stored(json.loads(path.read_text()), 'json') if path.suffix == '.json' else load_stored(path)
                for path in files]
    for seed in range(int(os.environ.get('FUZZ', 12))):
        rng = random.Random(seed)
        place = rng.randrange(len(files))
        save(files[place], mutated(contents[place].content, rng), contents[place].form)
        try:
            reader = open_results(source / name, kind, context(SIZE))
            results = reader.read()
            reader.write(tmp_path / 'out', none_of(results))
        except (ValueError, OSError) as error:
            assert type(error).__module__.startswith('mmhuman_dto') and str(source) in str(error), (seed, error)
        save(files[place], *contents[place])
