"""Everybody's joints in the frames of a video, quickly: who was seen in one frame is looked for there in the next."""
import numpy as np
import torch

from mmhuman_dto.movenet.people import LOW, choose
from mmhuman_dto.registry import SOURCES

from .base import PeopleSource
from .blazepose_joints import MIN_MEAN, distinct
from .blazepose_look import BlazePoseLook, square_around
from .crops import Halves
from .followed import Followed
from .movenet_joints import SCALES, MoveNetJoints, as_people

#: Long sides, px, of quick looks.
QUICK = SCALES[1:4]
#: Of ``min_mean``, what somebody needs who was there in the frame before: who is half hidden does not come and go.
STAY = .7
#: Frames from one full look to the next, at least, however many people are lost.
MIN_FULL = 5


@SOURCES.register_module()
class VideoJoints(PeopleSource):
    """What :class:`BlazePoseJoints` gives, of the frames of one video in their order, several times as fast.

    In most frames BlazePose alone looks at everybody, around where it was in the frame before, moved on; what MoveNet
    said of the joints last is moved along. Every ``quick_every`` frames MoveNet looks at one small scale that shows the
    people known, for who comes in and for squares that went astray. Every ``full_every`` frames, and where somebody was
    lost, MoveNet looks at all scales, as :class:`MoveNetJoints` does.

    Samples are told apart by metainfo: ``frame``, the number in the video, and ``shot_start`` (bool, where known). A
    frame that does not follow the one seen before, the start of a shot, a picture of another size and a frame whose
    number is a multiple of ``reset_every`` are looked at as pictures of their own; samples without ``frame`` all are.
    What is found in a frame depends on the frames since the last such one and on nothing else, whatever the batches:
    work that goes on at a multiple of ``reset_every``, or that calls :meth:`forget` at the same frames, gives the same.

    Args:
        masks: whether people get ``masks`` (H, W) too.
        min_mean: least mean score of the joints of somebody who comes in.
        step: by how much the numbers of frames that follow each other differ.
        quick_every, full_every: frames from one quick look to the next, and from one full look to the next.
        reset_every: see above; None: only what does not follow.
        batch_size: people that go through BlazePose together.
        device: None is a GPU where there is one.
    """
    joint_set = 'coco17'
    sets = ('detected_instances.keypoints_2d', )

    def __init__(self, masks=False, min_mean=MIN_MEAN, step=1, quick_every=5, full_every=15, reset_every=60,
                 batch_size=16, device=None):
        self.masks, self.min_mean, self.step = masks, min_mean, step
        self.quick_every, self.full_every, self.reset_every = quick_every, full_every, reset_every
        self.movenet, self.blazepose = MoveNetJoints(device=device), BlazePoseLook(batch_size, device)
        self.forget()

    def forget(self):
        """Look at the next sample as at a picture of its own."""
        self._people, self._since_full = Followed.nobody(), self.full_every
        self._frame = self._shape = None

    def __call__(self, samples):
        return [self._find(sample) for sample in samples]

    def _find(self, sample):
        if not self._follows(sample):
            self.forget()
        self._people, masks = self._look(Halves(sample.image))
        self._frame, self._shape = sample.get('frame'), sample.image.shape
        found = as_people(self._people.joints, self._people.scores)
        if self.masks:
            found.masks = torch.from_numpy(masks)
        return found

    def _follows(self, sample):
        """Whether the people of the last sample are looked for in this one."""
        frame = sample.get('frame')
        return (None not in (frame, self._frame) and frame == self._frame + self.step
                and not sample.get('shot_start', False) and sample.image.shape == self._shape
                and (self.reset_every is None or frame % self.reset_every != 0))

    def _look(self, halves):
        """:class:`~.followed.Followed` people of a frame and their masks."""
        moved, since = self._people.moved(halves.shape), self._since_full + 1
        self._since_full = since
        if since < self.full_every:
            is_quick = since % self.quick_every == 0
            people, masks, lost = self._second(
                halves, moved.seen_by_first(*self._quick(halves, moved)) if is_quick else moved)
            if not lost or since < MIN_FULL:
                return people, masks
        self._since_full = 0
        found = self.movenet.find(halves.image)
        first = moved.seen_by_first(found.keypoints_2d.double().numpy(), found.keypoints_2d_valid.double().numpy())
        return self._second(halves, first)[:2]

    def _quick(self, halves, known):
        """Joints and scores of who is seen at the smallest scale that shows everybody known tall enough."""
        side = max(halves.shape)
        scale = next((scale for scale in QUICK if (known.sizes * scale >= LOW * side).all()), QUICK[-1])
        image, part = halves.at_least(2 * scale / side)
        look = self.movenet.look(image, scale)
        look.joints /= part
        return choose([look], self.movenet.min_mean)

    def _second(self, halves, first):
        """Who of people is there by both looks, their masks, and whether somebody of the last frame is not."""
        squares = [square_around(*person) for person in zip(first.joints, first.scores)]
        second = self.blazepose(halves, squares, self.masks)
        people = first.seen_by_second(second).with_steps_from(self._people)
        is_known = np.arange(len(people)) < len(self._people)
        rows = distinct(people.joints, people.scores, np.where(is_known, STAY, 1) * self.min_mean)
        lost = is_known[rows].sum() < len(self._people)
        return people[rows], second.masks[rows] if self.masks else None, lost
