"""People in a video that is still going on: frame by frame, by what was seen up to now."""
import copy
from collections import deque

import numpy as np
import torch

from mmhuman_dto.dto import DTOProblem
from mmhuman_dto.dto.temporal import ClipProblem
from mmhuman_dto.dto.temporal.belief import Belief
from mmhuman_dto.dto.temporal.solver import Solving
from mmhuman_dto.fitting import LiveFit
from mmhuman_dto.perception.keypoint_fit import SIZE_SHARE
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tracking import Observations, Tracker

from .identities import people_of
from .work import camera_of

#: Frames that are solved together at least, and at most; what older ones told of sizes, ground and camera is kept.
LEAST, MOST = 20, 40


class LivePeople:
    """People of a camera, in the order of its frames; the time that a frame takes does not grow.

    ::

        live = LivePeople(VideoInferencer())
        for number, time, image in open_camera(0):
            sample = live.add(time, image)

    Args:
        inferencer: :class:`~.inferencer.VideoInferencer`, by whose recipe frames are looked at.
        lag: frames that are waited for before one is told.
    """

    def __init__(self, inferencer, lag=0):
        self.inferencer, self.lag = inferencer, lag
        self.tracker, self.fit = Tracker(), LiveFit(inferencer.bodies.fit, lag)
        self.belief, self.window, self.camera = Belief(), deque(), None
        self.count, self.names = 0, []

    @torch.no_grad()
    def add(self, time, image):
        """Take the next frame, (H, W, 3) uint8 RGB, of a ``time``, s.

        Returns:
            :class:`~mmhuman_dto.structures.HumanDataSample` of the frame ``lag`` frames ago: ``pred_instances`` with
            ``track_ids``, placed. None as long as there was none.
        """
        arrays, numbers = self.inferencer.observer.look(self.count, image)
        self.count += 1
        self.camera = self.camera or camera_of(image.shape[:2], numbers)
        if arrays:
            seen = Observations.of_people(people_of(arrays), self.inferencer.body_model, arrays.get('colours'))
        else:
            seen = Observations(boxes=torch.zeros(0, 4))
        ids = self.tracker.add(time, seen)
        known = [row for row, number in enumerate(ids.tolist()) if number >= 0]
        joints = (torch.from_numpy(arrays[name][known] if known else np.zeros(row)).double()
                  for name, row in (('keypoints_2d', (0, 17, 2)), ('keypoints_2d_valid', (0, 17))))
        fitted = self.fit.add(time, ids[known].tolist(), *joints, self.camera.intrinsics.double())
        return None if fitted is None else self._placed(fitted, image.shape[:2])

    def _placed(self, fitted, size):
        self.window.append((fitted.time, self._sample(fitted, size)))
        if len(self.window) > MOST:
            self._learn()
        clip = self._clip(self.window)
        if clip is None:
            return self.window[-1][1]
        belief = copy.copy(self.belief)
        belief.meet(clip, self.inferencer.optimizer.prior)
        result = Solving(self.inferencer.optimizer.solver, clip, self.inferencer.live_cameras, belief=belief).result()
        return result.apply([sample for _, sample in self.window], self.inferencer.body_model, keep_dropped=True)[-1]

    def _learn(self):
        """Keep what the older half of the window tells, and let go of it."""
        old = [self.window.popleft() for _ in range(MOST - LEAST)]
        clip = self._clip(old)
        if clip is not None:
            self.belief.meet(clip, self.inferencer.optimizer.prior)
            Solving(self.inferencer.optimizer.solver, clip, self.inferencer.live_cameras, belief=self.belief).learn()

    def _clip(self, window):
        """:class:`ClipProblem` of frames; None where nobody is in them."""
        times, samples = zip(*window)
        if not any(len(sample.pred_instances) for sample in samples):
            return None
        optimizer = self.inferencer.optimizer
        problem = DTOProblem.from_samples(samples, self.inferencer.body_model, optimizer.prior, optimizer.evidence,
                                          optimizer.solver.depth)
        return ClipProblem.of(problem, [sample.pred_instances.track_ids for sample in samples], times, optimizer.prior,
                              self.belief.references)

    def _sample(self, fitted, size):
        body, joint_set = self.inferencer.body_model, self.inferencer.source.fit.joint_set
        sample = HumanDataSample(metainfo=dict(img_id=f'{fitted.time:.3f}', ori_shape=tuple(size),
                                               keypoint_set=joint_set))
        if fitted.result is None:
            people = People(global_orient=torch.zeros(0, 3), body_pose=torch.zeros(0, body.num_body_joints, 3),
                            betas=torch.zeros(0, body.num_betas), transl=torch.zeros(0, 3), sizes_std=torch.zeros(0))
        else:
            result, pose = fitted.result, fitted.result.pose.float()
            people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=result.state.betas.float(),
                            transl=result.transl.float(), sizes_std=(SIZE_SHARE * result.log_size_std).float())
        people.track_ids = torch.tensor(fitted.track_ids, dtype=torch.int64)
        sample.pred_instances = people.cpu()
        sample.pred_camera = Camera(**{name: value.clone() for name, value in self.camera.items()})
        return sample
