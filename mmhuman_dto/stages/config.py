"""A generator's config, checked key by key before anything runs: a typo is an error, not a silently unused value."""
import difflib
import inspect

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.dto import EvidenceExtractor
from mmhuman_dto.registry import BODY_MODELS, DEPTH_FILES, DTO_PRIORS, DTO_SOLVERS, DTO_TERMS, READERS, SOURCES, STAGES

#: Top-level keys: those a config must have, and what the others are when it does not.
REQUIRED = ('source', 'body_model', 'stages')
DEFAULTS = dict(data_root='', batch_size=16, shard_size=1000, contact_sheets=dict(every=0, rows=4), device='auto',
                num_threads=1)
#: What any stage may say besides its own arguments: which stage it comes before, what it asks of a Ray cluster.
_OF_ANY_STAGE = ('before', 'resources')
#: What a stage may ask of a Ray cluster: options of its workers there, and how many of them there are at most.
RESOURCES = ('num_cpus', 'num_gpus', 'memory', 'accelerator_type', 'resources', 'workers')
_MMENGINE = ('custom_imports', 'default_scope')
#: Arguments that are themselves configs of components.
_COMPONENTS = dict(source=SOURCES, meshes_of=BODY_MODELS, prior=DTO_PRIORS, solver=DTO_SOLVERS)


class ConfigError(ValueError):
    """A config that cannot be built; the message names the key and what is possible there."""


def checked_config(config):
    """The config with defaults filled in and its stages in the order they are run.

    A stage that is None is left out. One with ``before`` comes right before the stage that this names, the others as
    they stand. ``resources`` are left out: results do not depend on them.

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
    check_component('source', config['source'], READERS)
    check_component('body_model', config['body_model'], BODY_MODELS)
    for name, stage in _dictionary('stages', config['stages']).items():
        if stage is not None:
            _dictionary(f'stages.{name}', stage)
    stage_resources(config)
    config['stages'] = {name: {key: value for key, value in config['stages'][name].items() if key not in _OF_ANY_STAGE}
                        for name in _in_order(config['stages'])}
    for name, stage in config['stages'].items():
        check_component(f'stages.{name}', stage, STAGES)
    _check_meshes(config)
    return config


def _check_meshes(config):
    """Refuse meshes of another body model than the config's, which only the stage ConvertMeshes may change."""
    reader, body_model = READERS.get(config['source']['type']), BODY_MODELS.get(config['body_model']['type'])
    stated = None if getattr(reader, 'any_body_model', True) or not reader.info else reader.info.body_model
    asked = next((stage['meshes_of'] for stage in config['stages'].values() if stage['type'] == 'ConvertMeshes'), None)
    try:
        if asked is not None and stated:
            BODY_MODELS.get(asked['type']).check_meshes_of(stated, f'source {config["source"]["type"]}')
        elif stated and hasattr(body_model, 'check_meshes_of'):
            body_model.check_meshes_of(stated, f'source {config["source"]["type"]}')
    except BodyModelError as error:
        raise ConfigError(str(error)) from error


def check_needs(stages, given, wanted):
    """Check that every stage, and its source, finds what its class says it ``needs``.

    Args:
        stages: {name: stage config}, in order.
        given: what samples have before the first stage.
        wanted: what they must have after the last.

    Raises:
        ConfigError: something is needed that no stage before ``sets``.
    """
    have = set(given)
    for name, config in stages.items():
        stage = STAGES.get(config['type'])
        needs = stage.needs_of(config) if hasattr(stage, 'needs_of') else ()
        _check_there(f'stages.{name} ({config["type"]}) needs', needs, have)
        if 'source' in config:
            source = SOURCES.get(config['source']['type'])
            _check_there(f'stages.{name}.source ({config["source"]["type"]}) needs', getattr(source, 'needs', ()), have)
            have.update(getattr(source, 'sets', ()))
        have.update(getattr(stage, 'sets', ()))
    _check_there('the run ends with', wanted, have)


def _check_there(who, needs, have):
    for need in needs:
        if need not in have:
            setting = [name for registry in (STAGES, SOURCES) for name, part in registry.module_dict.items()
                       if need in getattr(part, 'sets', ())]
            raise ConfigError(f'{who} {need}, which no stage before sets; these would: {", ".join(setting)}')


def _in_order(stages):
    """Names of the stages that are run, in order."""
    before = {name: stage['before'] for name, stage in stages.items() if stage and 'before' in stage}
    for name, other in before.items():
        if other not in stages:
            raise ConfigError(f'stages.{name}.before: no stage is called {other!r}{_suggest(other, stages)}; '
                              f'stages: {", ".join(stages)}')

    def up_to(name):
        for other in before:
            if before[other] == name:
                yield from up_to(other)
        yield name

    order = [name for last in stages if last not in before for name in up_to(last)]
    circle = [name for name in stages if name not in order]
    if circle:
        raise ConfigError(f'stages that are to come before each other: {", ".join(circle)}')
    return [name for name in order if stages[name] is not None]


def stage_resources(config):
    """What the stages of a config ask of a Ray cluster, {name: {one of RESOURCES: value}}; most ask for nothing.

    Raises:
        ConfigError: an unknown key.
    """
    asked = {name: stage['resources'] for name, stage in config['stages'].items() if stage and stage.get('resources')}
    for name, resources in asked.items():
        _check_keys(f'stages.{name}.resources', resources, RESOURCES)
    return asked


def check_component(where, config, registry):
    """Check one component's config, ``where`` for messages, and those inside it, against the signature of its class."""
    known = sorted(registry.module_dict)
    if 'type' not in _dictionary(where, config):
        raise ConfigError(f'{where} has no type; known: {", ".join(known)}')
    component = registry.get(config['type'])
    if component is None:
        raise ConfigError(f'{where}: no {registry.name} is called {config["type"]!r}'
                          f'{_suggest(config["type"], known)}; known: {", ".join(sorted(registry.module_dict))}')
    arguments = {key: value for key, value in config.items() if key != 'type'}
    _check_call(f'{where} ({component.__name__})', component, arguments)
    parameters = inspect.signature(component).parameters
    for key, value in arguments.items():
        if value is None and key in parameters and parameters[key].default is None:
            continue
        if key in _COMPONENTS:
            check_component(f'{where}.{key}', value, _COMPONENTS[key])
        elif key == 'terms':
            for name, term in value.items():
                if term is not None:
                    check_component(f'{where}.terms.{name}', term, DTO_TERMS)
        elif key == 'layout':
            _check_layout(f'{where}.layout', value)
        elif key == 'evidence':
            _check_call(f'{where}.evidence', EvidenceExtractor, value)


def _check_layout(where, config):
    """Check the config of a layout of depth files, which its source gives a folder, and where it has none a type."""
    name, known = _dictionary(where, config).get('type'), sorted(DEPTH_FILES.module_dict)
    if name is not None and name not in known:
        raise ConfigError(f'{where}: no {DEPTH_FILES.name} is called {name!r}{_suggest(name, known)}; known: '
                          f'{", ".join(known)}')
    if name is not None:
        arguments = {key: value for key, value in config.items() if key != 'type'}
        _check_call(where, DEPTH_FILES.get(name), {**arguments, 'folder': ''})


def _dictionary(where, config):
    if not isinstance(config, dict):
        raise ConfigError(f'{where} must be a dictionary, is {config!r}')
    return config


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
