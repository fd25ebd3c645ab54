"""From the pixels of what a network saw back to those of the image it was made from."""
import numpy as np
import torch

from mmhuman_dto.geometry.camera import fov_from_focal

from .fields import FIELDS


def to_original(sample):
    """Say in pixels of the original image what a sample says in those of a resized, cut or padded one; in place.

    Boxes, areas, 2D joints and intrinsics, true and predicted, go through the inverse of the sample's ``warp`` (3, 3;
    original -> current px, scale and shift). Metres never change: with the new intrinsics 3D is seen where it is in the
    original image. Afterwards ``img_shape`` is ``ori_shape`` and ``warp`` the identity; the metainfo ``input_shape``
    (h, w) and ``input_warp`` (3, 3) say what they were.

    Args:
        sample: :class:`HumanDataSample` with ``img_shape``, and ``ori_shape`` where it has a ``warp``.

    Returns:
        HumanDataSample: the same.

    Raises:
        ValueError: ``warp`` rolls or mirrors the image, so that 3D would have to turn back too, which pixels alone do
            not tell; or the sample has maps or masks, which are pictures.
    """
    warp = np.asarray(sample.get('warp', np.eye(3)), dtype=np.float64)
    _check(sample, warp)
    inverse = torch.from_numpy(np.linalg.inv(warp))
    shape = tuple(sample.get('ori_shape', sample.img_shape))
    for name, value in sample.items():
        if name.endswith('_instances'):
            _move_people(value, inverse)
        elif name.endswith('_camera'):
            _move_camera(value, inverse, shape)
    sample.set_metainfo(dict(img_shape=shape, warp=np.eye(3), input_shape=tuple(sample.img_shape), input_warp=warp))
    return sample


def _check(sample, warp):
    name = sample.get('img_id', 'sample')
    window = np.diag([*warp.diagonal()[:2], 1])
    window[:2, 2] = warp[:2, 2]
    if not np.allclose(warp, window, atol=1e-6) or (warp.diagonal() <= 0).any():
        raise ValueError(f'{name}: its warp {warp.tolist()} rolls or mirrors the image, so its people cannot be moved '
                         'back; evaluate with a pipeline that only resizes, cuts and pads')
    pictures = [key for key, _ in sample.items() if key.endswith('_maps')]
    pictures += [f'{key}.masks' for key, value in sample.items() if key.endswith('_instances') and 'masks' in value]
    if pictures:
        raise ValueError(f'{name}: {", ".join(pictures)} cannot be moved back to the original image; leave them out, '
                         "with PackHumanInputs(drop=('gt_maps', )) for maps")


def _move_people(people, inverse):
    for name, value in people.items():
        kind = FIELDS[name].kind if name in FIELDS else None
        if kind == 'point2d':
            people.set_field(_moved(value, inverse), name)
        elif kind == 'box':
            people.set_field(_moved(value.unflatten(-1, (2, 2)), inverse).flatten(-2), name)
        elif kind == 'area':
            people.set_field(value * float(inverse[0, 0] * inverse[1, 1]), name)


def _moved(points, matrix):
    matrix = matrix.to(points)
    return points * matrix.diagonal()[:2] + matrix[:2, 2]


def _move_camera(camera, inverse, shape):
    camera.intrinsics = inverse.to(camera.intrinsics) @ camera.intrinsics
    if 'fov' in camera:
        camera.fov = fov_from_focal(camera.intrinsics[1, 1], shape[0])
