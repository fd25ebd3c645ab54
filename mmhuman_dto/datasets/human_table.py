"""A folder of images and a people table: what every real dataset becomes."""
import logging

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch.utils.data import Dataset

from mmhuman_dto.fileio.paths import path_below
from mmhuman_dto.registry import DATASETS
from mmhuman_dto.structures import FIELDS, HumanDataSample, People
from mmhuman_dto.tables.people_table import PeopleTable, TableError

from .agreement import disagreements
from .image_folders import image_folder
from .transforms import Pipeline

_LOGGER = logging.getLogger(__name__)
#: Of a table that says nothing about it.
_SUPERVISION = dict(has_3d=True, fully_annotated=True, joint_set='smpl45')


@DATASETS.register_module()
class HumanTable(Dataset):
    """Images on disk with the people of a :class:`PeopleTable`, which stays memory-mapped.

    ::

        DATA_ROOT/IMG_ID       the images; IMG_ID is the table's image id, a relative path
        TABLE/schema.json      see tables/people_table.py; written by tools/dataset_converters and tools/generate_dto
        TABLE/*.npy

    An item is a :class:`HumanDataSample` with ``gt_instances`` (the table's columns), ``gt_camera`` (intrinsics, px of
    the original image) where the table has cameras, and metainfo ``img_id``, ``img_path``, ``ori_shape``,
    ``img_shape`` (where the table has sizes), ``dataset`` (its name), ``body_model``, ``joint_set``, ``has_3d``,
    ``fully_annotated``. Pixels come from the transform ``LoadImage``. What does not go with the pictures (sizes,
    cameras, people outside of them) is warned of when the table is opened, by some of its images.

    Args:
        data_root: folder of the images. None, or a folder that is not there: the one that the table was made with.
        table: folder of the table.
        name: of the dataset; None: that of ``data_root``, or NAME of a table in ``NAME/tables/SPLIT``.
        has_3d: whether the meshes are 3D targets; False: their projection only. None: what the table says, else True.
        fully_annotated: whether everyone in an image is annotated. None: what the table says, else True.
        min_people: images with fewer people are left out.
        num_betas: shape coefficients an item has; fewer are filled up with zeros (an adult's child coefficient). With
            fewer than the table has, people whose further ones are not zero cannot be represented: they are left out,
            and their images no longer count as ``fully_annotated``. None: the table's.
        joint_set: joints of the table's keypoints, where it has any. None: what the table says, else 'smpl45'.
        pipeline: transforms.

    Raises:
        TableError: a broken table, or one that does not say where its images are, without ``data_root``.
        ValueError: no image with enough people.
        UnsafePathError: an image id that leads out of ``data_root``, when that image is asked for.
    """

    def __init__(self, data_root=None, table=None, name=None, has_3d=None, fully_annotated=None, min_people=0,
                 num_betas=None, joint_set=None, pipeline=()):
        if table is None:
            raise TableError('HumanTable needs table, the folder of a people table')
        self.table = PeopleTable(table)
        self.data_root = image_folder(data_root, self.table)
        for text in disagreements(self.table, self.data_root) if is_main_process() else ():
            _LOGGER.warning('%s: %s', table, text)
        self.name = name or (_name_of(self.table.folder, self.data_root) if data_root is None else self.data_root.name)
        self.num_betas = num_betas
        chosen = dict(has_3d=has_3d, fully_annotated=fully_annotated, joint_set=joint_set)
        said = self.table.schema.get('supervision', {})
        self.supervision = {name: said.get(name, default) if chosen[name] is None else chosen[name]
                            for name, default in _SUPERVISION.items()}
        self.rows = np.flatnonzero(np.diff(self.table.people_offsets) >= min_people)
        if len(self.rows) == 0:
            raise ValueError(f'{table}: none of its {len(self.table)} images has {min_people} people or more')
        self.pipeline = Pipeline(pipeline)
        #: A table of the same images and people whose columns stand in for this one's (DTORefreshHook), or None.
        self.labels = None
        self.metainfo = dict(dataset_name=self.name, body_model=self.table.schema['body_model'])

    def __len__(self):
        return len(self.rows)

    def image_id(self, index):
        """Id of the image of an item."""
        return self.table.image_id(int(self.rows[index]))

    def __getitem__(self, index):
        return self.pipeline(self._annotated(index))

    def __getitems__(self, indices):
        """A loader's batch, see :meth:`Pipeline.many`."""
        return self.pipeline.many([self._annotated(index) for index in indices])

    def _annotated(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f'image {index} of {len(self)}')
        index = int(self.rows[index])
        row = self.table[index]
        if self.labels is not None:
            newer = self.labels[index]
            row.pred_camera = newer.pred_camera
            for name, value in newer.pred_instances.items():
                row.pred_instances.set_field(value, name)
        return self._sample(row)

    def _sample(self, row):
        columns = {name: value for name, value in row.pred_instances.items() if name in FIELDS}
        people = People(num_people=len(row.pred_instances), **columns)
        everyone = people if self.num_betas is None or 'betas' not in people else self._with_betas(people)
        sample = HumanDataSample(metainfo={
            **row.metainfo, **self.supervision, 'img_path': path_below(self.data_root, row.img_id),
            'dataset': self.name})
        if len(everyone) < len(people):
            sample.set_metainfo(dict(fully_annotated=False))
        if 'ori_shape' in row:
            sample.set_metainfo(dict(img_shape=row.ori_shape))
        sample.gt_instances = everyone
        if 'pred_camera' in row:
            sample.gt_camera = row.pred_camera
        return sample

    def _with_betas(self, people):
        """Those people whose shape ``num_betas`` coefficients can say."""
        betas = people.betas
        fits = (betas[:, self.num_betas:] == 0).all(1)
        people = People(num_people=len(people), **{name: v for name, v in people.items() if name != 'betas'})[fits]
        missing = max(self.num_betas - betas.shape[1], 0)
        people.betas = torch.nn.functional.pad(betas[fits, :self.num_betas], (0, missing))
        return people


def _name_of(table, data_root):
    """NAME of a table in ``NAME/tables/SPLIT``, else the name of the folder of images."""
    parts = table.parts
    return parts[-3] if len(parts) >= 3 and parts[-2] == 'tables' else data_root.name
