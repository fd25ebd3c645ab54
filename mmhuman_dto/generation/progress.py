"""How far a run is: a bar on a terminal, plain lines elsewhere."""
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

#: Seconds between two plain lines.
_LINE_INTERVAL = 10


class ProgressReport:
    """Counts images and shows images/s, time left, kept, skipped and failed.

    Args:
        total: images of this process.
        title: what the line starts with.
        quiet: count only; for all processes but the first.
    """

    def __init__(self, total, title='DTO', quiet=False):
        self.total, self.title, self.quiet = total, title, quiet
        self.counts = dict(kept=0, skipped=0, failed=0)
        self.resumed = 0
        self.console = Console()
        self.bar = None

    def __enter__(self):
        self.start = self.printed = time.monotonic()
        if self.console.is_terminal and not self.quiet:
            self.bar = Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), _Rate(),
                                TimeRemainingColumn(), TextColumn('{task.fields[counts]}'), console=self.console)
            self.task = self.bar.add_task(self.title, total=self.total, counts='')
            self.bar.start()
        return self

    def __exit__(self, *error):
        if self.bar:
            self.bar.stop()
        if not self.quiet:
            print(self.line(), flush=True)

    def resume(self, counts):
        """Count images of an earlier run; they do not enter the rate."""
        self._count(counts)
        self.resumed = sum(self.counts.values())

    def add(self, kept=0, skipped=0, failed=0):
        """Count images done now."""
        self._count(dict(kept=kept, skipped=skipped, failed=failed))
        now = time.monotonic()
        if self.bar is None and not self.quiet and now - self.printed >= _LINE_INTERVAL:
            self.printed = now
            print(self.line(), flush=True)

    def line(self):
        """The state in one plain line."""
        done = sum(self.counts.values())
        rate = (done - self.resumed) / max(time.monotonic() - self.start, 1e-9)
        left = f', {(self.total - done) / rate:.0f} s left' if rate and done < self.total else ''
        return f'{self.title}: {done}/{self.total} images, {rate:.1f} images/s{left}, {self._summary()}'

    def _count(self, counts):
        for name in self.counts:
            self.counts[name] += counts[name]
        if self.bar:
            self.bar.update(self.task, completed=sum(self.counts.values()), counts=self._summary())

    def _summary(self):
        return ', '.join(f'{name} {number}' for name, number in self.counts.items())


class _Rate(ProgressColumn):
    """Images a second."""

    def render(self, task):
        return Text(f'{task.speed:.1f} images/s' if task.speed else '- images/s')
