"""What transforms ask about a sample's joints."""
import numpy as np

from mmhuman_dto.body_models.joint_sets import names_of


def joint_names(sample):
    """Names of the sample's joints: its metainfo ``joint_set`` is the name of a set, or the names themselves."""
    return names_of(sample.joint_set)


def has_people_with(sample, field, hint):
    """Whether there are people; they must have ``field`` then.

    Raises:
        ValueError: they lack it; the message ends with ``hint``.
    """
    people = sample.gt_instances
    if len(people) and field not in people:
        raise ValueError(f'{sample.get("img_id", "sample")}: people have no {field}; {hint}')
    return len(people) > 0


def seen_joints(people):
    """2D joints (N, J, 2) float64 px, and which of them (N, J) are valid and finite, as numpy arrays."""
    points = people.keypoints_2d.double().numpy()
    return points, people.keypoints_2d_valid.bool().numpy() & np.isfinite(points).all(-1)
