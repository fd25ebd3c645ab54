"""The people of one image as one file, ``.json`` for reading or ``.npz`` for computing; both read back the same.

::

    {"format": "mmhuman_dto.people", "version": 1,
     "coordinates": "...", "units": {"transl": "m, camera", ...},
     "image": {"img_id": "a.jpg", "ori_shape": [H, W], "intrinsics": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]],
               "body_model": "OpenBody", "focal_source": "guess", "focal_std": 0.3, "caveat": "...", ...},
     "people": [{"transl": [x, y, z], "heights": 1.71, ...}, ...]}

The ``.npz`` holds ``people.<field>`` with a row a person, ``image.intrinsics``, and the rest as JSON text in ``about``.
No pickles. Fields are those of ``structures.FIELDS``, pixels those of the original image. A folder of many images is a
:class:`~mmhuman_dto.tables.people_table.PeopleTable`.
"""
import json
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_json, load_npz
from mmhuman_dto.fileio.errors import reading
from mmhuman_dto.structures import Camera, HumanDataSample, People

from .people_table import people_columns

FORMAT, VERSION = 'mmhuman_dto.people', 1
COORDINATES = ('camera frame: x right, y down, z forward, metres; image pixels, a pixel centre at integer + 0.5; '
               'axis-angle poses; transl is the translation of the posed body, not its root joint')
#: What is said of the image, where the sample says it.
_ABOUT = ('img_id', 'ori_shape', 'body_model', 'joint_set', 'keypoint_set', 'focal_source', 'caveat', 'optimised',
          'height_deviation')


class PeopleFileError(ValueError):
    """A file that is not of this format; names it."""


def write_people(path, sample):
    """Write ``pred_instances`` and ``pred_camera`` of a sample, in px of the original image, to ``.json`` or ``.npz``.

    Raises:
        ValueError: another suffix.
    """
    path = Path(path)
    write = {'.json': _write_json, '.npz': _write_npz}.get(path.suffix)
    if write is None:
        raise ValueError(f'{path}: expected .json or .npz')
    people = sample.pred_instances
    columns = {name: spec for name, spec in people_columns().items() if name in people}
    fields = {name: _array(people[name], spec) for name, spec in columns.items()}
    about = dict(format=FORMAT, version=VERSION, coordinates=COORDINATES,
                 units={name: spec.unit for name, spec in columns.items()} | {'intrinsics': 'px'},
                 image={name: sample.get(name) for name in _ABOUT if name in sample})
    focal_std = float(sample.pred_camera.get('focal_std', np.nan))
    if np.isfinite(focal_std):
        about['image']['focal_std'] = focal_std
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, about, np.asarray(sample.pred_camera.intrinsics, np.float32), fields, len(people))


def read_people(path):
    """The :class:`HumanDataSample` that :func:`write_people` wrote, CPU tensors.

    Raises:
        PeopleFileError: not such a file.
    """
    path = Path(path)
    try:
        with reading(path, f'a file of {FORMAT} version {VERSION}'):
            about, intrinsics, fields, count = (_read_json if path.suffix == '.json' else _read_npz)(path)
            focal_std = about['image'].pop('focal_std', None)
            known = {} if focal_std is None else dict(focal_std=torch.tensor(float(focal_std)))
            image = {name: _plain(name, value) for name, value in about['image'].items()}
            people = People(num_people=count, **{name: torch.from_numpy(value) for name, value in fields.items()})
            return HumanDataSample(metainfo=image, pred_instances=people,
                                   pred_camera=Camera(intrinsics=torch.from_numpy(intrinsics), **known))
    except (OSError, UnsafeFileError, BrokenFileError) as error:
        raise PeopleFileError(str(error)) from error


def _array(value, spec):
    value = value.detach().cpu().numpy() if torch.is_tensor(value) else np.asarray(value)
    return value.astype(np.float32) if spec.floating else value


def _write_json(path, about, intrinsics, fields, count):
    # float32 in its shortest digits; JSON has no nan: null stands for unknown.
    columns = {name: _rounded(value) for name, value in fields.items()}
    about['image']['intrinsics'] = _rounded(intrinsics)
    about['dtypes'] = {name: str(value.dtype) for name, value in fields.items()}
    about['people'] = [{name: column[row] for name, column in columns.items()} for row in range(count)]
    path.write_text(json.dumps(about, indent=1, allow_nan=False) + '\n', encoding='utf-8')


def _rounded(values):
    if values.ndim:
        return [_rounded(value) for value in values]
    if values.dtype.kind != 'f':
        return values.item()
    return float(str(values)) if np.isfinite(values) else None


def _read_json(path):
    about = _checked(load_json(path))
    rows = about['people']
    fields = {}
    for name, dtype in about['dtypes'].items():
        if np.dtype(dtype).kind not in 'biuf':
            raise ValueError(f'{name} has dtype {dtype}, expected numbers')
        row = (0, *(size if isinstance(size, int) else 0 for size in people_columns()[name].row))
        column = np.array([row[name] for row in rows], float if dtype.startswith('f') else None)
        fields[name] = column.astype(dtype) if rows else np.zeros(row, dtype)
    return about, np.array(about['image'].pop('intrinsics'), np.float32), fields, len(rows)


def _write_npz(path, about, intrinsics, fields, count):
    arrays = {f'people.{name}': value for name, value in fields.items()}
    about['num_people'] = count
    np.savez_compressed(path, about=json.dumps(about), **{'image.intrinsics': intrinsics}, **arrays)


def _read_npz(path):
    with load_npz(path) as arrays:
        about = _checked(json.loads(arrays['about'].item()))
        fields = {name.removeprefix('people.'): arrays[name] for name in arrays if name.startswith('people.')}
        return about, arrays['image.intrinsics'], fields, about['num_people']


def _plain(name, value):
    """What a file says of its image: numbers and texts, or a short list of them."""
    if name not in _ABOUT or isinstance(value, dict):
        raise ValueError(f'it says {name} of its image')
    return tuple(value) if isinstance(value, list) else value


def _checked(about):
    if (about['format'], about['version']) != (FORMAT, VERSION):
        raise ValueError(f'it says {about["format"]} version {about["version"]}')
    return about
