"""Parts of a network that start from a file (``init_cfg``)."""
from mmengine.runner import CheckpointLoader

from mmhuman_dto.registry import WEIGHT_INITIALIZERS

from .checkpoint import CheckpointError, read_state, state_of, weights_to_start_from


@WEIGHT_INITIALIZERS.register_module(name='Pretrained')
class PretrainedWeights:
    """Weights of a module from a checkpoint: ``init_cfg=dict(type='Pretrained', checkpoint=FILE, prefix='backbone.')``.

    Unlike MMEngine's it stops where nothing fits, and lists a few names where something does not.

    Args:
        checkpoint: file of weights, or an address that MMEngine reads.
        prefix: beginning of the names that are taken, which the module's do not have; None: all.

    Raises:
        CheckpointError: no weights, or none that fit. FileNotFoundError: no such file.
    """

    def __init__(self, checkpoint, prefix=None):
        self.checkpoint, self.prefix = checkpoint, prefix or ''

    def __call__(self, module):
        if '://' in str(self.checkpoint):
            state = state_of(CheckpointLoader.load_checkpoint(self.checkpoint, 'cpu'), self.checkpoint)
        else:
            state = read_state(self.checkpoint)
        state = {name.removeprefix(self.prefix): value for name, value in state.items()
                 if name.startswith(self.prefix)}
        if not state:
            raise CheckpointError(f'{self.checkpoint}: none of its names begins with the prefix {self.prefix!r} of '
                                  'init_cfg')
        module.load_state_dict(weights_to_start_from(module.state_dict(), state, self.checkpoint), strict=False)
