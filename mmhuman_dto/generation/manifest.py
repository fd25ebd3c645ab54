"""``manifest.json``: what a generation folder is made from, so that only the same run can go on in it."""
import hashlib
import json
from pathlib import Path

import mmhuman_dto
from mmhuman_dto.fileio import load_json
from mmhuman_dto.fileio.atomic import write_atomically

FORMAT = 'mmhuman_dto.generation'
NAME = 'manifest.json'
#: Held while a run is at work; what it holds besides is for people.
LOCK = '.lock'


class GenerationError(RuntimeError):
    """The run cannot start or go on; the message says what to do."""


def fingerprint(config, ids):
    """SHA-256 over version, config values and image ids in order: equal for runs that make equal files."""
    text = json.dumps([mmhuman_dto.__version__, config], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode('utf-8'))
    for image in ids:
        digest.update(image.encode('utf-8') + b'\0')
    return digest.hexdigest()


def prepare_folder(folder, resume, config, ids):
    """Make ``folder`` ready for a run of a config over image ids, or to ``resume`` it, and return its manifest.

    Raises:
        GenerationError: the folder holds something and ``resume`` is off, or holds another run's files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = dict(format=FORMAT, version=mmhuman_dto.__version__, status='running', num_images=len(ids),
                    fingerprint=fingerprint(config, ids), config=config)
    manifest = json.loads(json.dumps(manifest, default=str))
    found = [path.name for path in folder.iterdir() if path.name not in (f'.{NAME}.tmp', LOCK)]
    if found and not resume:
        raise GenerationError(f'{folder} is not empty: go on with --resume, or take another --out-dir')
    if not found:
        write_manifest(folder, manifest)
        return manifest
    before = read_manifest(folder)
    if before['fingerprint'] != manifest['fingerprint']:
        raise GenerationError(f'{folder} was made from another config: {_difference(before, manifest)}. '
                              'Resume with the same config, options, annotations and --limit, or in another --out-dir')
    return before


def read_manifest(folder):
    """The manifest of a generation folder.

    Raises:
        GenerationError: there is none, or it is not one of ours.
    """
    path = Path(folder) / NAME
    try:
        manifest = load_json(path)
    except (OSError, ValueError) as error:
        raise GenerationError(f'{path}: not the manifest of a generation folder ({error})') from error
    if not isinstance(manifest, dict) or manifest.get('format') != FORMAT:
        raise GenerationError(f'{path}: expected an object with format {FORMAT!r}')
    return manifest


def write_manifest(folder, manifest):
    """Replace the manifest in one step."""
    text = json.dumps(manifest, indent=2, sort_keys=True, default=str) + '\n'
    write_atomically(Path(folder) / NAME, lambda path: path.write_text(text, encoding='utf-8'))


def _difference(before, after):
    """The first things in which two manifests differ, by dotted key."""
    old, new = _flatten(before['config']), _flatten(after['config'])
    keys = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if before['version'] != after['version']:
        return f'mmhuman_dto {before["version"]} then, {after["version"]} now'
    if before['num_images'] != after['num_images']:
        return f'{before["num_images"]} images then, {after["num_images"]} now'
    if not keys:
        return 'other images, or the same in another order'
    return ', '.join(f'{key} was {old.get(key)!r}, is {new.get(key)!r}' for key in keys[:3])


def _flatten(value, prefix=''):
    if not isinstance(value, (dict, list)):
        return {prefix: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {key: leaf for name, child in items
            for key, leaf in _flatten(child, f'{prefix}.{name}' if prefix else str(name)).items()}
