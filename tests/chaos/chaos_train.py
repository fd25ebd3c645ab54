"""Strike tools/train.py again and again, resume it, and compare loss curve and checkpoints with an unbroken run's.

    python tests/chaos/chaos_train.py --kills 200

Exit status 1 when a trial differs: its folder stays, with what was said in each life. See docs/faults.md.
"""
import importlib
import json
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

from campaign import Difference, Trial, run  # noqa: E402
from lives import damage  # noqa: E402
from scripts import load_script  # noqa: E402

RECIPE, KEPT = 'tiny.py', 2
#: What differs between any two runs: how long it took, and how much memory.
_MEASURED = ('time', 'data_time', 'memory', 'eta')


class TrainingTrial(Trial):
    """A work folder of train.py: a small network, seven steps, a checkpoint every second one, validated at the end."""
    disk, refusal = 512 << 20, 1
    need_mounts = {'disk_full', 'disk_fills', 'no_more_files', 'read_only', 'write_protected'}
    faults = ('killed', 'terminated', 'killed_at_file', 'terminated_at_file', 'killed_in_write', 'clock_jumps',
              'disk_full', 'disk_fills', 'no_more_files', 'read_only', 'write_protected', 'last_checkpoint_damaged',
              'all_checkpoints_damaged')

    @staticmethod
    def need(files):
        """Bytes that a run has on the disk at its fullest: one checkpoint more than it keeps."""
        return sum(files) + max(files)

    def arguments(self, out):
        return [self.folder.parent / RECIPE, '--work-dir', out, '--resume']

    def is_clear(self, said):
        # Python's logging shows a traceback of each line it cannot write; the program's own last word counts.
        last = said.strip().splitlines()[-1]
        return str(self.out) in last and '--resume' in last

    def write_protected(self):
        """Like a disk that turns read-only under open files, which a tmpfs refuses: nothing new can be made."""
        life = self.start()
        life.wait(self.some_time())
        self._protect('+i')
        try:
            return self._refused(life)
        finally:
            self._protect('-i')

    def last_checkpoint_damaged(self):
        """The run has to go on from the one before, or from the start where there is no other."""
        if len(self.checkpoints()) < 2:
            self.killed_halfway()
        found = self.checkpoints()
        if len(found) < 2:
            return None
        self.story.append(f'{found[-1].name} {damage(found[-1], self.rng)}')
        return True

    def all_checkpoints_damaged(self):
        """Refused, with what to remove; then removed."""
        if not self.checkpoints():
            self.killed_halfway()
        found = self.checkpoints()
        for path in found:
            path.write_bytes(path.read_bytes()[:self.rng.randrange(1000)])
        if not found:
            return None
        life = self.start()
        life.wait()
        self.expect(life, 1)
        # One that is newer than what `last_checkpoint` names is not looked at.
        if 'Traceback' in life.said or all(str(path) not in life.said for path in found):
            raise Difference(f'an error that is not clear:\n{life.said[-3000:]}')
        for path in found:
            path.unlink()
        return True

    def checkpoints(self):
        return sorted(self.out.glob('iter_*.pth'))

    def verify(self):
        _same('files', _plain_files(self.unbroken.out), _plain_files(self.out))
        for path in sorted(self.unbroken.out.glob('iter_*.pth')):
            _same(path.name, _content(path), _content(self.out / path.name))
        for kind in ('loss', 'crowd/f1'):
            _same(f'log of {kind}', _log(self.unbroken.out, kind), _log(self.out, kind))

    def _protect(self, flag):
        folders = [path for path in [self.out, *self.out.rglob('*')] if path.is_dir()] if self.out.exists() else []
        if folders:
            subprocess.run(['chattr', flag, *folders], check=True)


def _plain_files(folder):
    """Names of all files but those of logs, which are in a folder a start."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def _content(path):
    """What a checkpoint holds, but for what was measured, as values that can be compared."""
    import torch
    content = torch.load(path, weights_only=True)
    content['meta'] = {name: content['meta'][name] for name in ('epoch', 'iter', 'seed')}
    hub = content['message_hub']
    scalars = {name: value for name, value in hub['log_scalars'].items() if not name.endswith(_MEASURED)}
    # The path of the folder is in it.
    info = {name: hub['runtime_info'].get(name) for name in ('keep_ckpt_ids', 'iter')}
    return _comparable(dict(content, message_hub=[scalars, info]))


def _comparable(value):
    if isinstance(value, dict):
        return {name: _comparable(child) for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_comparable(child) for child in value]
    return (str(value.dtype), tuple(value.shape), value.numpy().tobytes()) if hasattr(value, 'numpy') else value


def _log(folder, kind):
    """Step -> set of all that was logged for it, in any life; a step done twice must have given the same twice."""
    rows = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            row = _parsed(line)
            if kind in row:
                values = {name: value for name, value in row.items() if name not in _MEASURED}
                rows.setdefault(row['step'], set()).add(json.dumps(values, sort_keys=True))
    return rows


def _parsed(line):
    """A row of a log; nothing for one that a kill cut."""
    try:
        return json.loads(line)
    except ValueError:
        return {}


def _same(what, want, have):
    if want == have:
        return
    if isinstance(want, dict):
        names = sorted((name for name in want.keys() | have.keys() if want.get(name) != have.get(name)), key=str)
        what = f'{what}: {names[:5]}'
        want, have = ({name: str(side.get(name))[:300] for name in names[:2]} for side in (want, have))
    raise Difference(f'{what} differ: {want} unbroken, {have} struck')


def prepare(folder):
    """The recipe of the tools' tests and everything imported; the unbroken run draws its few scenes."""
    recipe = load_script('tests/tools/conftest.py').CONFIG.format(root=ROOT, cache=folder / 'crowd')
    (folder / RECIPE).write_text(recipe.replace('max_keep_ckpts=-1', f'max_keep_ckpts={KEPT}'))
    TrainingTrial.main = staticmethod(load_script('tools/train.py').main)
    for name in ('mmhuman_dto.apis.dry_run', 'mmhuman_dto.apis.training', 'mmhuman_dto.datasets', 'mmhuman_dto.models',
                 'mmhuman_dto.engine', 'mmhuman_dto.evaluation', 'mmhuman_dto.perception', 'mmhuman_dto.synthetic',
                 'mmhuman_dto.visualization', 'torch.utils.tensorboard', 'torch._dynamo', 'matplotlib.pyplot'):
        importlib.import_module(name)
    # A third of a life would go into the layout of configs that are written into logs and checkpoints.
    importlib.import_module('mmengine.config.config').FormatCode = lambda text, **style: (text, True)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.exit(run(TrainingTrial, prepare, __doc__))
