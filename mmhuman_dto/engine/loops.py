"""A training loop that resumes where it stopped, without reading again what it has already used."""
import torch
from mmengine.dist import get_dist_info
from mmengine.runner import IterBasedTrainLoop

from mmhuman_dto.registry import LOOPS

from .interruption import Interruption


@LOOPS.register_module()
class ResumableTrainLoop(IterBasedTrainLoop):
    """``IterBasedTrainLoop`` in which an iteration depends on the seed, its number and the weights alone.

    MMEngine's own loop reads and throws away every batch used before a resume. Here the loader's sampler (one with
    ``start_at``, such as :class:`EndlessSampler`) is told where to go on, and random numbers are drawn anew from (seed,
    iteration, rank), so what follows a resume is what a run that was never stopped does.
    """

    def run(self):
        """Train until ``max_iters``, or until Ctrl-C, which leaves a checkpoint and ends in KeyboardInterrupt."""
        self.runner.call_hook('before_train')
        with Interruption() as interruption:
            try:
                self._train(interruption)
            except KeyboardInterrupt:
                if not interruption.asked:
                    raise
        if interruption.asked:
            self._stop()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _train(self, interruption):
        self.restart_loading(self._iter)
        self.runner.call_hook('before_train_epoch')
        if self._iter > 0:
            # A run may have been stopped in the validation that follows its last checkpoint.
            self._validate_if_due()
        while self._iter < self._max_iters and not self.stop_training and not interruption.agreed():
            self.runner.model.train()
            batch = next(self.dataloader_iterator)
            with interruption.held_back():
                self.run_iter(batch)
            self._decide_current_val_interval()
            self._validate_if_due()

    def _stop(self):
        """End the run after the steps that are done, with their checkpoint."""
        saved = [hook.save_as_it_is(self.runner) for hook in self.runner.hooks if hasattr(hook, 'save_as_it_is')]
        self.runner.call_hook('after_run')
        where = f'{saved[0]} is its checkpoint' if saved and saved[0] else 'there is no checkpoint'
        raise KeyboardInterrupt(f'stopped by Ctrl-C after step {self._iter}: {where}; go on with --resume')

    def restart_loading(self, step):
        """Load from the batch of step ``step`` on, with the dataset as it is now: what was read ahead is forgotten."""
        # Persistent workers keep a copy of the dataset as it was when they were started.
        self.dataloader._iterator = None
        self.dataloader.sampler.start_at(step * self.dataloader.batch_size)
        self.dataloader_iterator = iter(self.dataloader)

    def run_iter(self, data_batch):
        """One step on a batch."""
        rank, world_size = get_dist_info()
        torch.manual_seed((self.runner.seed * 1_000_003 + self._iter) * world_size + rank)
        super().run_iter(data_batch)

    def _validate_if_due(self):
        due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
        if self.runner.val_loop is not None and self._iter >= self.val_begin and due:
            self.runner.val_loop.run()
