"""Lives of a program: forked from this process, which has imported all it needs, and armed with their end."""
import os
import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

_FILE_EVENTS = ('open', 'os.rename', 'os.mkdir', 'os.remove', 'os.rmdir', 'shutil.rmtree', 'os.truncate')


class Life:
    """A process that runs ``main`` with ``arguments`` as a command line would, and what it says.

    Args:
        main: the program's function.
        arguments: what follows its name.
        log: file for all it prints.
        arm: function called in the process before the program starts; None for nothing.
    """

    def __init__(self, main, arguments, log, arm=None):
        self.log, self.status = Path(log), None
        self.pid = os.fork()
        if self.pid == 0:
            _live(main, arguments, self.log, arm)

    def ended(self):
        """Whether the process has ended; ``status`` is then its exit status, or minus the signal that killed it."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, seconds=300.):
        """Wait for the end, at most some seconds; returns whether it came."""
        end = time.monotonic() + seconds
        while not self.ended() and time.monotonic() < end:
            time.sleep(.002)
        return self.ended()

    def kill(self, number):
        """Send a signal, unless it is over, and wait for the end."""
        if not self.ended():
            os.kill(self.pid, number)
            if not self.wait(60):
                os.kill(self.pid, signal.SIGKILL)
                self.wait()

    @property
    def said(self):
        return self.log.read_text(errors='replace')


def _live(main, arguments, log, arm):
    """The forked process: never returns."""
    status = 70
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.argv = ['chaos', *map(str, arguments)]
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if arm is not None:
            arm()
        try:
            status = main() or 0
        except SystemExit as error:
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def at_event(out, number, action, counts=None):
    """Arm: call ``action`` just before the process touches a file of ``out`` for the ``number``-th time.

    ``counts``, if given, is a file that grows by a byte each time.
    """
    def arm():
        seen = 0
        tally = None if counts is None else os.open(counts, os.O_WRONLY | os.O_CREAT)

        def watch(event, args):
            nonlocal seen
            if event in _FILE_EVENTS and str(out) in str(args[0]):
                seen += 1
                if tally is not None:
                    os.write(tally, b'.')
                if seen == number:
                    action()

        sys.addaudithook(watch)
    return arm


def kill_self(number):
    """Action: a real signal to the own process."""
    return lambda: os.kill(os.getpid(), number)


def in_write(size):
    """Arm: killed while it writes more than ``size`` bytes into a file, which keeps the first ``size``."""
    def arm():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return arm


def clock_by(seconds):
    """Action: from now on this process's wall clock is off by ``seconds``; its monotonic clock is not.

    Only what Python code asks is moved: moving the clock of the machine would hit everybody on it.
    """
    def act():
        real = dict(vars(time))
        time.time = lambda: real['time']() + seconds
        time.time_ns = lambda: real['time_ns']() + int(seconds * 1e9)
        for name in ('localtime', 'gmtime'):
            setattr(time, name, lambda at=None, name=name: real[name](time.time() if at is None else at))
        time.strftime = lambda form, at=None: real['strftime'](form, time.localtime() if at is None else at)
    return act


def age_files(folder, rng):
    """Give all files below a folder dates between 1971 and 2100, as copying or a wrong clock does."""
    for path in Path(folder).rglob('*'):
        date = rng.uniform(4e7, 4e9)
        os.utime(path, (date, date))


def damage(path, rng):
    """Cut, empty, remove or change a bit of a file; returns what was done."""
    data = path.read_bytes()
    kind = rng.choice(['cut', 'emptied', 'removed', 'bit flipped'] if data else ['removed'])
    if kind == 'removed':
        path.unlink()
    elif kind == 'bit flipped':
        place = rng.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1:])
    else:
        os.truncate(path, rng.randrange(len(data)) if kind == 'cut' else 0)
    return kind


def seeded(*key):
    """A random number generator for a key."""
    return random.Random('/'.join(map(str, key)))
