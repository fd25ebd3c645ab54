"""How far a run is: a bar on a terminal, plain lines elsewhere."""
import time

from mmengine.dist import barrier, get_dist_info
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from .shards import count

#: Seconds between two plain lines.
_LINE_INTERVAL = 10


class ProgressReport:
    """Counts images and shows images/s, time left, kept, skipped and failed; use as a context manager.

    ``total`` are the images of this process; ``quiet`` ones count only: all processes but the first.
    """

    def __init__(self, total, title='DTO', quiet=False):
        self.total, self.title, self.quiet = total, title, quiet
        self.counts = dict(kept=0, skipped=0, failed=0)
        self.resumed = 0
        self.bar = None

    def __enter__(self):
        self.start = self.printed = time.monotonic()
        self.console = Console()
        if self.console.is_terminal and not self.quiet:
            self.bar = Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
                                TextColumn('{task.fields[state]}'), console=self.console)
            self.task = self.bar.add_task(self.title, total=self.total, state=self._state())
            self.bar.start()
        return self

    def __exit__(self, *error):
        if self.bar:
            self.bar.stop()
        elif not self.quiet:
            self.console.out(self.line(), highlight=False)

    def resume(self, counts):
        """Count images of an earlier run; they do not enter the rate."""
        self.resumed += sum(counts[name] for name in self.counts)
        self._count(counts)

    def add(self, kept=0, skipped=0, failed=0):
        """Count images done now."""
        self._count(dict(kept=kept, skipped=skipped, failed=failed))
        now = time.monotonic()
        if self.bar is None and not self.quiet and now - self.printed >= _LINE_INTERVAL:
            self.printed = now
            self.console.out(self.line(), highlight=False)

    @property
    def done(self):
        return sum(self.counts.values())

    def line(self):
        """The state in one plain line."""
        return f'{self.title}: {self.done}/{self.total} images, {self._state()}'

    def _count(self, counts):
        for name in self.counts:
            self.counts[name] += counts[name]
        if self.bar:
            self.bar.update(self.task, completed=self.done, state=self._state())

    def _state(self):
        rate = (self.done - self.resumed) / max(time.monotonic() - self.start, 1e-9)
        left = f', {_clock((self.total - self.done) / rate)} left' if rate and self.done < self.total else ''
        return f'{rate:.1f} images/s{left}, ' + ', '.join(f'{name} {number}' for name, number in self.counts.items())


def work_through(shards, work, title):
    """Do this process' shards that are not done yet, show how far it is, and wait for the other processes.

    ``work`` takes a shard and the :class:`ProgressReport` that it tells of each image.
    """
    rank, world_size = get_dist_info()
    mine = shards.of_rank(rank, world_size)
    title = f'{title}, process 1 of {world_size}' if world_size > 1 else title
    with ProgressReport(shards.count_images(mine), title, quiet=rank > 0) as progress:
        for shard in mine:
            if shards.is_done(shard):
                progress.resume(count(shards.path(shard)))
            else:
                work(shard, progress)
    barrier()


def _clock(seconds):
    """h:mm:ss"""
    minutes, seconds = divmod(round(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02d}:{seconds:02d}'
