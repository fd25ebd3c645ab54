"""Loading checkpoints without unpickling foreign classes, our own training state included."""
import numpy as np
import torch
from mmengine.logging import HistoryBuffer

# What MMEngine writes into its own checkpoints beside tensors and plain containers: the log history.
# ``weights_only`` refuses these unless named; they hold numbers only.
_TRAINING_STATE = [
    HistoryBuffer, np.ndarray, np.dtype, np._core.multiarray._reconstruct, np._core.multiarray.scalar,
    *{type(np.dtype(kind)) for kind in ('float64', 'float32', 'int64', 'int32', 'bool')},
]


def allow_training_state():
    """Let ``torch.load(weights_only=True)``, the default, read the state that MMEngine saves for resuming."""
    torch.serialization.add_safe_globals(_TRAINING_STATE)
