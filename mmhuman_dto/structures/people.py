"""Per-person data of one image: rows of the field table, checked as they are set."""
import numpy as np
import torch
from mmengine.structures import InstanceData

from .fields import FIELDS


class People(InstanceData):
    """N people of one image; every field has N rows of the shape the field table states.

    Unlike MMEngine's ``InstanceData`` the number of people is kept from the first field on, also
    when it is 0, so an empty image cannot silently take rows of another one.

    Args:
        num_people: number of rows, for a container that starts without fields.
        **fields: arrays or tensors, N rows each.

    Raises:
        ValueError: a field with another number of rows, or another row shape than the table's.
    """

    def __init__(self, *, metainfo=None, num_people=None, **fields):
        self.__dict__['_num_people'] = num_people
        super().__init__(metainfo=metainfo, **fields)

    def __len__(self):
        return self._num_people or 0

    def __setattr__(self, name, value):
        if name in ('_metainfo_fields', '_data_fields'):
            super().__setattr__(name, value)
            return
        self.set_field(value, name)

    # MMEngine binds this name to its own unchecked setter.
    __setitem__ = __setattr__

    def set_field(self, value, name, dtype=None, field_type='data'):
        if field_type == 'data':
            self.__dict__['_num_people'] = self._rows(name, value)
        super().set_field(value, name, dtype=dtype, field_type=field_type)

    def _rows(self, name, value):
        try:
            rows = len(value)
        except TypeError:
            raise ValueError(f'people field {name!r} needs one row a person, got {type(value).__name__}') from None
        if self._num_people is not None and rows != self._num_people:
            raise ValueError(f'people field {name!r} has {rows} rows, this container holds {self._num_people} people')
        spec = FIELDS.get(name)
        if spec is not None and isinstance(value, (np.ndarray, torch.Tensor)):
            row = tuple(value.shape[1:])
            fits = len(row) == len(spec.row) and all(
                isinstance(want, str) or have == want for have, want in zip(row, spec.row))
            if not fits:
                raise ValueError(f'people field {name!r} has rows of shape {row}, expected {spec.row} ({spec.unit})')
        return rows

    def __getitem__(self, item):
        if isinstance(item, str):
            return getattr(self, item)
        if not self.keys():
            picked = np.arange(len(self))[item.cpu().numpy() if torch.is_tensor(item) else item]
            return type(self)(metainfo=self.metainfo, num_people=np.size(picked))
        if isinstance(item, (list, np.ndarray)) and len(item) == 0:
            item = torch.zeros(0, dtype=torch.long)
        return super().__getitem__(item)

    @property
    def pose(self):
        """Axis-angle of root and body joints, (N, 1 + P, 3), rad."""
        root = self.global_orient[:, None]
        cat = torch.cat if torch.is_tensor(root) else np.concatenate
        return cat([root, self.body_pose], 1)
