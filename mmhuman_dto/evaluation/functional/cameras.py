"""Fields of view."""
import numpy as np

from mmhuman_dto.geometry import fov_from_focal


def vertical_fov(intrinsics, height):
    """Vertical field of view (degrees) of cameras (*, 3, 3), px, whose image is ``height`` px high and centred.

    The principal point of an image that was cropped or padded is not its centre, so give the height of the uncropped
    image, in the pixels of ``intrinsics``.
    """
    return np.degrees(fov_from_focal(np.asarray(intrinsics, dtype=np.float64)[..., 1, 1], height))


def fov_errors(intrinsics_pred, intrinsics_true, height):
    """Absolute error (*), degrees, of the vertical field of view; arguments as of :func:`vertical_fov`."""
    return np.abs(vertical_fov(intrinsics_pred, height) - vertical_fov(intrinsics_true, height))
