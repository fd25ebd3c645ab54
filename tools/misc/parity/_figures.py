"""Figures side by side with recorded ones."""
import math


def compare_figures(title, ours, theirs):
    """Print both of every recorded figure; whether all are the same, as recorded: to the printed digits."""
    ok = True
    for name, expected in theirs.items():
        value = ours.get(name)
        right = value is not None and same(value, expected)
        ok &= right
        print(f'{title:16} {name:20} {"-" if value is None else format(value, "12.4f")} {expected:12.4f}'
              f'{"" if right else "  OFF"}')
    return ok


def same(value, expected):
    """Whether two figures, both rounded, are one: nan equals nan."""
    return (math.isnan(value) and math.isnan(expected)) or abs(value - expected) < 1e-6
