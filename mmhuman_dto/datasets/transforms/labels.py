"""Which of a person's labels are sure enough to be learnt."""
import torch

from mmhuman_dto.registry import TRANSFORMS
from mmhuman_dto.structures.fields import SEEN_SCORE


@TRANSFORMS.register_module()
class TrustLabels:
    """Take from labels that a machine made what it was not sure of; put it right behind LoadImage.

    Everybody keeps the joints seen in the picture. Of meshes (``has_mesh``) go those of people with too few of these;
    shape and joints in space (``has_shape``) where the height is not known well enough; distances (``has_depth``) where
    they are not; and an image's focal length, as a target, where it was a guess (metainfo ``has_focal``). A table says
    it of people in ``keypoints_2d_valid``, ``heights_std`` and ``depths_std``, of images in ``focal_std``: the stage
    :class:`mmhuman_dto.stages.TrainingLabels` writes such tables. What it does not say is trusted, a number that is not
    known (nan) is not.

    Args:
        min_joints: fewest joints seen (scores of .2 and more) of a mesh.
        max_height_std: largest standard deviation of the height, part of it.
        max_depth_std: largest standard deviation of the pelvis' z, part of it.
        max_focal_std: largest standard deviation of the logarithm of the focal length.
    """

    def __init__(self, min_joints=8, max_height_std=.15, max_depth_std=.15, max_focal_std=.1):
        self.min_joints, self.max_focal_std = min_joints, max_focal_std
        self.max_height_std, self.max_depth_std = max_height_std, max_depth_std

    def __call__(self, sample):
        people = sample.gt_instances
        everybody = torch.ones(len(people), dtype=torch.bool)
        if 'keypoints_2d_valid' in people:
            seen = (people.keypoints_2d_valid.float() >= SEEN_SCORE).sum(1)
            people.has_mesh = people.get('has_mesh', everybody).bool() & (seen >= self.min_joints)
        if 'heights_std' in people:
            people.has_shape = people.heights_std <= self.max_height_std * people.heights
        if 'depths_std' in people:
            # transl's z is the pelvis' to a few centimetres.
            people.has_depth = people.depths_std <= self.max_depth_std * people.transl[:, 2]
        sample.set_metainfo(dict(has_focal=sample.get('focal_std', 0.) <= self.max_focal_std))
        return sample
