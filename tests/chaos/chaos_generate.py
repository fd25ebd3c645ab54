"""Strike tools/generate_dto.py again and again, resume it, and compare its files with an unbroken run's.

    python tests/chaos/chaos_generate.py --kills 200

Exit status 1 when a trial differs: its folder stays, with what was said in each life. See docs/faults.md.
"""
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

from campaign import Difference, Trial, run  # noqa: E402
from lives import damage  # noqa: E402
from scripts import load_script  # noqa: E402
from unbroken import read_bytes  # noqa: E402

CONFIG = 'config.py'


class GenerationTrial(Trial):
    """A folder of generate_dto.py, with kept and failed images, contact sheets and public layouts."""
    disk, refusal = 64 << 20, 2
    need_mounts = {'disk_full', 'disk_fills', 'no_more_files', 'read_only', 'turns_read_only'}
    faults = ('killed', 'terminated', 'killed_at_file', 'terminated_at_file', 'killed_in_write', 'clock_jumps',
              *sorted(need_mounts), 'shard_damaged', 'stale_lock', 'two_at_once')

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.damaged = set()

    @staticmethod
    def need(files):
        """Bytes that a run has on the disk at its fullest: the shards, the merged files and the public ones."""
        return 3 * sum(files)

    def arguments(self, out):
        return [self.folder.parent / CONFIG, '--out-dir', out, '--resume', '--public-layout', 'TOY',
                '--max-failures', '2']

    def start(self, arm=None):
        self.finished = self.finished_shards()
        return super().start(arm)

    def expect(self, life, *statuses):
        super().expect(life, *statuses)
        lost = {name for name, made in self.finished.items() if self.finished_shards().get(name) != made}
        lost -= self.damaged
        if lost and self.status() != 'complete':
            raise Difference(f'finished shards were lost or made again: {sorted(lost)}')

    def finished_shards(self):
        """Name -> inode: a shard made twice has another one."""
        shards = self.out / 'shards'
        return {path.name: path.stat().st_ino for path in shards.glob('[0-9]*')} if shards.is_dir() else {}

    def shard_files(self):
        return [path for path in sorted(self.out.glob('shards/[0-9]*/**/*')) if path.is_file()]

    def status(self):
        try:
            return json.loads((self.out / 'manifest.json').read_text())['status']
        except FileNotFoundError:
            return None

    def shard_damaged(self):
        """A file of a finished shard is not what was written; the shard has to be made again."""
        if not self.shard_files():
            self.killed_halfway()
        files = self.shard_files()
        if not files:
            return None
        path = self.rng.choice(files)
        self.damaged.add(path.relative_to(self.out / 'shards').parts[0])
        self.story.append(f'{path.relative_to(self.out)} {damage(path, self.rng)}')
        return True

    def stale_lock(self):
        """A lock of a process that is gone, whose number another one has now, or of another machine."""
        self.out.mkdir(exist_ok=True)
        dead = subprocess.Popen(['true'])
        dead.wait()
        pid, host = self.rng.choice([(dead.pid, socket.gethostname()), (1, socket.gethostname()), (1, 'elsewhere')])
        (self.out / '.lock').write_text(f'process {pid} on {host}\n')
        return True

    def two_at_once(self):
        """The second of two runs in one folder is refused, or the first one was done."""
        first = self.start()
        first.wait(self.some_time())
        second = super().start()
        first.wait()
        second.wait()
        statuses = sorted((first.status, second.status))
        if statuses not in ([0, 0], [0, 2]):
            raise Difference(f'two at once ended with {statuses}:\n{first.said[-2000:]}\n{second.said[-2000:]}')
        refused = first if first.status else second
        if refused.status and ('is at work in' not in refused.said or 'Traceback' in refused.said):
            raise Difference(f'an error that is not clear:\n{refused.said[-2000:]}')
        return statuses == [0, 2]

    def verify(self):
        want, have = read_bytes(self.unbroken.out), read_bytes(self.out)
        if want != have:
            raise Difference(f'files lacking {sorted(want.keys() - have.keys())}, left over '
                             f'{sorted(have.keys() - want.keys())}, different '
                             f'{sorted(name for name in want.keys() & have.keys() if want[name] != have[name])}')


def prepare(folder):
    """The crowd of the generator's tests with two bad images, its config, and everything imported and compiled."""
    fixtures = load_script('tests/generation/conftest.py')
    data, config = folder / 'data', folder / CONFIG
    if not data.exists():
        fixtures.write_folder(data, 12)
    fixtures.edit_meshes(data, lambda annots: fixtures.break_two(annots['0003.jpg'], annots['0009.jpg']))
    config.write_text(fixtures.CONFIG.format(configs=ROOT / 'configs', data=data)
                      + 'contact_sheets = dict(every=6, rows=1)\nshard_size = 2\n')
    GenerationTrial.main = staticmethod(load_script('tools/generate_dto.py').main)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.exit(run(GenerationTrial, prepare, __doc__))
