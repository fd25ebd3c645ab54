"""What the readers of public layouts share: a sequence of images over one annotation file."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.paths import path_below
from mmhuman_dto.structures import Camera, HumanDataSample

from .parsing import LayoutError, single


class Place(NamedTuple):
    """Where public instructions put a data set, in which it is found too."""
    root: str = ''  # folder of the set, below ``data``
    files: tuple[str, ...] = ('', )  # folders of its annotation files, below the root
    #: folder of the images, below the root; ``{split}`` stands for the split up to a ``_``, ``{folder}`` for the folder
    #: of the annotation file
    images: str = ''


class SetInfo(NamedTuple):
    """One data set; its files are in ``data/NAME`` or where ``public`` says, unless a user says otherwise."""
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
    public: Place | None = None  # where public instructions put it, if elsewhere

#: Where the public instructions of DTO-Humans put the sets of 4D-Humans.
FOUR_SETS = Place('', ('aic', 'coco2014', 'insta', 'mpii'), '{folder}/images')


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
    #: Whether the people may be of any body model, of which ``info`` names the usual one.
    any_body_model = False
    #: What a sample's metainfo says can be learnt from it: ``has_3d``, ``fully_annotated``, ``joint_set`` of keypoints.
    supervision = {}

    def __init__(self, ann_file, img_prefix='', data_root=''):
        self.path = Path(data_root) / ann_file
        self.img_root = Path(data_root) / img_prefix
        self.records = self._load()
        self.ids = list(self.records)

    @classmethod
    def find_files(cls, split, folder):
        """Paths of a split's annotation files below a folder, sorted: where the reader's docstring draws them, else
        where public instructions put them.

        Raises:
            FileNotFoundError: there is none.
        """
        info, folder = cls.info, Path(folder)
        patterns = cls._patterns(split)
        for places in patterns:
            if found := sorted(str(path.relative_to(folder)) for place in places for path in folder.glob(place)
                               if not path.name.startswith('.')):  # macOS's ._name is no annotation file
                return found
        elsewhere = [str(folder / place) for places in patterns[1:] for place in places]
        raise FileNotFoundError(f'{folder / info.splits[split]}: not found; it is the annotation file of {info.title}, '
                                f'{split}; see {info.url}' + (f'. Nor is {", ".join(elsewhere)}' if elsewhere else ''))

    @classmethod
    def default_root(cls, split, data='data'):
        """Folder of the set below ``data``: ``NAME``, or that of public instructions where its files are there."""
        roots = [Path(data) / cls.info.name] + ([Path(data) / cls.info.public.root] if cls.info.public else [])
        for places, root in ((places, root) for root in roots for places in cls._patterns(split)):
            if any(any(root.glob(place)) for place in places):
                return root
        return roots[0]

    @classmethod
    def image_folders(cls, split, ann_file):
        """Folders below ``data_root`` in which the images of an annotation file may be."""
        folders, public = [cls.info.images.format(split=split)], cls.info.public
        if public:
            folders.append(public.images.format(split=split.split('_')[0], folder=Path(ann_file).parent.as_posix()))
        return tuple(dict.fromkeys(folders))

    @classmethod
    def config(cls, split, ann_file, data_root, images=None, smpl='data/smpl'):
        """Config of the reader of one annotation file of a split; ``smpl`` is the folder of the body models."""
        images = cls.info.images.format(split=split) if images is None else images
        return dict(type=cls.__name__, ann_file=str(ann_file), data_root=str(data_root), img_prefix=str(images))

    @classmethod
    def _patterns(cls, split):
        """Patterns of a split's annotation files: the reader's own, and those of the public layout."""
        pattern, public = cls.info.splits[split], cls.info.public
        elsewhere = [str(Path(place) / Path(pattern).name) for place in public.files] if public else []
        return [[pattern], elsewhere] if elsewhere not in ([], [pattern]) else [[pattern]]

    @property
    def body_model(self):
        """Name of the body model of the file's people; None: they have joints only."""
        return self.info.body_model

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
