"""People of results as the solver takes them: everybody has a height, and how sure it is."""
import torch

from mmhuman_dto.body_models.measuring import heights_along_surfaces, measured_heights
from mmhuman_dto.dto.prior import HEIGHT_CLASSES, NEUTRAL

#: Error of the size of people in the pictures of per-person networks: std of the logarithm.
SIZE_STD = .02


def completed(people, faces, faces_are_guess=False):
    """:class:`People` with ``heights`` and ``heights_std`` of everybody and what the solver wants, ``sizes_std``.

    Heights that results do not tell are measured from bones and surface; where that is impossible they are an adult's.
    Of triangles that are a guess only ways along them are measured.
    """
    people = people[:]
    unknown = ~torch.isfinite(people.heights)
    if unknown.any():
        joints = people.smpl_joints[unknown] if 'smpl_joints' in people else None
        measured, std = _measured(joints, people.vertices[unknown], faces, faces_are_guess)
        adult = HEIGHT_CLASSES[NEUTRAL]
        heights, stds = people.heights.clone(), people.heights_std.clone()
        heights[unknown] = measured.to(heights).nan_to_num(adult.mean)
        stds[unknown] = std.to(stds).nan_to_num(adult.std)
        people.heights, people.heights_std = heights, stds
    people.sizes_std = (SIZE_STD**2 + (people.heights_std / people.heights).nan_to_num(0.).square()).sqrt()
    return people


def _measured(joints, vertices, faces, faces_are_guess):
    """Heights and their standard deviations (M), m, of meshes and, None where nobody's are known, joints."""
    if not faces_are_guess:
        return measured_heights(joints=joints, vertices=vertices, faces=faces)
    along = heights_along_surfaces(vertices)
    if joints is None:
        return along
    by_bones = measured_heights(joints=joints)
    return tuple(torch.where(by_bones[0].isfinite(), bones, way) for bones, way in zip(by_bones, along))
