"""A training loop that resumes where it stopped, without reading again what it has already used."""
from mmengine.runner import IterBasedTrainLoop

from mmhuman_dto.registry import LOOPS


@LOOPS.register_module()
class ResumableTrainLoop(IterBasedTrainLoop):
    """``IterBasedTrainLoop`` over a sampler that can start anywhere.

    MMEngine's own loop reads and throws away every batch used before a resume. Here the loader's sampler (one with
    ``start_at``, such as :class:`EndlessSampler`) is told where to go on, so the batches after a resume are those of a
    run that was never stopped.
    """

    def run(self):
        """Train until ``max_iters``."""
        if self._iter > 0:
            self.dataloader.sampler.start_at(self._iter * self.dataloader.batch_size)
        batches = iter(self.dataloader)
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self._decide_current_val_interval()
            due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
            if self.runner.val_loop is not None and self._iter >= self.val_begin and due:
                self.runner.val_loop.run()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model
