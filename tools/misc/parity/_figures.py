"""What the comparisons share: reading a file of records, and figures side by side with recorded ones."""
import math

import numpy as np


def load(path):
    """All arrays of an npz file by name."""
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


def compare_figures(title, ours, theirs):
    """Print both of every recorded figure; whether all are the same: text to the digits it was printed with."""
    ok = True
    for name, expected in theirs.items():
        value = ours.get(name)
        right = value is not None and same(value, expected)
        ok &= right
        print(f'{title:16} {name:20} {"-" if value is None else format(value, "12.4f")} {expected:>12}'
              f'{"" if right else "  OFF"}')
    return ok


def same(value, expected):
    """Whether two figures, both rounded, are one: nan equals nan; ``expected`` may be text, with fewer digits."""
    margin = 1e-6
    if isinstance(expected, str):
        margin += .5 * 10.**-len(expected.partition('.')[2])
        expected = float(expected)
    return (math.isnan(value) and math.isnan(expected)) or abs(value - expected) < margin


def report(rows):
    """Print rows (what, difference, limit); 0 where none exceeds its limit, else 1."""
    ok = True
    for what, difference, limit in rows:
        right = difference <= limit
        ok &= right
        print(f'{what:32} {difference:9.1e}  limit {limit:.0e}{"" if right else "  OFF"}')
    print('PASS' if ok else 'FAIL')
    return 0 if ok else 1
