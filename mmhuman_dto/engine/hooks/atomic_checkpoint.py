"""Checkpoints that a kill or a full disk cannot spoil."""
from collections import deque
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import get_file_backend
from mmengine.hooks import CheckpointHook

from mmhuman_dto.fileio.atomic import publish, write_atomically
from mmhuman_dto.registry import HOOKS

from ..divergence import check_state


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's hook, for local folders, whose checkpoints are whole or not there at all.

    A checkpoint is written under a temporary name, forced to disk and renamed; the one it makes outdated is removed
    after that. MMEngine removes first and writes in place: a run stopped in between has one good checkpoint less, which
    with ``max_keep_ckpts=1`` is none.

    Raises:
        DivergedError: weights or the optimizer's state are not finite; nothing is written.
    """

    def before_train(self, runner):
        folder = Path(runner.work_dir)
        self.out_dir = str(folder if self.out_dir is None else Path(self.out_dir, folder.name))
        self.file_backend = get_file_backend(self.out_dir)
        runner.logger.info(f'Checkpoints will be saved to {self.out_dir}.')
        before = runner.message_hub.runtime_info
        keys = self.key_indicators if self.save_best else ()
        # MMEngine removes the best so far by its path: in a copied work folder the copy's, not the original's.
        best = {key: self._own(before.get('best_ckpt' if len(keys) == 1 else f'best_ckpt_{key}')) for key in keys}
        self.best_ckpt_path, self.best_ckpt_path_dict = best[keys[0]] if len(keys) == 1 else None, best
        steps = list(before.get('keep_ckpt_ids', ())) if self.max_keep_ckpts > 0 else []
        outdated, kept = steps[:-self.max_keep_ckpts], steps[-self.max_keep_ckpts:]
        for step in outdated if is_main_process() else ():
            self._remove(Path(self.out_dir, self.filename_tmpl.format(step)))
        self.keep_ckpt_ids = deque(kept)

    def save_as_it_is(self, runner):
        """Write a checkpoint of the steps that are done, between two steps; its path, or None before the first."""
        step = runner.iter
        if step > 0 and self.last_ckpt != str(Path(self.out_dir, self.filename_tmpl.format(step))):
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=step))
        return self.last_ckpt

    def _own(self, path):
        return path and str(Path(self.out_dir, Path(path).name))

    def _save_checkpoint_with_step(self, runner, step, meta):
        check_state(runner, step)
        name = self.filename_tmpl.format(step)
        path, temporary = Path(self.out_dir, name), f'.{name}.tmp'
        self.last_ckpt = str(path)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        outdated = self._keep(runner, step)
        runner.save_checkpoint(
            self.out_dir, temporary, self.file_client_args, save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
            backend_args=self.backend_args, **self.args)
        if is_main_process():
            publish(path.with_name(temporary), path)
            write_atomically(Path(runner.work_dir, 'last_checkpoint'), lambda file: file.write_text(self.last_ckpt))
            for old in outdated:
                self._remove(Path(self.out_dir, self.filename_tmpl.format(old)))

    def _keep(self, runner, step):
        """Add a step to those that are kept; returns the steps that are outdated once its checkpoint is there.

        The checkpoint itself lists those too: ``before_train`` of a run that was stopped before their removal does it.
        """
        if self.max_keep_ckpts <= 0 or step in self.keep_ckpt_ids:
            return []
        outdated = [self.keep_ckpt_ids.popleft()] if len(self.keep_ckpt_ids) == self.max_keep_ckpts else []
        self.keep_ckpt_ids.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', [*outdated, *self.keep_ckpt_ids])
        return outdated

    def _remove(self, path):
        if path.is_dir():
            self.file_backend.rmtree(path)
        elif path.exists():
            self.file_backend.remove(path)
