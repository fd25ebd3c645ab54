"""What the benchmarks share: timing by turns, one table, one machine-readable file, sections of the docs."""
import json
import platform
import re
import statistics
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from mmhuman_dto.programs import output_file


def take_turns(cases, rounds, warm_up=True, clock=time.perf_counter, of_rounds=statistics.median):
    """Time functions by turns, round after round, so that a busy machine slows all of them alike.

    Args:
        cases: {name: function without arguments}.
        rounds: how often each is timed.
        warm_up: whether each runs once before the clock starts.
        clock: what tells the time; ``time.process_time`` for what other programs on the machine don't disturb.
        of_rounds: what makes one figure of the rounds'.

    Returns:
        {name: seconds}.
    """
    seconds = {name: [] for name in cases}
    for run in cases.values() if warm_up else ():
        run()
    for _ in range(rounds):
        for name, run in cases.items():
            start = clock()
            run()
            seconds[name].append(clock() - start)
    return {name: of_rounds(times) for name, times in seconds.items()}


def machine():
    """What figures depend on: {processor, torch, threads}."""
    return {'processor': platform.processor() or platform.machine(), 'torch': torch.__version__,
            'threads': torch.get_num_threads()}


def report(title, columns, rows, figures, json_path=None):
    """Print a table and, if asked, write the figures with :func:`machine` to ``json_path``."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=160).print(table)
    if json_path:
        with open(json_path, 'w') as file:
            json.dump({**figures, 'machine': machine()}, file, indent=2)


def markdown(headings, rows):
    """A table for the docs."""
    lines = [headings, ['---'] * len(headings), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def pages_in(name):
    """Type of the option that names the folder of the docs page ``name``, which must be there and be writable."""
    def folder(path):
        if not (Path(path) / name).is_file():
            raise FileNotFoundError(f'{Path(path) / name}: no such page to rewrite')
        return output_file(Path(path) / name).parent

    return folder


def write_section(page, name, parts):
    """Rewrite the section of a page that is generated: ``parts``, apart by empty lines."""
    start, end, text = f'<!-- {name}: generated -->', '<!-- end -->', '\n\n'.join(parts)
    whole = page.read_text(encoding='utf-8')
    if start not in whole:
        raise SystemExit(f'{page}: holds no line {start!r} to write after')
    new = re.sub(f'{start}.*?{end}', lambda _: f'{start}\n{text}\n{end}', whole, count=1, flags=re.DOTALL)
    page.write_text(new, encoding='utf-8')
