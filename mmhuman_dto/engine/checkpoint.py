"""Checkpoints, read without unpickling anything but tensors and plain containers."""

import torch

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_tensors

#: Parts of a network that only training uses; a checkpoint may lack them or have them in excess.
TRAINING_ONLY = ('denoising.', )


class CheckpointError(ValueError):
    """A file that is no checkpoint, or that of another network."""


def load_weights(model, path):
    """Set a network's weights from a checkpoint (its ``state_dict``), a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: not such a file, or names or shapes differ from the network's; the message lists them.
    """
    state = read_state(path)
    ours = model.state_dict()
    lacking, unknown = (sorted(name for name in first.keys() - second.keys() if not name.startswith(TRAINING_ONLY))
                        for first, second in ((ours, state), (state, ours)))
    wrong = [f'lacks {name}' for name in lacking] + [f'has the unknown {name}' for name in unknown]
    wrong += [f'{name} is {tuple(state[name].shape)}, the network has {tuple(value.shape)}'
              for name, value in ours.items() if name in state and state[name].shape != value.shape]
    if wrong:
        more = f'; and {len(wrong) - 5} more' if len(wrong) > 5 else ''
        raise CheckpointError(f'{path} is of another network: {"; ".join(wrong[:5])}{more}')
    model.load_state_dict(state, strict=False)


def read_state(path):
    """The state dict (names -> CPU tensors) of a checkpoint, a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: nothing of the kind.
    """
    try:
        state = load_tensors(path)
    except (UnsafeFileError, BrokenFileError) as error:
        raise CheckpointError(str(error)) from error
    state = state.get('state_dict', state) if isinstance(state, dict) else None
    if not state or not all(torch.is_tensor(value) for value in state.values()):
        raise CheckpointError(f'{path}: holds no state dict, names -> tensors')
    return state
