"""What tests of runs that are killed share: a kill at an exact moment, and the bytes an unbroken run gives."""
import os
import signal
import sys


def read_bytes(folder):
    """{path below a folder: content} of all files in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def die_before(events, out):
    """Real SIGKILL just before this process touches a file of ``out`` for the ``events``-th time from now."""
    count = 0

    def watch(event, args):
        nonlocal count
        if event in ('open', 'os.rename', 'os.mkdir', 'os.remove', 'os.rmdir') and str(out) in str(args[0]):
            count += 1
            if count == events:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
