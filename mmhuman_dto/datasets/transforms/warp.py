"""One change of view, applied to the picture, all fields of the people, and the camera at once.

A change has two parts: the scene is rolled about the optical axis and mirrored (``world``), and the picture of it is
scaled and shifted (``pixels``). With intrinsics K the picture then moves by ``pixels @ K @ world @ inv(K)``, which is
affine, and the new intrinsics are ``pixels @ K``: 2D and 3D agree exactly, whatever K is, and metres never change.
"""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS, JointSet
from mmhuman_dto.geometry import axis_angle_to_matrix, fov_from_focal, matrix_to_axis_angle
from mmhuman_dto.structures import FIELDS

from .joints import joint_names

MIRROR = np.diag([-1., 1., 1.])
#: Body joints (SMPL's 24 without the root) of a mirrored pose.
_BODY = [i - 1 for i in JOINT_SETS['smpl24'].flip_permutation[1:]]
#: The same by number of joints: SMPL-X's 54 are 21 of SMPL's, the jaw, two eyes, 15 of the left hand, 15 of the right.
_POSE_PERMUTATIONS = {23: _BODY, 21: _BODY[:21], 54: [*_BODY[:21], 21, 23, 22, *range(39, 54), *range(24, 39)]}


class Warp(NamedTuple):
    """A change of view."""
    world: np.ndarray  # (3, 3) float64, camera frame: a roll about z, times ``MIRROR`` where left and right change
    pixels: np.ndarray  # (3, 3) float64, px -> px: scale and shift
    size: tuple[int, int]  # (h, w) of the new picture, px

    @property
    def mirrored(self):
        """Whether left and right change."""
        return np.linalg.det(self.world) < 0

    @property
    def roll(self):
        """(3, 3) rotation that is left of ``world`` without the mirror."""
        return self.world @ MIRROR if self.mirrored else self.world

    def matrix(self, intrinsics):
        """(3, 3) affine map of pixels seen by a camera with ``intrinsics`` (3, 3)."""
        return self.pixels @ intrinsics @ self.world @ np.linalg.inv(intrinsics)


def intrinsics_of(sample):
    """The sample's intrinsics (3, 3) float64; without a camera any with the axis at the picture's centre."""
    if 'gt_camera' in sample:
        return sample.gt_camera.intrinsics.double().numpy()
    height, width = sample.img_shape
    return np.array([[1., 0, width / 2], [0, 1, height / 2], [0, 0, 1]])


def warp_sample(sample, warp):
    """Apply a :class:`Warp` to a sample, in place: image, people, maps, camera and metainfo.

    Raises:
        ValueError: rolling or mirroring meshes whose pelvis is unknown.
    """
    intrinsics = intrinsics_of(sample)
    matrix = warp.matrix(intrinsics)
    if 'image' in sample:
        sample.image = warp_image(sample.image, matrix, warp.size)
    for name in ('gt_instances', 'ignored_instances'):
        if name in sample:
            _warp_people(sample.get(name), warp, matrix, sample)
    for maps in (sample.get(name) for name in ('gt_maps', 'pred_maps') if name in sample):
        for name, values in maps.items():
            setattr(maps, name, _warp_nearest(values, matrix, warp.size))
    if 'gt_camera' in sample:
        camera = sample.gt_camera
        camera.intrinsics = torch.from_numpy(warp.pixels @ intrinsics).to(camera.intrinsics)
        if 'fov' in camera:
            camera.fov = fov_from_focal(camera.intrinsics[1, 1], warp.size[0])
    sample.set_metainfo(dict(img_shape=tuple(warp.size), warp=matrix @ sample.get('warp', np.eye(3))))
    return sample


def warp_image(image, matrix, size):
    """Picture (H, W, 3) uint8 moved by an affine ``matrix`` (3, 3; px -> px) into ``size`` (h, w); black beyond it."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    if scale < 1:  # averaging first, or fine structure would turn into noise
        height, width = image.shape[:2]
        small = max(round(width * scale), 1), max(round(height * scale), 1)
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / small[0], height / small[1], 1])
    return cv2.warpAffine(image, _by_index(matrix), size[::-1], flags=cv2.INTER_LINEAR)


def _by_index(matrix):
    """(2, 3) map between indices of pixels, whose centres lie at integers + .5."""
    centre = np.array([[1, 0, .5], [0, 1, .5], [0, 0, 1]])
    return (np.linalg.inv(centre) @ matrix @ centre)[:2]


def _warp_nearest(values, matrix, size):
    """Map (H, W) without mixing neighbours, 0 beyond it."""
    kind = values.dtype
    plain = values.numpy() if values.is_floating_point() else values.float().numpy()
    return torch.from_numpy(cv2.warpAffine(plain, _by_index(matrix), size[::-1], flags=cv2.INTER_NEAREST)).to(kind)


def _warp_people(people, warp, matrix, sample):
    """Each field by its kind in the field table."""
    changed = {name: _BY_KIND[FIELDS[name].kind](value, warp, matrix, people, sample)
               for name, value in people.items() if name in FIELDS and FIELDS[name].kind in _BY_KIND}
    for name, value in changed.items():
        people.set_field(value.to(people[name].dtype), name)
    for name in changed:
        if FIELDS[name].kind == 'point2d' and f'{name}_valid' in people:
            inside = _inside(people[name], warp.size)
            people.set_field(people[f'{name}_valid'].bool() & inside, f'{name}_valid')


def _inside(points, size):
    limits = torch.tensor(size[::-1])
    return ((points >= 0) & (points < limits)).all(-1)


def _mapped(points, matrix):
    matrix = torch.from_numpy(matrix)
    return points.double() @ matrix[:2, :2].T + matrix[:2, 2]


def _sides_swapped(rows, warp, sample):
    """Joints (N, J, ...) under the names they have in the mirrored scene."""
    return rows[:, list(JointSet(joint_names(sample), ()).flip_permutation)] if warp.mirrored else rows


def _point2d(points, warp, matrix, people, sample):
    return _sides_swapped(_mapped(points, matrix), warp, sample)


def _point3d(points, warp, matrix, people, sample):
    return _sides_swapped(points.double() @ torch.from_numpy(warp.world).T, warp, sample)


def _valid(flags, warp, matrix, people, sample):
    return _sides_swapped(flags, warp, sample)


def _box(boxes, warp, matrix, people, sample):
    """The smallest upright box around the moved corners, inside the picture."""
    corners = _mapped(boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]], matrix)
    limits = torch.tensor(warp.size[::-1]).double()
    low, high = (edge.clamp(min=0).minimum(limits) for edge in (corners.amin(1), corners.amax(1)))
    return torch.cat([low, high], -1)


def _area(areas, warp, matrix, people, sample):
    return areas * abs(np.linalg.det(matrix[:2, :2]))


def _axis_angle(rotations, warp, matrix, people, sample):
    """Rows of one rotation are in the camera frame; rows of several are relative to their parents, in pose order."""
    if warp.mirrored:
        rotations = rotations * rotations.new_tensor([1, -1, -1])
    if rotations.dim() == 3:
        if rotations.shape[1] not in _POSE_PERMUTATIONS:
            raise ValueError(f'{sample.get("img_id", "sample")}: body_pose has {rotations.shape[1]} joints; left and '
                             f'right are known for {sorted(_POSE_PERMUTATIONS)}')
        return rotations[:, _POSE_PERMUTATIONS[rotations.shape[1]]] if warp.mirrored else rotations
    if np.array_equal(warp.roll, np.eye(3)):
        return rotations
    return matrix_to_axis_angle(torch.from_numpy(warp.roll) @ axis_angle_to_matrix(rotations.double()))


def _transl(transl, warp, matrix, people, sample):
    """A body's translation moves so that its pelvis, which lies elsewhere, moves with the scene."""
    if np.array_equal(warp.world, np.eye(3)):
        return transl
    if 'keypoints_3d' not in people or joint_names(sample)[:24] != JOINT_SETS['smpl24'].names:
        # The pelvis of other sets is another point, off by centimetres.
        raise ValueError(f'{sample.get("img_id", "sample")}: rolling or mirroring people with transl needs '
                         'keypoints_3d that begin with SMPL\'s 24: put JointsFromMeshes before this transform')
    pelvis = people.keypoints_3d[:, 0].double()
    return transl.double() + pelvis @ torch.from_numpy(warp.world).T - pelvis


def _sides(labels, warp, matrix, people, sample):
    return labels.flip(1) if warp.mirrored else labels


def _mask(masks, warp, matrix, people, sample):
    if len(masks) == 0:
        return masks.new_zeros(0, *warp.size)
    return torch.stack([_warp_nearest(mask, matrix, warp.size) for mask in masks])


#: What a view does to a field; kinds that are not here (shape, scalar, label) stay as they are.
_BY_KIND = {'box': _box, 'area': _area, 'point2d': _point2d, 'point3d': _point3d, 'valid': _valid,
            'axis_angle': _axis_angle, 'vec3': _transl, 'sides': _sides, 'mask': _mask}
