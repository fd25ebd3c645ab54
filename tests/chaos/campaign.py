"""Strike, resume, compare: what the chaos programs share."""
import argparse
import collections
import math
import shutil
import signal
import tempfile
import time
from pathlib import Path

from ground import Ground, enter_own_mounts
from lives import Life, age_files, at_event, clock_by, in_write, kill_self, seeded

#: Jumps of the wall clock, s: a leap of an hour, a day, and from or to an unset clock.
_JUMPS = (-3600., 3600., 86400., -86400., -1.7e9, 1.7e9)


class Difference(AssertionError):
    """A struck run did not behave or did not end as the unbroken one; the message says where."""


class Trial:
    """One output folder that is struck by faults and at last left in peace.

    Subclasses set ``main``, ``arguments`` and ``disk`` (bytes), name their faults' methods in ``faults`` and
    check in ``verify`` what came out. A fault's method lets the program live once and returns whether it struck before
    the program was done; None where there was nothing to strike.

    Args:
        folder: for all of the trial's files.
        unbroken: :class:`Unbroken`.
        rng: random numbers.
        mounts: whether disks of our own can be made.
    """
    faults = ()

    def __init__(self, folder, unbroken, rng, mounts):
        self.folder, self.unbroken, self.rng = Path(folder), unbroken, rng
        self.ground = Ground(self.folder / 'disk', self.disk, mounts)
        self.out, self.lives, self.story = self.ground.out, 0, []

    def start(self, arm=None):
        """Let the program live (once more); :class:`Life`."""
        self.lives += 1
        return Life(self.main, self.arguments(self.out), self.folder / f'{self.lives:02d}.log', arm)

    def strike(self, name):
        """Let a fault happen; returns whether it did, or False when the program was done before."""
        struck = getattr(self, name)()
        self.story.append(name + {True: '', False: ' (done before)', None: ' (nothing there)'}[struck])
        return struck

    def end(self):
        """One more life without faults has to bring the run to its end."""
        life = self.start()
        if not life.wait() or life.status != 0:
            life.kill(signal.SIGKILL)
            raise Difference(f'left in peace, the program ended with status {life.status}:\n{life.said[-3000:]}')
        self.verify()

    # Faults that any program may meet.

    def killed(self):
        return self._signalled(signal.SIGKILL)

    def terminated(self):
        return self._signalled(signal.SIGTERM)

    def killed_at_file(self):
        return self._dies(at_event(self.out, self.some_event(), kill_self(signal.SIGKILL)), -signal.SIGKILL)

    def terminated_at_file(self):
        return self._dies(at_event(self.out, self.some_event(), kill_self(signal.SIGTERM)), -signal.SIGTERM)

    def killed_in_write(self):
        size = self.rng.choice(self.unbroken.sizes)
        return self._dies(in_write(self.rng.randint(1, size)), -signal.SIGXFSZ)

    def disk_full(self):
        self.ground.leave_bytes(int(self.unbroken.need * self.rng.random() ** 2))
        return self._refused(self.start())

    def no_more_files(self):
        self.ground.leave_files(int(self.unbroken.files * self.rng.random() ** 2))
        return self._refused(self.start())

    def disk_fills(self):
        life = self.start()
        life.wait(self.some_time())
        self.ground.leave_bytes(0)
        return self._refused(life)

    def read_only(self):
        self.ground.freeze()
        return self._refused(self.start())

    def turns_read_only(self):
        life = self.start()
        life.wait(self.some_time())
        self.ground.freeze(life)
        return self._refused(life)

    def clock_jumps(self):
        """A life whose clock jumps, in files of all ages, and that is killed later, or not."""
        age_files(self.out, self.rng)
        jump = at_event(self.out, self.some_event(), clock_by(self.rng.choice(_JUMPS)))
        life = self.start(jump)
        if self.rng.random() < .5:
            return self._wait_and_kill(life, signal.SIGKILL)
        life.wait()
        self.expect(life, 0)
        return True

    # What they are made of.

    def some_time(self):
        """Short times oftener than long ones: a resumed run has less to do."""
        return self.unbroken.seconds * self.rng.random() ** 2

    def some_event(self):
        """Small numbers as often as large ones: a resumed run has less to do."""
        return round(math.exp(self.rng.uniform(0, math.log(self.unbroken.events))))

    def expect(self, life, *statuses):
        if life.status not in statuses:
            life.kill(signal.SIGKILL)
            raise Difference(f'ended with status {life.status}, expected {statuses}:\n{life.said[-3000:]}')

    def killed_halfway(self):
        """So that there is something to damage."""
        return self._dies(at_event(self.out, self.unbroken.events // 2, kill_self(signal.SIGKILL)), -signal.SIGKILL)

    def _signalled(self, number):
        return self._wait_and_kill(self.start(), number)

    def _wait_and_kill(self, life, number):
        life.wait(self.some_time())
        life.kill(number)
        self.expect(life, 0, -number)
        return life.status != 0

    def _dies(self, arm, status):
        life = self.start(arm)
        life.wait()
        self.expect(life, 0, status)
        return life.status != 0

    def _refused(self, life):
        """The program says what is wrong with which folder and how to go on, or was done."""
        life.wait()
        self.ground.mend()
        self.expect(life, 0, self.refusal)
        if life.status == 0:
            return False
        if not self.is_clear(life.said):
            raise Difference(f'an error that is not clear:\n{life.said[-3000:]}')
        return True

    def is_clear(self, said):
        """Whether what the program said names the folder and how to go on."""
        return 'Traceback' not in said and str(self.out) in said and '--resume' in said


class Unbroken:
    """A run that nothing happened to: its folder, how long it took and what it wrote.

    Args:
        trial_class: class of the trials.
        folder: where.
    """

    def __init__(self, trial_class, folder):
        self.seconds = self.events = 0
        trial = trial_class(folder, self, seeded(0), mounts=False)
        self.out, start, counts = trial.out, time.monotonic(), folder / 'events'
        life = trial.start(at_event(self.out, None, lambda: None, counts))
        if not life.wait() or life.status != 0:
            raise SystemExit(f'the unbroken run failed:\n{life.said}')
        self.seconds, self.events = time.monotonic() - start, len(counts.read_bytes())
        files = [path.stat().st_size for path in self.out.rglob('*') if path.is_file()]
        self.sizes, self.need, self.files = [size for size in files if size], trial_class.need(files), 3 * len(files)


def parse_args(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=200, help='strikes to make (default 200)')
    parser.add_argument('--seed', type=int, default=0, help='other strikes')
    parser.add_argument('--trial', type=int, help='only the trial of this number')
    parser.add_argument('--work-dir', type=Path, help='where; failing trials stay there (default: a temporary folder)')
    parser.add_argument('--keep', action='store_true', help='keep the folder even when nothing differs')
    return parser.parse_args()


def run(trial_class, prepare, description):
    """The program: strikes until there are enough of them; returns the exit status.

    Args:
        trial_class: subclass of :class:`Trial`.
        prepare: function of a folder, called once before the first life.
        description: of the command line.
    """
    args = parse_args(description)
    mounts = enter_own_mounts()
    names = [name for name in trial_class.faults if mounts or name not in trial_class.need_mounts]
    for name in set(trial_class.faults) - set(names):
        print(f'left out: {name} (this user can neither mount nor make a namespace to mount in)', flush=True)
    folder = args.work_dir or Path(tempfile.mkdtemp(prefix='chaos-'))
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    unbroken = Unbroken(trial_class, folder / 'unbroken')
    print(f'unbroken: {unbroken.seconds:.1f} s, {unbroken.events} file events; {folder}', flush=True)
    struck, failed, number, start = collections.Counter(), [], 0, time.monotonic()
    while sum(struck.values()) < args.kills:
        number = number + 1 if args.trial is None else args.trial
        if not _try(trial_class, folder / f'trial-{number:04d}', unbroken, names, args, mounts, struck):
            failed.append(number)
        if args.trial is not None:
            break
    seconds = time.monotonic() - start
    print(f'{sum(struck.values())} strikes in {seconds:.0f} s: '
          + ', '.join(f'{name} {count}' for name, count in struck.most_common()))
    print(f'{len(failed)} of {number} trials differ from the unbroken run' + ''.join(
        f'\n  {folder / f"trial-{one:04d}"}: again with --seed {args.seed} --trial {one}' for one in failed))
    if not failed and not args.keep:
        shutil.rmtree(folder)
    return int(bool(failed))


def _try(trial_class, folder, unbroken, names, args, mounts, struck):
    """One trial, its line and its end; returns whether all was well."""
    rng = seeded(args.seed, folder.name)
    trial = trial_class(folder, unbroken, rng, mounts)
    try:
        for _ in range(rng.randint(1, 6)):
            name = rng.choice(names)
            happened = trial.strike(name)
            struck[name] += bool(happened)
            if happened is False:
                break
        trial.end()
    except Difference as error:
        (folder / 'difference.txt').write_text(f'{trial.story}\n{error}\n')
        trial.ground.mend()
        shutil.copytree(trial.out, folder / 'out', symlinks=True)
        print(f'{folder.name}: {", ".join(trial.story)}: DIFFERS: {error}', flush=True)
        return False
    else:
        print(f'{folder.name}: {", ".join(trial.story)}: same', flush=True)
        return True
    finally:
        trial.ground.remove()
        if not (folder / 'difference.txt').exists() and not args.keep:
            shutil.rmtree(folder)
