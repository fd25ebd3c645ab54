"""People of results as the solver takes them: everybody has a height, and how sure it is."""
import torch

from mmhuman_dto.body_models.measuring import measured_heights
from mmhuman_dto.dto.prior import HEIGHT_CLASSES, NEUTRAL

#: Error of the size of people in the pictures of per-person networks: std of the logarithm.
SIZE_STD = .02


def completed(people, faces):
    """:class:`People` with ``heights`` and ``heights_std`` of everybody and what the solver wants, ``sizes_std``.

    Heights that results do not tell are measured from bones and surface; where that is impossible they are an adult's.
    """
    people = people[:]
    unknown = ~torch.isfinite(people.heights)
    if unknown.any():
        joints = people.smpl_joints[unknown] if 'smpl_joints' in people else None
        measured, std = measured_heights(joints=joints, vertices=people.vertices[unknown], faces=faces)
        adult = HEIGHT_CLASSES[NEUTRAL]
        heights, stds = people.heights.clone(), people.heights_std.clone()
        heights[unknown] = measured.to(heights).nan_to_num(adult.mean)
        stds[unknown] = std.to(stds).nan_to_num(adult.std)
        people.heights, people.heights_std = heights, stds
    people.sizes_std = (SIZE_STD**2 + (people.heights_std / people.heights).nan_to_num(0.).square()).sqrt()
    return people
