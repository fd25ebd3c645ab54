"""What tests of runs that are killed share: a kill at an exact moment, and the bytes an unbroken run gives."""
import multiprocessing
import os
import signal
import sys

# Not forked from the tests' own process: its threads (Ray's, torch's) would leave their locks held in the copy.
_CLEAN = multiprocessing.get_context('forkserver')
_CLEAN.set_forkserver_preload(['pytest', 'mmhuman_dto.engine.hooks.dto_refresh', 'mmhuman_dto.generation'])


class Killed(BaseException):
    """What stands for a kill at a moment too short to hit."""


def cut(path):
    """Leave half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    """Change a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def read_bytes(folder):
    """{path below a folder: content} of all files in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def killed(run, events, out, seconds=120):
    """Call ``run`` in a process of its own, with a real SIGKILL just before it touches a file of ``out`` for the
    ``events``-th time; returns False if it came to its end before."""
    process = _CLEAN.Process(target=_live, args=(run, events, out))
    process.start()
    process.join(seconds)
    status = process.exitcode
    process.kill()
    assert status in (0, -signal.SIGKILL), f'exit status {status}, None: not over after {seconds} s'
    return status != 0


def _live(run, events, out):
    count = 0

    def watch(event, args):
        nonlocal count
        if event in ('open', 'os.rename', 'os.mkdir', 'os.remove', 'os.rmdir') and str(out) in str(args[0]):
            count += 1
            if count == events:
                os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = lambda descriptor: None  # takes most of the time; only a power cut, which cannot be tried, needs it
    sys.addaudithook(watch)
    run()
