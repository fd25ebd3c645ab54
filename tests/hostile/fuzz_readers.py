#!/usr/bin/env python3
"""Damage small valid files of every format for a long time, and see what their readers make of them.

    python tests/hostile/fuzz_readers.py --minutes 30 --seed 1
    python tests/hostile/fuzz_readers.py --examples 500 --only pth

Every reader must give a value or an error of ours that names the file, in at most 20 s of processor time, with at most
2 GiB of address space on top of what Python and its libraries take. It runs in a process of its own; one that dies is a
finding too.
Damaged files that break this are kept in --keep.
"""

import argparse
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
SECONDS, BYTES = 20, 2 * 2**30


class TooSlow(BaseException):
    """The reader took more than SECONDS."""


def outcome(case, path):
    """'value', 'refused', or what is wrong."""
    try:
        case.read(path)
        return 'value'
    except (ValueError, OSError, RuntimeError) as error:
        ours = type(error).__module__.startswith('mmhuman_dto') or type(error) is ValueError
        if ours and (path.name in str(error) or str(path.parent / 't') in str(error)):
            return 'refused'
        return f'{type(error).__name__}: {str(error)[:200]}'
    except TooSlow:
        return f'more than {SECONDS} s'
    except MemoryError:
        return f'more than {BYTES >> 30} GiB'
    except Exception as error:
        return f'{type(error).__name__}: {str(error)[:200]}'


def _limit_time(seconds):
    """Processor time; ten times as much by the clock, which other programs on the machine take part in."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(10 * seconds)


def limit_memory():
    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES,) * 2)


def fuzz(cases, seed, end, examples, keep, report):
    """Child process: damage files until ``end`` (monotonic s) or ``examples`` of each; counts go to the file report."""
    import torch
    from hostile.foreign_files import in_folder, named
    from hostile.mutations import mutated

    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    os.environ['MMHUMAN_DTO_MAX_MEMORY'] = '1G'

    def stop(*_):
        raise TooSlow

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGPROF, stop)
    with tempfile.TemporaryDirectory() as folder:
        originals = {named(case): (case, in_folder(case, Path(folder) / named(case))) for case in cases}
        contents = {name: path.read_bytes() for name, (_, path) in originals.items()}
        for case, path in originals.values():
            case.read(path)  # what is loaded once is not the file's memory
        limit_memory()
        number = 0
        while time.monotonic() < end and number < examples:
            rng = random.Random(f'{seed}/{number}')
            for name, (case, path) in originals.items():
                damaged = mutated(contents[name], rng, list(contents.values()))
                path.write_bytes(damaged)
                (keep / 'last').write_bytes(damaged)
                (keep / 'last.name').write_text(name)
                start = time.process_time()
                _limit_time(SECONDS)
                result = outcome(case, path)
                _limit_time(0)
                if result not in ('value', 'refused'):
                    (keep / f'{seed}-{number}-{name}').write_bytes(damaged)
                with report.open('a') as file:
                    file.write(f'{name}\t{time.process_time() - start:.3f}\t{result!r}\n')
            number += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f'seed {seed}: {number} rounds, at most {peak} MiB resident', flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--examples', type=int, default=10**9, help='of each format at most')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', default='', help='formats whose name holds this')
    parser.add_argument('--keep', type=Path, default=Path('work_dirs/fuzz'), help='folder for what was found')
    args = parser.parse_args(argv)
    from hostile.foreign_files import CASES, named

    cases = [case for case in CASES if args.only in named(case)]
    args.keep.mkdir(parents=True, exist_ok=True)
    report, end, died, seed = args.keep / f'report-{args.seed}.tsv', time.monotonic() + args.minutes * 60, 0, args.seed
    report.unlink(missing_ok=True)
    while time.monotonic() < end:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                fuzz(cases, seed, end, args.examples, args.keep, report)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            break
        died, seed = died + 1, seed + 1000
        name = (args.keep / 'last.name').read_text()
        (args.keep / 'last').replace(args.keep / f'died-{status}-{died}-{name}')
        print(f'{name}: the process died with {status}', flush=True)
    lines = [line.split('\t') for line in report.read_text().splitlines()]
    results = Counter(line[2] if line[2] in ("'value'", "'refused'") else f'{line[0]}: {line[2]}' for line in lines)
    print(
        f'{len(lines)} files of {len(cases)} formats, slowest {max(float(line[1]) for line in lines):.2f} s of CPU, '
        f'{died} dead processes'
    )
    for result, count in results.most_common():
        print(f'{count:8d}  {result}')
    return int(died > 0 or len(results) > 2)


if __name__ == '__main__':
    sys.exit(main())
