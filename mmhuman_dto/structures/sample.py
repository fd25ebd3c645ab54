"""One image through the whole flow: datasets, transforms, model, DTO, metrics, pictures."""
from mmengine.structures import BaseDataElement

from .people import People


class Camera(BaseDataElement):
    """Pinhole camera of one image: ``intrinsics`` (3, 3), px of the current image.

    Optional: vertical ``fov``, rad, and ``focal_std``, the standard deviation of the logarithm of the focal length.
    """


class Maps(BaseDataElement):
    """Per-pixel data of the current image.

    ``disparity`` (H, W) relative inverse depth, ``depth`` (H, W) in m, ``id_map`` (H, W) integers with 0 nobody and
    i + 1 person i, ``z_map`` (H, W) mesh z in m with 0 where no mesh is.
    """


class HumanDataSample(BaseDataElement):
    """What is known and predicted of one image.

    Data: ``gt_instances``, ``pred_instances``, ``ignored_instances`` (:class:`People`), ``gt_camera``,
    ``pred_camera`` (:class:`Camera`), ``gt_maps``, ``pred_maps`` (:class:`Maps`).
    Metainfo: ``img_path``, ``img_id`` (path relative to the data root, the key in annotation files), ``ori_shape`` and
    ``img_shape`` (h, w), ``warp`` (3, 3; original -> current px), ``body_model``, ``joint_set``. What a network
    predicted comes in pixels of the original image, the truth along with it; ``input_shape`` and ``input_warp`` are
    those of what it saw (:func:`to_original`).
    In DTO ``pred_instances`` holds the meshes to be placed: first the initial ones, then the optimised ones.
    """

    _TYPES = {'instances': People, 'camera': Camera, 'maps': Maps}

    def set_field(self, value, name, dtype=None, field_type='data'):
        suffix = name.rsplit('_', 1)[-1]
        want = self._TYPES.get(suffix) if name.split('_')[0] in ('gt', 'pred', 'ignored') else None
        if field_type == 'data' and want is not None and not isinstance(value, want):
            raise TypeError(f'{name} must be a {want.__name__}, got {type(value).__name__}')
        super().set_field(value, name, dtype=dtype, field_type=field_type)

    def __setattr__(self, name, value):
        if name in ('_metainfo_fields', '_data_fields'):
            super().__setattr__(name, value)
        else:
            self.set_field(value, name)
