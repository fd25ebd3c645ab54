"""Everybody's joints by the bundled MoveNet: any number of people, near ones and far ones, without a download."""
import cv2
import numpy as np
import torch

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.movenet import MULTIPLE, published_movenet
from mmhuman_dto.movenet.people import MIN_MEAN, Look, choose, decode, mean_score
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import PeopleSource

#: Long sides, px, at which a picture is looked at; the larger ones only while the one before shows small people.
SCALES = (192, 256, 384, 512, 768, 1024, 1536, 2048)
#: The first four are always looked at.
ALWAYS = 4


@SOURCES.register_module()
class MoveNetJoints(PeopleSource):
    """People and their 17 COCO joints by MoveNet MultiPose, at as many scales as the picture needs.

    ``keypoints_2d_valid`` holds the joints' scores, 0..1, ``scores`` the mean of the joints seen, ``bboxes`` their box.

    Args:
        min_mean: least mean score of a person's joints.
        max_side: px, the largest long side looked at.
        device: None is a GPU where there is one.
    """
    joint_set = 'coco17'
    sets = ('detected_instances.keypoints_2d', )

    def __init__(self, min_mean=MIN_MEAN, max_side=SCALES[-1], device=None):
        self.min_mean, self.max_side, self.device = min_mean, max_side, pick_device(device)
        # Half the time on a CPU.
        self.network = published_movenet().to(self.device, memory_format=torch.channels_last)

    def __call__(self, samples):
        return [self.find(sample.image) for sample in samples]

    def find(self, image):
        """:class:`People` of one picture (H, W, 3) uint8 RGB, best first."""
        looks, side = [], max(image.shape[:2])
        for number, scale in enumerate(SCALES):
            if number >= ALWAYS and (scale > min(self.max_side, side)
                                     or not looks[-1].has_small(self.min_mean)):
                break
            looks.append(self.look(image, scale))
        return as_people(*choose(looks, self.min_mean))

    @torch.no_grad()
    def look(self, image, side):
        """The :class:`Look` at a picture resized to a long side, px."""
        height, width = image.shape[:2]
        factor = side / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        padding = [(0, -length % MULTIPLE) for length in size[::-1]]
        padded = np.pad(resized, (*padding, (0, 0)))
        maps = self.network(torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float())
        joints, scores = decode(maps, 0)
        return Look(joints.cpu().numpy() * (width / size[0], height / size[1]), scores.cpu().numpy(), factor)


def as_people(joints, scores):
    """:class:`People` with joints (N, 17, 2) px and scores (N, 17): ``bboxes`` around the joints seen, ``scores``."""
    seen = scores >= SEEN_SCORE
    return People(
        bboxes=torch.from_numpy(joint_boxes(joints, seen)).float(),
        scores=torch.from_numpy(mean_score(scores)).float(), keypoints_2d=torch.from_numpy(joints).float(),
        keypoints_2d_valid=torch.from_numpy(scores).float())
