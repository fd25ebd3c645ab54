"""The safe on-disk format for people: a folder of flat ``.npy`` arrays with offsets, and ``schema.json``.

::

    TABLE/
      schema.json              version, counts, body model, provenance, config hash; dtype, row and unit of each column
      image.id.bytes.npy       (bytes,) uint8: the UTF-8 image ids one after the other
      image.id.offsets.npy     (images + 1,) int64 into image.id.bytes
      people.offsets.npy       (images + 1,) int64: image i has rows [offsets[i], offsets[i + 1]) of every people column
      image.<column>.npy       one row an image: intrinsics, ori_shape, optimised, height_deviation
      people.<column>.npy      one row a person: the fields of ``structures.FIELDS`` the samples have

No pickles, so reading executes nothing; arrays are memory-mapped; the same samples give the same bytes.
"""
import json
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.structures import FIELDS, Camera, FieldSpec, HumanDataSample, People

FORMAT = 'mmhuman_dto.people_table'
VERSION = 1

#: Columns with one row an image: shape of a row, unit, numpy dtype.
IMAGE_COLUMNS = {
    'intrinsics': ((3, 3), 'px of the original image', 'float32'),
    'ori_shape': ((2, ), 'px, height and width of the original image', 'int32'),
    'optimised': ((), 'whether at least two people of a depth group were placed together', 'bool'),
    'height_deviation': ((), 'mean deviation from the height prior, in its standard deviations', 'float32'),
}
#: Columns with one row a person. Masks are images, not rows of a table.
PEOPLE_COLUMNS = {name: spec for name, spec in FIELDS.items() if spec.kind != 'mask'}
PEOPLE_COLUMNS['person_index'] = FieldSpec('label', (), 'row in the initial annotations', floating=False)


class TableError(ValueError):
    """A table that cannot be written or read as it stands; the message names file, column and shape."""


class PeopleTableBuilder:
    """Collects samples, as plain rows, and writes them as one table.

    Args:
        body_model: name of the body model the poses, betas and translations belong to.
        provenance: JSON-able description of where the rows come from.
        config_hash: fingerprint of the config that made them.
    """

    def __init__(self, body_model, provenance=None, config_hash=''):
        self.about = dict(body_model=body_model, provenance=provenance or {}, config_hash=config_hash)
        self.ids, self.counts, self.rows = [], [], {}

    def __len__(self):
        return len(self.ids)

    def add(self, sample):
        """Append one image: ``img_id``, ``pred_instances``, ``pred_camera.intrinsics`` and the image columns it has.

        Raises:
            TableError: other columns or row shapes than the images before, or a value that is not finite.
        """
        rows = _sample_rows(sample)
        if self.ids:
            _check_same_columns(sample.img_id, rows, self.rows)
        for name, value in rows.items():
            self.rows.setdefault(name, []).append(value)
        self.ids.append(sample.img_id)
        self.counts.append(len(sample.pred_instances))

    def write(self, folder):
        """Write the table into ``folder``, which must not exist or be empty."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        encoded = [image_id.encode('utf-8') for image_id in self.ids]
        arrays = {'image.id.bytes': np.frombuffer(b''.join(encoded), np.uint8),
                  'image.id.offsets': _offsets(map(len, encoded)),
                  'people.offsets': _offsets(self.counts)}
        arrays.update((name, np.concatenate(parts)) for name, parts in self.rows.items())
        for name, array in arrays.items():
            np.save(folder / f'{name}.npy', array, allow_pickle=False)
        _write_schema(folder, self.about, len(self.ids), sum(self.counts),
                      {name: arrays[name] for name in self.rows})


class PeopleTable:
    """Random access to a table on disk; arrays stay memory-mapped until a sample is asked for.

    Args:
        folder: the table's folder.

    Raises:
        TableError: a missing or unknown schema, or a file whose dtype or shape is not what the schema says.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.schema = _read_schema(self.folder)
        images, people = self.schema['num_images'], self.schema['num_people']
        self.id_offsets = self._open('image.id.offsets', 'int64', (images + 1, ))
        self.people_offsets = self._open('people.offsets', 'int64', (images + 1, ))
        self.id_bytes = self._open('image.id.bytes', 'uint8', (int(self.id_offsets[-1]), ))
        for offsets, total, name in ((self.id_offsets, len(self.id_bytes), 'image.id.offsets'),
                                     (self.people_offsets, people, 'people.offsets')):
            if offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < 0).any():
                raise TableError(f'{self.folder / name}.npy: offsets must rise from 0 to {total}')
        self.columns = {}
        for name, column in self.schema['columns'].items():
            rows = images if name.startswith('image.') else people
            self.columns[name] = self._open(name, column['dtype'], (rows, *column['row']))

    def __len__(self):
        return self.schema['num_images']

    def image_id(self, index):
        """Id of image ``index``: its path relative to the data root."""
        start, stop = self.id_offsets[index], self.id_offsets[index + 1]
        return self.id_bytes[start:stop].tobytes().decode('utf-8')

    def __getitem__(self, index):
        """Image ``index`` as a :class:`HumanDataSample` with ``pred_instances`` and ``pred_camera`` (CPU tensors)."""
        if not 0 <= index < len(self):
            raise IndexError(f'image {index} of a table with {len(self)} images')
        start, stop = self.people_offsets[index:index + 2]
        people = People(num_people=int(stop - start))
        sample = HumanDataSample(metainfo=dict(img_id=self.image_id(index), body_model=self.schema['body_model']))
        for name, column in self.columns.items():
            level, field = name.split('.')
            if level == 'people':
                people.set_field(torch.from_numpy(np.array(column[start:stop])), field)
            elif field == 'intrinsics':
                sample.pred_camera = Camera(intrinsics=torch.from_numpy(np.array(column[index])))
            else:
                value = column[index].tolist()
                sample.set_metainfo({field: tuple(value) if isinstance(value, list) else value})
        sample.pred_instances = people
        return sample

    def _open(self, name, dtype, shape):
        path = self.folder / f'{name}.npy'
        try:
            array = np.load(path, mmap_mode='r', allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise TableError(f'{path}: cannot be read ({error})') from error
        if array.dtype != np.dtype(dtype) or array.shape != shape:
            raise TableError(f'{path}: holds {array.dtype} {array.shape}, the schema says {dtype} {shape}')
        return array


def merge_tables(sources, folder):
    """Concatenate tables, in order, into a new one, copying one column of one source at a time.

    Args:
        sources: folders of tables written with the same body model and columns.
        folder: folder of the new table.

    Raises:
        TableError: tables that differ in body model, provenance, config hash or columns.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = [PeopleTable(source) for source in sources]
    about = {key: tables[0].schema[key] for key in ('body_model', 'provenance', 'config_hash')}
    filled = [table for table in tables if len(table)]
    columns = filled[0].schema['columns'] if filled else {}
    for table in tables:
        if {key: table.schema[key] for key in about} != about:
            raise TableError(f'{table.folder} and {tables[0].folder}: made from different configs')
        if len(table) and table.schema['columns'] != columns:
            raise TableError(f'{table.folder} and {filled[0].folder}: different columns')
    counts = np.concatenate([np.diff(table.people_offsets) for table in tables])
    lengths = np.concatenate([np.diff(table.id_offsets) for table in tables])
    np.save(folder / 'image.id.offsets.npy', _offsets(lengths))
    np.save(folder / 'people.offsets.npy', _offsets(counts))
    _concatenate(folder / 'image.id.bytes.npy', [table.id_bytes for table in tables])
    for name in columns:
        _concatenate(folder / f'{name}.npy', [table.columns[name] for table in filled])
    merged = {name: np.load(folder / f'{name}.npy', mmap_mode='r') for name in columns}
    _write_schema(folder, about, len(counts), int(counts.sum()), merged)


def _concatenate(path, arrays):
    shape = (sum(len(array) for array in arrays), *arrays[0].shape[1:])
    out = np.lib.format.open_memmap(path, 'w+', arrays[0].dtype, shape)
    start = 0
    for array in arrays:
        out[start:start + len(array)] = array
        start += len(array)
    out.flush()


def _offsets(lengths):
    return np.concatenate([[0], np.cumsum(np.fromiter(lengths, np.int64))]).astype(np.int64)


def _sample_rows(sample):
    """Column name -> array of this sample's rows."""
    rows = {}
    if 'pred_camera' in sample:
        rows['image.intrinsics'] = _numpy(sample.pred_camera.intrinsics)[None]
    for name in IMAGE_COLUMNS:
        if name in sample.metainfo_keys():
            rows[f'image.{name}'] = np.asarray(sample.metainfo[name])[None]
    for name, row, dtype in ((f'image.{name}', row, dtype) for name, (row, _, dtype) in IMAGE_COLUMNS.items()):
        if name in rows:
            rows[name] = rows[name].astype(dtype)
            if rows[name].shape[1:] != row:
                raise TableError(f'{sample.img_id}: {name} has shape {rows[name].shape[1:]}, expected {row}')
    for name, spec in PEOPLE_COLUMNS.items():
        if name in sample.pred_instances:
            value = _numpy(sample.pred_instances[name])
            rows[f'people.{name}'] = value.astype(_dtype(value, spec))
            if spec.floating and spec.kind != 'label' and not np.isfinite(value).all():
                raise TableError(f'{sample.img_id}: people.{name} holds values that are not finite')
    return rows


def _dtype(value, spec):
    if spec.floating:
        return np.float32
    return np.bool_ if value.dtype == np.bool_ else np.int64


def _numpy(value):
    return value.detach().cpu().numpy() if torch.is_tensor(value) else np.asarray(value)


def _check_same_columns(image_id, rows, before):
    want = {name: (parts[0].dtype, parts[0].shape[1:]) for name, parts in before.items()}
    have = {name: (value.dtype, value.shape[1:]) for name, value in rows.items()}
    if have != want:
        names = sorted(name for name in want.keys() | have.keys() if want.get(name) != have.get(name))
        detail = ', '.join(f'{name} {have.get(name, "absent")} (table: {want.get(name, "absent")})' for name in names)
        raise TableError(f'{image_id}: columns differ from the images before: {detail}')


def _write_schema(folder, about, num_images, num_people, arrays):
    units = {f'image.{name}': unit for name, (_, unit, _) in IMAGE_COLUMNS.items()}
    units.update((f'people.{name}', spec.unit) for name, spec in PEOPLE_COLUMNS.items())
    columns = {name: dict(dtype=str(array.dtype), row=list(array.shape[1:]), unit=units[name])
               for name, array in arrays.items()}
    schema = dict(format=FORMAT, version=VERSION, num_images=num_images, num_people=num_people, **about,
                  columns=columns)
    (folder / 'schema.json').write_text(json.dumps(schema, indent=2, sort_keys=True) + '\n', encoding='utf-8')


def _read_schema(folder):
    path = folder / 'schema.json'
    try:
        schema = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise TableError(f'{path}: not found; a people table is a folder with schema.json and .npy files') from None
    except json.JSONDecodeError as error:
        raise TableError(f'{path}: not valid JSON ({error})') from error
    if schema.get('format') != FORMAT or schema.get('version') != VERSION:
        raise TableError(f'{path}: format {schema.get("format")!r} version {schema.get("version")!r}, '
                         f'this code reads {FORMAT!r} version {VERSION}')
    missing = {'num_images', 'num_people', 'body_model', 'provenance', 'config_hash', 'columns'} - schema.keys()
    if missing:
        raise TableError(f'{path}: lacks {sorted(missing)}')
    known = {f'image.{name}' for name in IMAGE_COLUMNS} | {f'people.{name}' for name in PEOPLE_COLUMNS}
    unknown = schema['columns'].keys() - known
    if unknown:
        raise TableError(f'{path}: unknown columns {sorted(unknown)}')
    return schema
