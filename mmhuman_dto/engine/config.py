"""Typing errors in a Runner's config, found before anything is built."""
import difflib
import inspect
from functools import lru_cache

from mmengine.registry import Registry
from mmengine.runner import FlexibleRunner, Runner
from torch.utils.data import DataLoader

from mmhuman_dto import registry as registries
from mmhuman_dto.fileio.config import ConfigFileError

#: Keys besides those of the class named by ``type``, which MMEngine takes for itself.
_EXTRA = {'optim_wrapper': {'optimizer', 'constructor', 'paramwise_cfg'}}
_OF_LOADERS = {'num_batch_per_epoch', *inspect.signature(DataLoader).parameters}
_OF_ANY = {'type', 'priority', '_scope_', 'init_cfg'}


def check_options(options, config):
    """Raise ConfigFileError for an option (dotted key) that was merged into an entry which nothing reads: a typo."""
    for option in options:
        entry = option.split('.')[0]
        if '.' in option and entry not in entries_of_runners() and _is_made_by(options, entry, config):
            raise ConfigFileError(f'{option}: there is no entry {entry!r}{_suggest(entry, entries_of_runners())}')


def check_config(config):
    """Check a Runner's config, a dictionary, for names and arguments that nothing knows.

    Raises:
        ConfigFileError: with the key, and what is called alike.
    """
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        for key in (config.get(name) or {}).keys() - _OF_LOADERS:
            raise ConfigFileError(f'{name} has no option {key!r}{_suggest(key, _OF_LOADERS)}')
    _check_parts(config, '')


@lru_cache
def entries_of_runners():
    """What MMEngine's runners read of a config."""
    return {name for runner in (Runner, FlexibleRunner) for name in inspect.signature(runner).parameters}


def _is_made_by(options, entry, config):
    """Whether all that an entry of the config holds was put there by options."""
    return set(config[entry]) <= {option.split('.')[1] for option in options if option.startswith(f'{entry}.')}


def _check_parts(config, place):
    if isinstance(config, dict) and isinstance(config.get('type'), str):
        _check_part(config, place)
    for key, value in config.items() if isinstance(config, dict) else enumerate(config):
        if isinstance(value, (dict, list, tuple)):
            _check_parts(value, f'{place}.{key}' if place else str(key))


def _check_part(config, place):
    name, parts = config['type'], _parts()
    named = parts.get(name.removeprefix('mmhuman_dto.'))
    if named is None:
        if '.' not in name:
            raise ConfigFileError(f'{place}.type: nothing is registered as {name!r}{_suggest(name, parts)}')
        return
    # A stage and a transform may have one name.
    of_each = [_arguments(part) for part in named]
    if None in of_each:
        return
    known = set().union(*of_each)
    for key in sorted(config.keys() - known - _EXTRA.get(place.split('.')[-1], set()) - _OF_ANY):
        raise ConfigFileError(f'{place}: {name} has no option {key!r}{_suggest(key, known)}; '
                              f'options: {", ".join(sorted(known))}')


def _parts():
    """Whatever a config may name, name -> list."""
    ours = [value for value in vars(registries).values() if isinstance(value, Registry)]
    theirs = [value for value in vars(registries.mmengine_registries).values() if isinstance(value, Registry)]
    for registry in (*theirs, *ours):
        registry.import_from_location()
    found = {}
    for registry in (*theirs, *ours):
        for name, part in registry.module_dict.items():
            found.setdefault(name, []).append(part)
    return found


def _arguments(part):
    """Names of the arguments of a class with those of its bases, or of a function; None: it takes any."""
    owners = [owner for owner in getattr(part, '__mro__', ())[:-1] if '__init__' in vars(owner)] or [part]
    try:
        parameters = [parameter for owner in owners for parameter in inspect.signature(owner).parameters.values()]
    except (TypeError, ValueError):  # of C
        return None
    if getattr(part, '__module__', '').split('.')[0] not in ('mmhuman_dto', 'mmengine', 'torch') and any(
            parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters}


def _suggest(name, known):
    close = difflib.get_close_matches(str(name), sorted(known), 1)
    return f' (did you mean {close[0]!r}?)' if close else ''
