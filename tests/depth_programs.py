"""Files as depth programs write them, from exact depth: what each stores, in its own names, units and sizes."""
import json
from typing import NamedTuple

import cv2
import numpy as np
import torch


class Shown(NamedTuple):
    """A picture of which a program knows everything: ``name.jpg``, z (H, W) in m, 0 in the sky, and its camera, px."""
    name: str
    image: np.ndarray
    depth: np.ndarray
    intrinsics: np.ndarray

    @property
    def masked(self):
        return np.where(self.depth > 0, self.depth, np.inf).astype(np.float32)

    @property
    def inverse(self):
        return np.divide(1, self.depth, out=np.zeros_like(self.depth), where=self.depth > 0)

    @property
    def focal(self):
        return float(self.intrinsics[0, 0])


def at(values, size):
    """Values at another size (height, width), as networks answer at their own: bilinear in inverse depth."""
    inverse = np.divide(1, values, out=np.zeros_like(values), where=values > 0)
    small = cv2.resize(inverse, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.divide(1, small, out=np.zeros_like(small), where=small > 0)


def scaled(intrinsics, old, new):
    return np.diag([new[1] / old[1], new[0] / old[0], 1]) @ intrinsics


def to_8_bits(values):
    low, high = values.min(), values.max()
    return ((values - low) / (high - low) * 255).astype(np.uint8)


def depth_anything_v2(folder, shown, grayscale=True):
    """``run.py --pred-only``, relative: inverse depth from 0 to 255, the same in three channels, or in colours."""
    values = to_8_bits(shown.inverse)
    picture = np.repeat(values[..., None], 3, 2) if grayscale else cv2.applyColorMap(values, cv2.COLORMAP_JET)
    cv2.imwrite(str(folder / f'{shown.name}.png'), picture)


def depth_anything_v2_metric(folder, shown):
    np.save(folder / f'{shown.name}_raw_depth_meter.npy', shown.depth.astype(np.float32))
    cv2.imwrite(str(folder / f'{shown.name}.png'), cv2.applyColorMap(to_8_bits(shown.depth), cv2.COLORMAP_JET))


def depth_anything_3(folder, pictures, network, size, kind='npz'):
    """One file of all pictures, at the size fed; 'nested' m, 'metric' m * 300 / focal, 'any' up to a factor."""
    (folder / 'exports' / kind).mkdir(parents=True)
    depths, cameras = [], []
    for shown in pictures:
        fed = scaled(shown.intrinsics, shown.depth.shape, size)
        factor = dict(nested=1., metric=300 / ((fed[0, 0] + fed[1, 1]) / 2), any=.37)[network]
        depths.append(at(shown.depth, size) * factor)
        cameras.append(fed)
    arrays = dict(depth=np.float32(depths), conf=np.ones((len(depths), *size), np.float32))
    if network != 'metric':
        arrays |= dict(intrinsics=np.float32(cameras), extrinsics=np.float32([np.eye(4)[:3]] * len(depths)))
    if kind == 'npz':
        arrays['image'] = np.stack([cv2.resize(shown.image, size[::-1]) for shown in pictures])
    np.savez_compressed(folder / 'exports' / kind / 'results.npz', **arrays)


def moge_folder(folder, shown, factor=1.):
    """``moge infer --maps``: a folder an image; what is masked is infinite, angles are in degrees."""
    import OpenEXR
    (folder / shown.name).mkdir()
    OpenEXR.File({}, {'Y': shown.masked * np.float32(factor)}).write(str(folder / shown.name / 'depth.exr'))
    OpenEXR.File({}, dict.fromkeys('BGR', shown.masked)).write(str(folder / shown.name / 'points.exr'))
    cv2.imwrite(str(folder / shown.name / 'mask.png'), (shown.depth > 0).astype(np.uint8) * 255)
    angles = {f'fov_{axis}': float(np.degrees(2 * np.arctan(side / 2 / shown.intrinsics[i, i])))
              for i, (axis, side) in enumerate(zip('xy', shown.depth.shape[::-1]))}
    (folder / shown.name / 'fov.json').write_text(json.dumps(angles))


def moge_arrays(path, shown, factor=1.):
    """What ``infer`` answers, saved: intrinsics are shares of width and height."""
    height, width = shown.depth.shape
    arrays = dict(points=np.zeros((height, width, 3), np.float32), depth=shown.masked * np.float32(factor),
                  mask=shown.depth > 0, intrinsics=np.float32(np.diag([1 / width, 1 / height, 1]) @ shown.intrinsics))
    _save(path, arrays)


def unidepth(path, shown, size):
    """What ``infer`` answers, saved: a batch of one, at any size, intrinsics px of it."""
    fed = scaled(shown.intrinsics, shown.depth.shape, size)
    _save(path, dict(depth=np.float32(at(shown.depth, size))[None, None], intrinsics=np.float32(fed)[None],
                     points=np.zeros((1, 3, *size), np.float32), confidence=np.ones((1, 1, *size), np.float32)))


def depth_pro(folder, shown, focal=True):
    arrays = dict(depth=np.where(shown.depth > 0, shown.depth, 1e4).astype(np.float32))
    np.savez_compressed(folder / f'{shown.name}.npz', **arrays, **(dict(focallength_px=shown.focal) if focal else {}))
    cv2.imwrite(str(folder / f'{shown.name}.jpg'), cv2.applyColorMap(to_8_bits(shown.inverse), cv2.COLORMAP_JET))


def depth_pro_of_transformers(path, shown, processed):
    """Its answer as it is, inverse depth for a width of 1 focal length and the angle; or post-processed, in m."""
    width = shown.depth.shape[1]
    angle = np.float32(np.degrees(2 * np.arctan(width / 2 / shown.focal)))
    if processed:
        arrays = dict(predicted_depth=np.where(shown.depth > 0, shown.depth, 1e4).astype(np.float32),
                      focal_length=np.float32(shown.focal))
    else:  # at the network's own size, a square
        square = 1 / np.where((values := at(shown.depth, (256, 256))) > 0, values, 1e4)
        arrays = dict(predicted_depth=np.float32(square * shown.focal / width)[None])
    _save(path, dict(arrays, field_of_view=angle))


def metric3d(folder, shown, size):
    """Depth of the canonical camera, focal length 1000 px, at the size fed."""
    focal = scaled(shown.intrinsics, shown.depth.shape, size)[0, 0]
    np.save(folder / f'{shown.name}.npy', np.float32(at(shown.depth, size) * 1000 / focal)[None, None])


def zoedepth(folder, shown):
    cv2.imwrite(str(folder / f'{shown.name}.png'), np.minimum(shown.depth * 256, 65535).astype(np.uint16))


def midas(folder, shown, network='dpt_beit_large_512'):
    """``run.py``: a .pfm of inverse depth up to factor and offset, rows from the bottom up, and a .png in colours."""
    values = (5000 * shown.inverse + 80).astype('<f4')
    height, width = values.shape
    (folder / f'{shown.name}-{network}.pfm').write_bytes(b'Pf\n%d %d\n-1.000000\n' % (width, height)
                                                         + values[::-1].tobytes())
    cv2.imwrite(str(folder / f'{shown.name}-{network}.png'), cv2.applyColorMap(to_8_bits(values), cv2.COLORMAP_INFERNO))


def _save(path, arrays):
    if path.suffix == '.npz':
        np.savez(path, **arrays)
    else:
        torch.save({name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}, path)
