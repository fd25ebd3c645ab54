"""Checkpoints, read without unpickling anything but tensors and plain containers."""
from pathlib import Path

import torch
from mmengine.config import Config

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_tensors
from mmhuman_dto.fileio.bundled import shipped_configs
from mmhuman_dto.fileio.release import CONVERTER, RELEASE_FILES, is_release

#: Parts of a network that only training uses; a checkpoint may lack them or have them in excess.
TRAINING_ONLY = ('denoising.', )


class CheckpointError(ValueError):
    """A file that is no checkpoint, or that of another network."""


def load_weights(model, path):
    """Set a network's weights from a checkpoint (its ``state_dict``), a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: not such a file, or names or shapes differ from the network's; the message lists them, and the
            shipped configs of the network whose weights they are.
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
        fitting = fitting_configs(state)
        configs = f'. Configs with its network: {", ".join(fitting)}' if fitting else ''
        raise CheckpointError(f'{path} is of another network: {"; ".join(wrong[:5])}{more}{configs}')
    model.load_state_dict(state, strict=False)


def fitting_configs(state):
    """Names of the shipped configs whose network weights (names -> tensors) are of, if it is like the published one."""
    # Whoever has no network, such as the recipes for photos, is spared the import of all of them.
    from mmhuman_dto.models.conversion import model_config, network_key
    try:
        wanted = network_key(model_config(state, num_heads=1))
    except KeyError:  # no such network
        return []
    models = {name: Config.fromfile(path).get('model') for name, path in shipped_configs().items()}
    fitting = [name for name, model in models.items() if model is not None and network_key(model) == wanted]
    return sorted(fitting, key=lambda name: name not in RELEASE_FILES)  # the published one first


def read_state(path):
    """The state dict (names -> CPU tensors) of a checkpoint, a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: nothing of the kind, or published weights that are to be converted first.
    """
    try:
        state = load_tensors(path)
    except (UnsafeFileError, BrokenFileError) as error:
        raise CheckpointError(str(error)) from error
    if is_release(state):
        converted = Path(path).with_suffix('.pth' if Path(path).suffix != '.pth' else '.converted.pth')
        raise CheckpointError(f'{path}: weights of MA-HMR or SAT-HMR under their own names. Convert them: '
                              f'{CONVERTER.format(path, converted)}; then give {converted}')
    state = state.get('state_dict', state) if isinstance(state, dict) else None
    if not state or not all(torch.is_tensor(value) for value in state.values()):
        raise CheckpointError(f'{path}: holds no state dict, names -> tensors')
    return state
