"""The safe on-disk format for people: a folder of flat ``.npy`` arrays with offsets, and ``schema.json``.

::

    TABLE/
      schema.json              version, counts, body model, provenance, config hash; dtype, row and unit of each column;
                               supervision: what can be learnt from it, where its samples said so; img_root: folder of
                               the images that it was made with, absolute or relative to TABLE, where it is known
      image.id.bytes.npy       (bytes,) uint8: the UTF-8 image ids one after the other
      image.id.offsets.npy     (images + 1,) int64 into image.id.bytes
      people.offsets.npy       (images + 1,) int64: image i has rows [offsets[i], offsets[i + 1]) of every people column
      image.<column>.npy       one row an image: the columns of ``IMAGE_COLUMNS`` that the samples have
      people.<column>.npy      one row a person: the fields of ``structures.FIELDS`` the samples have

No pickles, so reading executes nothing; arrays are memory-mapped; the same samples give the same bytes.
"""
import json
import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_json, map_npy
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import FIELDS, Camera, FieldSpec, HumanDataSample, People

FORMAT = 'mmhuman_dto.people_table'
VERSION = 1

#: Columns with one row an image: shape of a row, unit, numpy dtype.
IMAGE_COLUMNS = {
    'intrinsics': ((3, 3), 'px of the original image', 'float32'),
    'ori_shape': ((2, ), 'px, height and width of the original image', 'int32'),
    'quarter_turns': ((), 'how often LoadImage turns the stored image by 90 degrees clockwise', 'int8'),
    'focal_std': ((), 'standard deviation of the logarithm of the focal length', 'float32'),
    'optimised': ((), 'whether at least two people of a depth group were placed together', 'bool'),
    'height_deviation': ((), 'mean deviation from the height prior, in its standard deviations', 'float32'),
    'time': ((), 's, from the first frame of a clip on', 'float64'),
    'camera_pose': ((4, 4), 'world -> camera, m', 'float64'),
}
#: Of any column: what the builder writes and numbers, never objects.
_DTYPES = frozenset(str(np.dtype(kind)) for kind in '?bBhHiIlLefd')
#: What a table says once of all its images: whether meshes are 3D targets, whether everyone is annotated, joints of the
#: keypoints.
SUPERVISION = ('has_3d', 'fully_annotated', 'joint_set')
#: What tables of earlier releases call it.
_RENAMED = {'detect_all': 'fully_annotated'}
_PERSON_INDEX = FieldSpec('label', (), 'row in the initial annotations', floating=False)


def people_columns():
    """Columns with one row a person, by name: the fields of people as registered by now, but for masks and meshes."""
    rows = {name: spec for name, spec in FIELDS.items() if spec.kind not in ('mask', 'mesh')}
    return {**rows, 'person_index': _PERSON_INDEX}


class TableError(ValueError):
    """A table that cannot be written or read as it stands; the message names file, column and shape."""


class PeopleTableBuilder:
    """Collects samples, as plain rows, and writes them as one table.

    Args:
        body_model: name of the body model the poses, betas and translations belong to.
        provenance: JSON-able description of where the rows come from.
        config_hash: fingerprint of the config that made them.
        img_root: folder that the image ids are relative to, as of :func:`root_beside`; None: not said.
    """

    def __init__(self, body_model, provenance=None, config_hash='', img_root=None):
        self.about = dict(body_model=body_model, provenance=provenance or {}, config_hash=config_hash)
        if img_root is not None:
            self.about['img_root'] = str(img_root)
        self.ids, self.counts, self.rows, self.supervision = [], [], {}, {}

    def __len__(self):
        return len(self.ids)

    def add(self, sample):
        """Append one image: ``img_id``, people, intrinsics, and the metainfo that is a column or supervision.

        People and camera are the ``pred_`` ones (meshes to be placed, or placed), or else the ``gt_`` ones.

        Raises:
            TableError: other columns, row shapes or supervision than the images before, a value that is not finite, an
                id that is no UTF-8 text, or meshes that the sample says to be of another body model than the table's.
        """
        if printable(sample.img_id) != sample.img_id:
            raise TableError(f'{printable(sample.img_id)}: the name is no UTF-8 text; rename the picture')
        side = side_of(sample)
        self._check_meshes(sample, sample.get(f'{side}_instances'))
        rows, supervision = _sample_rows(sample, side), _supervision(sample)
        if self.ids:
            _check_same_columns(sample.img_id, rows, self.rows)
            if supervision != self.supervision:
                raise TableError(f'{sample.img_id}: supervision {supervision}, that of the images before is '
                                 f'{self.supervision}')
        self.supervision = supervision
        for name, value in rows.items():
            self.rows.setdefault(name, []).append(value)
        self.ids.append(sample.img_id)
        self.counts.append(len(sample.get(f'{side}_instances')))

    def _check_meshes(self, sample, people):
        theirs, ours = sample.get('body_model'), self.about['body_model']
        body_model = BODY_MODELS.get(ours) if theirs and ours and 'betas' in people else None
        try:
            if body_model is not None:
                body_model.check_meshes_of(theirs, sample.img_id)
        except BodyModelError as error:
            raise TableError(str(error)) from error

    def write(self, folder):
        """Write the table into ``folder``, which must not exist or be empty."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        encoded = [image_id.encode('utf-8') for image_id in self.ids]
        _write_index(folder, b''.join(encoded), [len(text) for text in encoded], self.counts)
        arrays = {name: np.concatenate(parts) for name, parts in self.rows.items()}
        for name, array in arrays.items():
            np.save(folder / f'{name}.npy', array, allow_pickle=False)
        about = dict(self.about, supervision=self.supervision) if self.supervision else self.about
        _write_schema(folder, about, len(self.ids), sum(self.counts), arrays)


class PeopleTable:
    """Random access to a table on disk; arrays stay memory-mapped until a sample is asked for.

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

    def __reduce__(self):
        """Processes that are started anew open the files themselves: pickled, memory-mapped arrays are sent whole."""
        return type(self), (self.folder.absolute(), )

    def __len__(self):
        return self.schema['num_images']

    @property
    def img_root(self):
        """Folder of the images that the table was made with, which may have gone since; None: it does not say."""
        said = self.schema.get('img_root')
        return None if said is None else Path(os.path.normpath(self.folder / said))

    def image_id(self, index):
        """Id of image ``index``: its path relative to the data root."""
        start, stop = self.id_offsets[index], self.id_offsets[index + 1]
        try:
            return self.id_bytes[start:stop].tobytes().decode('utf-8')
        except UnicodeDecodeError as error:
            raise TableError(f'{self.folder}: the id of image {index} is no UTF-8 text ({error})') from error

    def __getitem__(self, index):
        """Image ``index`` as a :class:`HumanDataSample` with ``pred_instances`` and ``pred_camera`` (CPU tensors)."""
        if not 0 <= index < len(self):
            raise IndexError(f'image {index} of a table with {len(self)} images')
        start, stop = self.people_offsets[index:index + 2]
        people = People(num_people=int(stop - start))
        sample = HumanDataSample(metainfo=dict(
            img_id=self.image_id(index), body_model=self.schema['body_model'], **self.schema.get('supervision', {})))
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
            array = map_npy(path)
        except (OSError, BrokenFileError) as error:
            raise TableError(f'{path}: cannot be read ({error})') from error
        if array.dtype != np.dtype(dtype) or array.shape != shape:
            raise TableError(f'{path}: holds {array.dtype} {array.shape}, the schema says {dtype} {shape}')
        return array


def root_beside(img_root, folder):
    """A folder of images as a table in ``folder`` names it: absolute where it is given so, else relative to the table,
    so that both can be moved together."""
    img_root = Path(img_root)
    return str(img_root) if img_root.is_absolute() else Path(os.path.relpath(img_root, folder)).as_posix()


def write_table_like(table, columns, folder, provenance, config_hash):
    """Write a table of the images and people of another one (:class:`PeopleTable`), with columns of its own.

    ``columns``: {'image.<column>' or 'people.<column>': array of all its rows}; the rest as of a builder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_index(folder, table.id_bytes.tobytes(), np.diff(table.id_offsets), np.diff(table.people_offsets))
    for name, array in columns.items():
        np.save(folder / f'{name}.npy', array, allow_pickle=False)
    about = dict(body_model=table.schema['body_model'], provenance=provenance, config_hash=config_hash)
    _write_schema(folder, about, len(table), table.schema['num_people'], columns)


def merge_tables(sources, folder):
    """Concatenate the tables in some folders, in order, into a new one, with one source open at a time.

    Raises:
        TableError: tables that differ in body model, provenance, config hash or columns.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    schemas = [_read_schema(Path(source)) for source in sources]
    about = {key: schemas[0][key] for key in ('body_model', 'provenance', 'config_hash', 'img_root')
             if key in schemas[0]}
    filled = next((schema for schema in schemas if schema['num_images']), schemas[0])
    columns = filled['columns']
    for source, schema in zip(sources, schemas):
        if {key: schema.get(key) for key in about} != about:
            raise TableError(f'{source} and {sources[0]}: made from different configs')
        if schema['num_images'] and schema['columns'] != columns:
            raise TableError(f'{source} and {sources[0]}: different columns')
        if schema['num_images'] and schema.get('supervision') != filled.get('supervision'):
            raise TableError(f'{source} and {sources[0]}: different supervision')
    if 'supervision' in filled:
        about['supervision'] = filled['supervision']
    totals = {'image': sum(schema['num_images'] for schema in schemas),
              'people': sum(schema['num_people'] for schema in schemas)}
    rows = {name: np.empty((0, *column['row']), column['dtype']) for name, column in columns.items()}
    _copy_tables(sources, rows, totals, folder)
    _write_schema(folder, about, totals['image'], totals['people'], rows)


def _copy_tables(sources, rows, totals, folder):
    """Append the rows of ``sources`` to files of columns like ``rows``, and write ids and offsets beside them."""
    ids, lengths, counts = [], [], []
    with ExitStack() as stack:
        files = {name: stack.enter_context(open(folder / f'{name}.npy', 'wb')) for name in rows}
        for name, file in files.items():
            # Not memory-mapped: a full disk would kill the process instead of raising an error.
            np.lib.format.write_array_header_1_0(file, dict(
                descr=np.lib.format.dtype_to_descr(rows[name].dtype), fortran_order=False,
                shape=(totals[name.split('.')[0]], *rows[name].shape[1:])))
        for source in sources:
            table = PeopleTable(source)
            ids.append(table.id_bytes.tobytes())
            lengths.append(np.diff(table.id_offsets))
            counts.append(np.diff(table.people_offsets))
            for name, column in table.columns.items():
                files[name].write(column.tobytes())
    _write_index(folder, b''.join(ids), np.concatenate(lengths), np.concatenate(counts))


def _write_index(folder, ids, lengths, counts):
    """Write image ids, their lengths in bytes and the people an image as bytes and offsets."""
    np.save(folder / 'image.id.bytes.npy', np.frombuffer(ids, np.uint8))
    for name, sizes in (('image.id.offsets', lengths), ('people.offsets', counts)):
        np.save(folder / f'{name}.npy', np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def side_of(sample):
    """Whose people of a sample a table holds: 'pred' where there are such, else 'gt'."""
    return 'pred' if 'pred_instances' in sample else 'gt'


def _supervision(sample):
    return {name: list(value) if isinstance(value := sample.metainfo[name], tuple) else value
            for name in SUPERVISION if name in sample.metainfo_keys()}


def _sample_rows(sample, side):
    """Column name -> array of this sample's rows."""
    rows, image, people = {}, dict(sample.metainfo), sample.get(f'{side}_instances')
    if f'{side}_camera' in sample:
        image['intrinsics'] = _numpy(sample.get(f'{side}_camera').intrinsics)
    for name, (row, _, dtype) in IMAGE_COLUMNS.items():
        if name in image:
            value = rows[f'image.{name}'] = np.asarray(image[name])[None].astype(dtype)
            if value.shape[1:] != row:
                raise TableError(f'{sample.img_id}: image.{name} has shape {value.shape[1:]}, expected {row}')
    for name, spec in people_columns().items():
        if name in people:
            value = _numpy(people[name])
            rows[f'people.{name}'] = value.astype(_dtype(value, spec))
            if spec.floating and spec.kind not in ('label', 'sides') and not np.isfinite(value).all():
                raise TableError(f'{sample.img_id}: people.{name} holds values that are not finite')
    return rows


def _dtype(value, spec):
    if spec.floating or spec.kind == 'valid' and value.dtype.kind == 'f':
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
    units.update((f'people.{name}', spec.unit) for name, spec in people_columns().items())
    columns = {name: dict(dtype=str(array.dtype), row=list(array.shape[1:]), unit=units[name])
               for name, array in arrays.items()}
    schema = dict(format=FORMAT, version=VERSION, num_images=num_images, num_people=num_people, **about,
                  columns=columns)
    (folder / 'schema.json').write_text(json.dumps(schema, indent=2, sort_keys=True) + '\n', encoding='utf-8')


def _read_schema(folder):
    path = folder / 'schema.json'
    try:
        schema = load_json(path)
    except FileNotFoundError:
        raise TableError(f'{path}: not found; a people table is a folder with schema.json and .npy files') from None
    except (UnsafeFileError, BrokenFileError) as error:
        raise TableError(str(error)) from error
    if not isinstance(schema, dict):
        raise TableError(f'{path}: holds a {type(schema).__name__}, expected an object')
    if schema.get('format') != FORMAT or schema.get('version') != VERSION:
        raise TableError(f'{path}: format {schema.get("format")!r} version {schema.get("version")!r}, '
                         f'this code reads {FORMAT!r} version {VERSION}')
    missing = {'num_images', 'num_people', 'body_model', 'provenance', 'config_hash', 'columns'} - schema.keys()
    if missing:
        raise TableError(f'{path}: lacks {sorted(missing)}')
    if not all(type(schema[name]) is int and schema[name] >= 0 for name in ('num_images', 'num_people')):
        raise TableError(f'{path}: {schema["num_images"]!r} images and {schema["num_people"]!r} people')
    if not isinstance(schema.get('img_root', ''), str) or '\0' in schema.get('img_root', ''):
        raise TableError(f'{path}: img_root is {schema["img_root"]!r}, expected the path of a folder')
    if not isinstance(schema['columns'], dict) or not isinstance(schema.get('supervision', {}), dict):
        raise TableError(f'{path}: columns and supervision must be objects')
    if 'supervision' in schema:
        schema['supervision'] = {_RENAMED.get(name, name): value for name, value in schema['supervision'].items()}
    known = {f'image.{name}' for name in IMAGE_COLUMNS} | {f'people.{name}' for name in people_columns()}
    unknown = schema['columns'].keys() - known
    if unknown:
        raise TableError(f'{path}: unknown columns {sorted(unknown)}; import the module that registers such fields of '
                         'people (structures.register_field) first, in a config by custom_imports')
    for name, column in schema['columns'].items():
        if not isinstance(column, dict) or column.get('dtype') not in _DTYPES or not _is_shape(column.get('row')):
            raise TableError(f'{path}: column {name} is {column!r}, expected a dtype of {sorted(_DTYPES)} and a row')
    return schema


def _is_shape(row):
    return isinstance(row, list) and all(type(size) is int and size >= 0 for size in row)
