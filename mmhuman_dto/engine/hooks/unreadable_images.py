"""Figures say of how many pictures that could not be read they are."""
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from mmhuman_dto.registry import HOOKS


@HOOKS.register_module()
class UnreadableImagesHook(Hook):
    """Adds ``unreadable_images`` to the figures of a test or validation, where there were any, and warns of each.

    These are samples with metainfo ``unreadable`` (``LoadImage(blank=True)``), whose people count as missed.
    """

    # Before the figures are logged.
    priority = 'HIGH'

    def before_test_epoch(self, runner):
        self.reasons = {}

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.reasons.update({sample.get('img_id', '?'): sample.unreadable for sample in outputs
                             if 'unreadable' in sample})

    def after_test_epoch(self, runner, metrics=None):
        # A sampler may give an image to two ranks, so that all have as many.
        reasons = {img_id: reason for part in all_gather_object(self.reasons) for img_id, reason in part.items()}
        for img_id, reason in sorted(reasons.items()):
            runner.logger.warning(f'{img_id} could not be read, its people count as missed: {reason}')
        if reasons:
            metrics['unreadable_images'] = len(reasons)

    before_val_epoch, after_val_iter, after_val_epoch = before_test_epoch, after_test_iter, after_test_epoch
