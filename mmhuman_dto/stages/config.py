"""A generator's config, checked key by key before anything runs: a typo is an error, not a silently unused value."""
import difflib
import inspect

from mmhuman_dto.dto import EvidenceExtractor
from mmhuman_dto.registry import BODY_MODELS, DTO_PRIORS, DTO_SOLVERS, DTO_TERMS, SOURCES, STAGES

#: Top-level keys: those a config must have, and what the others are when it does not.
REQUIRED = ('source', 'body_model', 'stages')
DEFAULTS = dict(data_root='', batch_size=16, shard_size=1000, contact_sheets=dict(every=0, rows=4), device='auto',
                num_threads=1)
#: What a stage may ask of a Ray cluster: options of its workers there, and how many of them there are at most.
RESOURCES = ('num_cpus', 'num_gpus', 'memory', 'accelerator_type', 'resources', 'workers')
_MMENGINE = ('custom_imports', 'default_scope')
#: Arguments that are themselves configs of components.
_COMPONENTS = dict(source=SOURCES, prior=DTO_PRIORS, solver=DTO_SOLVERS)


class ConfigError(ValueError):
    """A config that cannot be built; the message names the key and what is possible there."""


def checked_config(config):
    """The config with defaults filled in, without the ``resources`` of its stages: results do not depend on them.

    Args:
        config: dictionary with ``source``, ``body_model``, ``stages`` ({name: stage config}) and, optionally, the keys
            of ``DEFAULTS``.

    Raises:
        ConfigError: missing or unknown keys, at the top or in a component, or an unknown component.
    """
    missing = [key for key in REQUIRED if key not in config]
    if missing:
        raise ConfigError(f'the config lacks {", ".join(missing)}')
    _check_keys('the config', config, (*REQUIRED, *DEFAULTS, *_MMENGINE))
    config = {**DEFAULTS, **config}
    _check_keys('contact_sheets', config['contact_sheets'], DEFAULTS['contact_sheets'])
    config['contact_sheets'] = {**DEFAULTS['contact_sheets'], **config['contact_sheets']}
    for key in ('batch_size', 'shard_size', 'num_threads'):
        if config[key] < 1:
            raise ConfigError(f'{key} must be at least 1, is {config[key]}')
    check_component('source', config['source'], SOURCES)
    check_component('body_model', config['body_model'], BODY_MODELS)
    stage_resources(config)
    config['stages'] = {name: {key: value for key, value in stage.items() if key != 'resources'}
                        for name, stage in config['stages'].items()}
    for name, stage in config['stages'].items():
        check_component(f'stages.{name}', stage, STAGES)
    return config


def stage_resources(config):
    """What the stages of a config ask of a Ray cluster, {name: {one of RESOURCES: value}}; most ask for nothing.

    Raises:
        ConfigError: an unknown key.
    """
    asked = {name: stage['resources'] for name, stage in config['stages'].items() if stage.get('resources')}
    for name, resources in asked.items():
        _check_keys(f'stages.{name}.resources', resources, RESOURCES)
    return asked


def check_component(where, config, registry):
    """Check one component's config, and those inside it, against the signature of its class.

    Args:
        where: dotted key of the config, for messages.
        config: dictionary with ``type`` and arguments.
        registry: where ``type`` is registered.
    """
    if 'type' not in config:
        raise ConfigError(f'{where} has no type; known: {", ".join(sorted(_known(registry)))}')
    component = registry.get(config['type'])
    if component is None:
        raise ConfigError(f'{where}: no {registry.name} is called {config["type"]!r}'
                          f'{_suggest(config["type"], _known(registry))}; known: {", ".join(sorted(_known(registry)))}')
    arguments = {key: value for key, value in config.items() if key != 'type'}
    _check_call(f'{where} ({component.__name__})', component, arguments)
    for key, value in arguments.items():
        if key in _COMPONENTS and isinstance(value, dict):
            check_component(f'{where}.{key}', value, _COMPONENTS[key])
        elif key == 'terms':
            for name, term in value.items():
                if term is not None:
                    check_component(f'{where}.terms.{name}', term, DTO_TERMS)
        elif key == 'evidence' and value is not None:
            _check_call(f'{where}.evidence', EvidenceExtractor, value)


def _check_call(where, component, arguments):
    parameters = inspect.signature(component).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        _check_keys(where, arguments, [parameter.name for parameter in parameters])
    absent = [parameter.name for parameter in parameters
              if parameter.default is parameter.empty and parameter.name not in arguments
              and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)]
    if absent:
        raise ConfigError(f'{where} needs {", ".join(absent)}')


def _check_keys(where, config, known):
    for key in config:
        if key not in known:
            raise ConfigError(f'{where} has no option {key!r}{_suggest(key, known)}; options: {", ".join(known)}')


def _suggest(name, known):
    close = difflib.get_close_matches(str(name), list(known), 1)
    return f' (did you mean {close[0]!r}?)' if close else ''


def _known(registry):
    return registry.module_dict.keys()
