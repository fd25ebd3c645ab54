"""Checkpoints that a kill or a full disk cannot spoil."""
from pathlib import Path

from mmengine.dist import is_main_process
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
        super().before_train(runner)
        # MMEngine removes the best so far by its path: in a copied work folder the copy's, not the original's.
        paths = getattr(self, 'best_ckpt_path_dict', {})
        paths.update({key: self._own(path) for key, path in paths.items()})
        self.best_ckpt_path = self._own(getattr(self, 'best_ckpt_path', None))

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
