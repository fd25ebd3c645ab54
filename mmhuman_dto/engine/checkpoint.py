"""Checkpoints, read without unpickling anything but tensors and plain containers."""
import logging
from pathlib import Path

from mmengine.config import Config

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_tensors
from mmhuman_dto.fileio.bundled import shipped_configs
from mmhuman_dto.fileio.release import CONVERTER, RELEASE_FILES, is_release
from mmhuman_dto.fileio.state_dict import unwrap

from .divergence import nonfinite_part

_LOGGER = logging.getLogger(__name__)

#: Parts of a network that only training uses; a checkpoint may lack them or have them in excess.
TRAINING_ONLY = ('denoising.', )


class CheckpointError(ValueError):
    """A file that is no checkpoint, or that of another network."""


#: How many names of each kind a message lists.
_LISTED = 3


def load_weights(model, path):
    """Set a network's weights from a checkpoint, a plain state dict or a ``.safetensors`` file.

    What wrappers put before names is taken off (:func:`~mmhuman_dto.fileio.state_dict.unwrap`), and so is another
    prefix (``model.``) without which they are this network's.

    Raises:
        CheckpointError: not such a file, or names or shapes differ from the network's; the message lists them, and the
            shipped configs of the network whose weights they are.
    """
    state = read_state(path)
    fitting, wrong = fit(model.state_dict(), state, path, TRAINING_ONLY)
    if wrong:
        raise _of_another_network(path, state, wrong)
    model.load_state_dict(fitting, strict=False)


def weights_to_start_from(ours, checkpoint, path):
    """What a training starts from: those weights of a loaded file that fit a network; a warning names the others.

    Args:
        ours: the network's names -> tensors.
        checkpoint: what was loaded from ``path``.

    Raises:
        CheckpointError: nothing fits.
    """
    state = state_of(checkpoint, path)
    fitting, wrong = fit(ours, state, path)
    if not fitting:
        raise _of_another_network(path, state, wrong)
    if wrong:
        _LOGGER.warning('%s: %s. Only what fits is taken', path, wrong)
    return fitting


def weights_to_go_on_with(ours, checkpoint, path):
    """The weights of a run that is resumed; see :func:`weights_to_start_from`.

    Raises:
        CheckpointError: not the checkpoint of a run, or of a run of another network.
    """
    state = state_of(checkpoint, path)
    lacking = [key for key in ('state_dict', 'meta', 'message_hub') if key not in checkpoint]
    if lacking:
        raise CheckpointError(f'{path}: no run can go on from it, it lacks {", ".join(lacking)}. To start from its '
                              f'weights: --cfg-options load_from={path}')
    fitting, wrong = fit(ours, state, path)
    if wrong:
        raise CheckpointError(f'{_of_another_network(path, state, wrong)}. A run goes on with its own network; to '
                              f'start another from what fits: --cfg-options load_from={path}')
    return fitting


def fit(ours, state, path, optional=()):
    """Those of a state dict's tensors that fit a network, and what is wrong with the others in one line, or ''.

    Args:
        ours: the network's names -> tensors.
        state: the file's.
        path: the file, for messages.
        optional: beginnings of names that may be missing or too many.

    Raises:
        CheckpointError: several networks like ours are in it.
    """
    state = _without_prefix(ours, state, path)
    fitting = {name: value for name, value in state.items() if name in ours and ours[name].shape == value.shape}
    lacking, unknown = (sorted(name for name in first.keys() - second.keys() if not name.startswith(optional))
                        for first, second in ((ours, state), (state, ours)))
    shapes = [f'{name} is {tuple(state[name].shape)}, the network has {tuple(value.shape)}'
              for name, value in ours.items() if name in state and name not in fitting]
    wrong = [part for part in (_listed('lacks ', lacking), _listed('has the unknown ', unknown), _listed('', shapes))
             if part]
    return fitting, '; '.join([f'{len(fitting)} of {len(ours)} tensors of the network fit', *wrong]) if wrong else ''


def _without_prefix(ours, state, path):
    """A state dict whose names begin with something else than the network's (``model.``), without it."""
    if not ours.keys().isdisjoint(state):
        return state
    counts = {}
    for name, value in state.items():
        parts = name.split('.')
        for i in range(1, len(parts)):
            other = ours.get('.'.join(parts[i:]))
            if other is not None and other.shape == value.shape:
                prefix = '.'.join(parts[:i]) + '.'
                counts[prefix] = counts.get(prefix, 0) + 1
    # Fewer may be alike by chance: any two linear layers are.
    prefixes = [prefix for prefix, count in counts.items() if 2 * count > len(ours)]
    if len(prefixes) > 1:
        raise CheckpointError(f'{path}: several networks are in it, with the prefixes {", ".join(prefixes)}; write a '
                              'file with the names of one of them')
    if not prefixes:
        return state
    return {name.removeprefix(prefixes[0]): value for name, value in state.items()}


def _listed(before, names):
    more = f' and {len(names) - _LISTED} more' if len(names) > _LISTED else ''
    return f'{before}{", ".join(names[:_LISTED])}{more}' if names else ''


def _of_another_network(path, state, wrong):
    fitting = fitting_configs(state)
    configs = f'. Configs with its network: {", ".join(fitting)}' if fitting else ''
    return CheckpointError(f'{path} is of another network: {wrong}{configs}')


def fitting_configs(state):
    """Names of the shipped configs whose network weights (names -> tensors) are of, if it is like the published one."""
    # Whoever has no network, such as the recipes for photos, is spared the import of all of them.
    from mmhuman_dto.models.conversion import model_config, network_key
    try:
        wanted = network_key(model_config(state, num_heads=1))
    except KeyError:  # no such network
        return []
    models = {name: Config.fromfile(path).get('model') for name, path in shipped_configs().items()}
    fitting = [name for name, model in models.items() if model and 'backbone' in model and network_key(model) == wanted]
    return sorted(fitting, key=lambda name: name not in RELEASE_FILES)  # the published one first


def read_state(path):
    """The state dict (names -> CPU tensors) of a checkpoint, a plain state dict or a ``.safetensors`` file.

    Raises:
        CheckpointError: nothing of the kind, values that are not finite, or published weights that are to be converted
            first.
    """
    try:
        content = load_tensors(path)
    except (UnsafeFileError, BrokenFileError) as error:
        raise CheckpointError(str(error)) from error
    return state_of(content, path)


def state_of(content, path):
    """The state dict in what was loaded from a file; see :func:`read_state`."""
    try:
        state = unwrap(content, path)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    if bad := nonfinite_part(state):
        raise CheckpointError(f'{path}: {bad}; take an earlier one')
    if is_release(state):
        converted = Path(path).with_suffix('.pth' if Path(path).suffix != '.pth' else '.converted.pth')
        raise CheckpointError(f'{path}: weights of MA-HMR or SAT-HMR under their own names. Convert them: '
                              f'{CONVERTER.format(path, converted)}; then give {converted}')
    return state
