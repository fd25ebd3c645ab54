"""From records of images to figures, with an answer to nobody at all: nan."""
import numpy as np


def pooled(records, name, dtype=np.float64):
    """The arrays ``record[name]`` of all records in one; empty without records."""
    return np.concatenate([np.zeros(0, dtype), *(record[name] for record in records)])


def total(records, name):
    """Sum of the counts ``record[name]``."""
    return sum(record[name] for record in records)


def mean(values):
    """Mean of an array as a float; nan of no values."""
    return float(np.mean(values)) if len(values) else float('nan')


def rounded(figures, digits):
    """A dict of floats, each rounded to ``digits``."""
    return {name: round(float(value), digits) for name, value in figures.items()}


def rounded_scores(scores):
    """Percentages as an evaluator gives them that prints fractions of two digits."""
    return {name: 100 * value for name, value in rounded({k: v / 100 for k, v in scores.items()}, 2).items()}
