"""Times that a change of the machine's clock does not touch."""
import time

from mmengine.hooks import IterTimerHook

from mmhuman_dto.registry import HOOKS


@HOOKS.register_module()
class SteadyTimerHook(IterTimerHook):
    """MMEngine's ``IterTimerHook`` by the monotonic clock: ``time`` and ``data_time`` of a step, s, and ``eta``.

    By the wall clock, one that is set right while a run goes on (from 1970, say) gives an ETA too long for Python's
    ``timedelta``, which ends the run.
    """

    def _before_epoch(self, runner, mode='train'):
        self.t = time.monotonic()

    def _before_iter(self, runner, batch_idx, data_batch=None, mode='train'):
        runner.message_hub.update_scalar(f'{mode}/data_time', time.monotonic() - self.t)

    def _after_iter(self, runner, batch_idx, data_batch=None, outputs=None, mode='train'):
        now = time.monotonic()
        seconds, self.t = now - self.t, now
        runner.message_hub.update_scalar(f'{mode}/time', seconds)
        if mode == 'train':
            self.time_sec_tot += seconds
            total, done, left = self.time_sec_tot, runner.iter - self.start_iter + 1, runner.max_iters - runner.iter - 1
        else:
            self.time_sec_test_val += seconds
            loader = runner.val_dataloader if mode == 'val' else runner.test_dataloader
            total, done, left = self.time_sec_test_val, batch_idx + 1, len(loader) - batch_idx - 1
        runner.message_hub.update_info('eta', total / done * left)
