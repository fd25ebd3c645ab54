"""Networks by config and checkpoint, or by the name of what comes with the package."""
from pathlib import Path

from mmhuman_dto.fileio.bundled import BUNDLED, find_config
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.release import CONVERTER, RELEASE_FILES, RELEASE_PAGE
from mmhuman_dto.fileio.tensors import read_metadata
from mmhuman_dto.registry import MODELS

from .checkpoint import load_weights
from .device import pick_device

#: The network that is used where none is named.
DEFAULT_MODEL = 'movenet_synthetic-crowd'
#: Weights that come with the package, by the name of their config.
BUNDLED_WEIGHTS = str(BUNDLED / 'demo/resources/{name}.safetensors')

#: Parts of a network that only training uses.
_TRAINING_ONLY = ('criterion', 'targets', 'denoising', 'init_cfg')


def init_model(config=DEFAULT_MODEL, checkpoint=None, device=None):
    """A network with its weights, ready to predict; ``caveat`` is what the weights' file says must be known of them.

    Args:
        config: config file, or the name of a shipped one (``'movenet_synthetic-crowd'``).
        checkpoint: weights; None: those that come with the package under the config's name.
        device: ``'cpu'``, ``'cuda:0'``, ...; None: a GPU where there is one.

    Raises:
        FileNotFoundError: no such config, weights or body model; says what to do.
        CheckpointError: the weights are of another network.
    """
    path = find_config(config)
    config = read_config(path)
    if 'model' not in config:
        raise ValueError(f'{path}: configures no model')
    checkpoint = Path(checkpoint or BUNDLED_WEIGHTS.format(name=path.stem))
    if not checkpoint.is_file():
        raise FileNotFoundError(f'{checkpoint}: no such weights; give a checkpoint that fits {path}, '
                                f'{_where_from(path.stem)}')
    model = MODELS.build(for_inference(config.model.to_dict()))
    load_weights(model, checkpoint)
    model.caveat = read_metadata(checkpoint).get('caveat', '')
    return model.to(pick_device(device)).eval()


def _where_from(name):
    if name not in RELEASE_FILES:
        return 'such as tools/train.py or tools/model_converters write it'
    file = RELEASE_FILES[name]
    return (f'such as {file}, which {RELEASE_PAGE} links to (CC BY-NC), after '
            f'{CONVERTER.format(file, f"data/weights/{name}.pth")}; see docs/tutorials/published_weights.md')


def for_inference(config):
    """A model's config without what only training needs: losses, files that weights start from."""
    kept = {key: for_inference(value) if isinstance(value, dict) else value
            for key, value in config.items() if key not in _TRAINING_ONLY}
    return {key: None if key == 'mean_params' else value for key, value in kept.items()}
