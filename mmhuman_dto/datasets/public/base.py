"""What the readers of public layouts share: a sequence of images over one annotation file."""
from pathlib import Path

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.paths import path_below
from mmhuman_dto.structures import Camera, HumanDataSample

from .parsing import LayoutError, single


class Reader:
    """A sequence: ``len(reader)`` images, ``reader.ids[i]`` a path, ``reader[i]`` a :class:`HumanDataSample`.

    People and camera are CPU tensors in camera frame (x right, y down, z forward), metres, and pixels of the image as
    ``LoadImage`` gives it. The file is opened once; arrays are parsed when an image is asked for, so one bad image
    raises :class:`LayoutError` for itself alone. Of the file only the keys in use are kept.

    Args:
        ann_file: annotation file, relative to ``data_root``.
        img_prefix: folder the image ids are relative to, itself relative to ``data_root``.
        data_root: root of the data.

    Raises:
        LayoutError: file, image and key that do not follow the layout.
        UnsafeFileError: a pickle of anything but plain data.
        BrokenFileError: a damaged file.
    """
    #: Whose people these are: 'gt' annotations, 'pred' meshes that DTO starts from or has made.
    side = 'gt'
    #: What can be learnt from a sample, as metainfo: ``has_3d``, ``detect_all`` and the ``joint_set`` of keypoints.
    supervision = {}

    def __init__(self, ann_file, img_prefix='', data_root=''):
        self.path = Path(data_root) / ann_file
        self.img_root = Path(data_root) / img_prefix
        self.records = self._load()
        self.ids = list(self.records)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        img_id = self.ids[index]
        record = self.records[img_id]
        try:
            path = path_below(self.img_root, img_id)
            people, intrinsics, meta = self._parse(record, img_id)
        except ValueError as error:
            raise LayoutError(f'{self.path}: {img_id}: {error}') from error
        sample = HumanDataSample(metainfo=dict(img_id=img_id, img_path=path, **self.supervision, **meta))
        setattr(sample, f'{self.side}_instances', people)
        if intrinsics is not None:
            setattr(sample, f'{self.side}_camera', Camera(intrinsics=intrinsics))
        return sample

    def _load(self):
        """{image id: what :meth:`_parse` takes}, in the file's order."""
        raise NotImplementedError

    def _parse(self, record, img_id):
        """People, intrinsics (3, 3) or None, and further metainfo of one image."""
        raise NotImplementedError


class AnnotsReader(Reader):
    """A file with the single key ``annots`` = {image id: entry}."""
    #: Keys of an entry, and of the dictionaries in it, that are kept.
    keys = ()

    def _load(self):
        with load_npz(self.path) as arrays:
            annots = arrays.get('annots')
            if not isinstance(annots, dict):
                raise LayoutError(f'{self.path}: needs a key "annots", a dictionary of images, has {sorted(arrays)}')
        for img_id, record in annots.items():
            annots[img_id] = _only(record, self.keys)
        return annots


def _only(record, keys):
    """What a reader uses of an entry, in single precision."""
    if isinstance(record, dict):
        return {key: _only(value, keys) for key, value in record.items() if key in keys}
    if isinstance(record, np.ndarray) and record.dtype == object:
        return _only(record.tolist(), keys)
    if isinstance(record, (list, tuple)):
        return [_only(value, keys) for value in record]
    return single(record) if isinstance(record, np.ndarray) else record
