"""What the readers of public layouts share: a sequence of images over one annotation file."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.paths import path_below
from mmhuman_dto.structures import Camera, HumanDataSample

from .parsing import LayoutError, single


class SetInfo(NamedTuple):
    """One data set; its files are in ``data/NAME`` unless a user says otherwise."""
    name: str  # by which the converter and the folders of recipes know it
    title: str  # what it is called
    url: str  # where it comes from, or the page that says how it is made
    #: split -> path of its annotation file below ``data_root``; ``*`` stands for anything, so for several
    splits: dict[str, str]
    images: str = ''  # folder of the images, relative to ``data_root``; ``{split}`` stands for the split
    body_model: str | None = 'SMPL'  # name of the body model of its people; None: it has joints only
    #: shape coefficients of a person in its table, fewer are filled up with zeros; None: the reader's
    num_betas: int | None = None
    #: type of the metric that its tables are scored with (``METRICS``); None: it is for training alone
    metric: str | None = None
    left_out: tuple[str, ...] = ()  # fields of the reader that the table does not take over
    #: whether the table has images without people too; None: it cannot, as the layout says nothing else of them, such
    #: as their camera
    keep_empty: bool | None = False


class Reader:
    """A sequence: ``len(reader)`` images, ``reader.ids[i]`` a path, ``reader[i]`` a :class:`HumanDataSample`.

    People and camera are CPU tensors in camera frame (x right, y down, z forward), metres, and pixels of the image as
    ``LoadImage`` gives it. The file is opened once; arrays are parsed when an image is asked for, so one bad image
    raises :class:`LayoutError` for itself alone. Of the file only the keys in use are kept.

    Args:
        ann_file: annotation file, relative to ``data_root``.
        img_prefix: folder the image ids are relative to, itself relative to ``data_root``.

    Raises:
        LayoutError: file, image and key that do not follow the layout.
        UnsafeFileError: a pickle of anything but plain data.
        BrokenFileError: a damaged file.
    """
    #: :class:`SetInfo` of the data set whose files these are; None: readers that share code only.
    info = None
    #: Whose people these are: 'gt' annotations, 'pred' meshes that DTO starts from or has made.
    side = 'gt'
    #: What a sample's metainfo says can be learnt from it: ``has_3d``, ``fully_annotated``, ``joint_set`` of keypoints.
    supervision = {}

    def __init__(self, ann_file, img_prefix='', data_root=''):
        self.path = Path(data_root) / ann_file
        self.img_root = Path(data_root) / img_prefix
        self.records = self._load()
        self.ids = list(self.records)

    @classmethod
    def find_files(cls, split, folder):
        """Paths of a split's annotation files below a folder, sorted.

        Raises:
            FileNotFoundError: there is none.
        """
        info, folder = cls.info, Path(folder)
        found = sorted(str(path.relative_to(folder)) for path in folder.glob(info.splits[split])
                       if not path.name.startswith('.'))  # macOS's ._name is no annotation file
        if not found:
            raise FileNotFoundError(f'{folder / info.splits[split]}: not found; it is the annotation file of '
                                    f'{info.title}, {split}; see {info.url}')
        return found

    @classmethod
    def config(cls, split, ann_file, data_root, images=None, smpl='data/smpl'):
        """Config of the reader of one annotation file of a split; ``smpl`` is the folder of the body models."""
        images = cls.info.images.format(split=split) if images is None else images
        return dict(type=cls.__name__, ann_file=str(ann_file), data_root=str(data_root), img_prefix=str(images))

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
