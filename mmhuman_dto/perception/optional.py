"""Packages and weights of other networks: asked for when a network is built, named when they are not there."""
import os

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.fileio.packages import require

#: What is fetched of a model on the Hugging Face hub: no pickles, no code, of several precisions the one that is
#: loaded; nothing of its folders, where checkpoints of the training and other formats are (``*`` matches ``/`` too).
_PLAIN_FILES, _FOLDERS = ('*.json', 'model.safetensors', 'model-*-of-*.safetensors'), '*/*'


class WeightsError(OSError):
    """Weights that are not there, or that cannot be loaded safely; the message says what to do."""


def refuse_url(path):
    """Raise :class:`WeightsError` for a URL: nothing is downloaded because a config says so."""
    if '://' in str(path):
        raise WeightsError(f'{path}: URLs are not fetched; download the file and name its path')


def load_transformers(auto_class, model, device=None, local_files_only=False, trust_remote_code=False):
    """A network of ``transformers`` and its image processor.

    Pixels are prepared by Pillow, whether torchvision is there or not. Weights are read from safetensors, or from
    ``.bin`` files that hold nothing but tensors.

    Args:
        auto_class: name of one of its auto classes, ``'AutoModelForDepthEstimation'`` for one.
        model: a folder written by ``save_pretrained``, or a name on the Hugging Face hub.
        device: None is a GPU where there is one.
        local_files_only: use what was downloaded before, never the network.
        trust_remote_code: run Python code that comes with the model.

    Returns:
        tuple: image processor, network on ``device`` in eval mode.

    Raises:
        ImportError: transformers is not installed.
        WeightsError: not there, of another kind, or with code of its own that was not allowed.
    """
    transformers = require('transformers', 'transformers')
    folder = _model_folder(str(model), local_files_only, trust_remote_code)
    options = dict(local_files_only=True, trust_remote_code=trust_remote_code)
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend='pil', **options)
        network = getattr(transformers, auto_class).from_pretrained(folder, **options)
    except ImportError:
        raise
    except Exception as error:  # transformers raises OSError, ValueError, RuntimeError, ... for unusable folders
        raise WeightsError(f'{model}: {_reason(error)}') from error
    return processor, network.to(pick_device(device)).eval()


def load_config(model, local_files_only=False):
    """The config of a model that :func:`load_transformers` loads; arguments and errors are its."""
    transformers = require('transformers', 'transformers')
    folder = _model_folder(str(model), local_files_only, False)
    try:
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise WeightsError(f'{model}: {_reason(error)}') from error


def _model_folder(model, local_files_only, trust_remote_code):
    """The folder of a model, fetched from the hub where it has to be."""
    refuse_url(model)
    if os.path.isdir(model):
        return model
    hub = require('huggingface_hub', 'transformers')
    patterns = [*_PLAIN_FILES, *(['*.py'] if trust_remote_code else [])]
    try:
        return hub.snapshot_download(model, local_files_only=local_files_only, allow_patterns=patterns,
                                     ignore_patterns=[_FOLDERS])
    except ValueError:
        raise WeightsError(f'{model}: no such folder, and no name of a model on the Hugging Face hub') from None
    except Exception as error:  # no network, no such model, no access: each its own class
        tried = 'not downloaded before, and local_files_only is set' if local_files_only else (
            f'the Hugging Face hub did not give it ({_reason(error)})')
        raise WeightsError(f'{model}: no such folder, and {tried}. Where there is a network: hf download {model} '
                           f'--local-dir DIR; then model=DIR') from error


def _reason(error):
    text = ' '.join(str(error).split())
    if 'trust_remote_code' in text:
        return 'it comes with Python code of its own, which is not run; if you trust it, set trust_remote_code=True'
    return text[:300]


def class_index(id2label, names, model):
    """Index of the first class whose name, in lower case, is among ``names``.

    Raises:
        WeightsError: there is none; ``model`` names it in the message.
    """
    for index, label in id2label.items():
        if str(label).lower() in names:
            return int(index)
    raise WeightsError(f'{model}: none of its classes is called {names[0]}: '
                       f'{", ".join(map(str, [*id2label.values()][:9]))}')


def in_batches(items, size):
    """Parts of a list, in order, of at most ``size`` items each."""
    return [items[start:start + size] for start in range(0, len(items), size)]


def by_shape(tensors, batch_size):
    """Indices of tensors of equal shape, at most ``batch_size`` together, as lists; every tensor once."""
    groups = {}
    for index, tensor in enumerate(tensors):
        groups.setdefault(tuple(tensor.shape), []).append(index)
    return [batch for group in groups.values() for batch in in_batches(group, batch_size)]
