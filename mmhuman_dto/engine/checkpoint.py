"""Checkpoints, read without unpickling anything but tensors and plain containers."""
import pickle

import torch

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.safetensors import load_safetensors

#: Parts of a network that only training uses; a checkpoint may lack them or have them in excess.
_TRAINING_ONLY = ('denoising.', )


class CheckpointError(ValueError):
    """A file that is no checkpoint, or that of another network."""


def load_weights(model, path):
    """Set a network's weights from a checkpoint (its ``state_dict``), a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: not such a file, or names or shapes differ from the network's; the message lists them.
    """
    state = _read_state(path)
    ours = model.state_dict()
    lacking, unknown = (sorted(name for name in first.keys() - second.keys() if not name.startswith(_TRAINING_ONLY))
                        for first, second in ((ours, state), (state, ours)))
    wrong = [f'lacks {name}' for name in lacking] + [f'has the unknown {name}' for name in unknown]
    wrong += [f'{name} is {tuple(state[name].shape)}, the network has {tuple(value.shape)}'
              for name, value in ours.items() if name in state and state[name].shape != value.shape]
    if wrong:
        more = f'; and {len(wrong) - 5} more' if len(wrong) > 5 else ''
        raise CheckpointError(f'{path} is of another network: {"; ".join(wrong[:5])}{more}')
    model.load_state_dict(state, strict=False)


def _read_state(path):
    try:
        if str(path).endswith('.safetensors'):
            state = load_safetensors(path)
        else:
            state = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, BrokenFileError) as error:
        raise CheckpointError(f'{path}: not a checkpoint that can be read safely ({error})') from error
    state = state.get('state_dict', state) if isinstance(state, dict) else None
    if not state or not all(torch.is_tensor(value) for value in state.values()):
        raise CheckpointError(f'{path}: holds no state dict, names -> tensors')
    return state
