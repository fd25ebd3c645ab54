"""Ctrl-C while training: the step is finished, its checkpoint written."""
import os
import signal
import sys
import threading
from contextlib import contextmanager

import torch
from mmengine.dist import all_reduce, get_world_size


class Interruption:
    """Within its context the first Ctrl-C waits for the step that is being made; a second one does what it always does.

    Between the steps of a process alone it takes effect at once, as KeyboardInterrupt. Several processes finish a step
    and agree. Processes of data loaders, which terminals send Ctrl-C too, take no notice of it, nor of a training that
    hangs up while they hand something over.
    """

    def __init__(self):
        self.asked, self._busy, self._process = False, get_world_size() > 1, os.getpid()

    def __enter__(self):
        # Python hears signals in the main thread alone.
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._before = signal.signal(signal.SIGINT, self._hear)
        self._excepthook, sys.excepthook = sys.excepthook, self._report
        return self

    def __exit__(self, *error):
        sys.excepthook = self._excepthook
        if self._hears:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number, frame):
        if os.getpid() != self._process:
            return
        self.asked = True
        signal.signal(signal.SIGINT, self._before)
        if not self._busy:
            raise KeyboardInterrupt

    def _report(self, kind, error, trace):
        """What Python does with errors that nobody catches; data loaders report their own ones in another way."""
        if os.getpid() == self._process or not issubclass(kind, (ConnectionError, EOFError)):
            self._excepthook(kind, error, trace)

    @contextmanager
    def held_back(self):
        """Within it, a step is being made."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def agreed(self):
        """Whether any process was asked to stop."""
        if get_world_size() == 1:
            return self.asked
        asked = torch.tensor(float(self.asked))
        all_reduce(asked, 'max')
        self.asked = bool(asked)
        return self.asked
