"""What the benchmarks share: timing by turns, one table, one machine-readable file."""
import json
import platform
import statistics
import time

import torch
from rich.console import Console
from rich.table import Table


def take_turns(cases, rounds, warm_up=True, clock=time.perf_counter):
    """Time functions by turns, round after round, so that a busy machine slows all of them alike.

    Args:
        cases: {name: function without arguments}.
        rounds: how often each is timed.
        warm_up: whether each runs once before the clock starts.
        clock: what tells the time; ``time.process_time`` for what other programs on the machine don't disturb.

    Returns:
        {name: median seconds}.
    """
    seconds = {name: [] for name in cases}
    for run in cases.values() if warm_up else ():
        run()
    for _ in range(rounds):
        for name, run in cases.items():
            start = clock()
            run()
            seconds[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def machine():
    """What figures depend on: {processor, torch, threads}."""
    return {'processor': platform.processor() or platform.machine(), 'torch': torch.__version__,
            'threads': torch.get_num_threads()}


def report(title, columns, rows, figures, json_path=None):
    """Print a table and, if asked, write the figures with :func:`machine` to ``json_path``."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=120).print(table)
    if json_path:
        with open(json_path, 'w') as file:
            json.dump({**figures, 'machine': machine()}, file, indent=2)
