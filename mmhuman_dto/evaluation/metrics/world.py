"""People through clips against exact truth: their places in each camera, their paths and motion in the world."""
from abc import abstractmethod
from typing import NamedTuple

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.evaluation.functional.clips import clip_metrics, clip_record, match_tracks
from mmhuman_dto.evaluation.functional.motion import FOOT_POINTS, acceleration_errors, foot_sliding, jitter
from mmhuman_dto.evaluation.functional.summary import mean, pooled, total
from mmhuman_dto.evaluation.functional.world import (
    egocentric_velocity_errors,
    root_trajectory_errors,
    w_mpjpe,
    wa_mpjpe,
)
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.geometry.matching import Matches
from mmhuman_dto.geometry.trajectories import world_points
from mmhuman_dto.registry import BODY_MODELS, METRICS

from .base import body_inputs

_FEET = [JOINT_SETS['smpl45'].names.index(name) for name in FOOT_POINTS]
#: How far apart, m, a predicted and a true person may be to be the same one in a frame.
SAME_PLACE = 1.


class TrackedBody(NamedTuple):
    """A person in all T frames of a clip, nan where nobody saw it; camera frame.

    ``joints`` (T, 45, 3) m, ``rotations`` (T, 3, 3) of the root, ``heights`` (T) m.
    """
    joints: np.ndarray
    rotations: np.ndarray
    heights: np.ndarray


class ClipMetric(BaseMetric):
    """One record a clip, of the people found in it.

    A sample has ``pred_clip`` and ``gt_clip``, :class:`~mmhuman_dto.structures.Clip` of the same frames, whose tracks
    have poses, betas and transl; where people have ``heights`` they are taken instead of their betas'. Frames count
    in which both sides have a person. ``frames_found`` is the share (%) of the true people's frames.

    Args:
        body_model: config of the body model of both sides.
        match: 'place' pairs tracks that are together longest (:func:`match_tracks`, whose ``distance`` is the next
            argument), each at most once, so that of somebody with two numbers one counts; 'ids' those of one number.
    """

    def __init__(self, body_model, match='place', distance=SAME_PLACE, collect_device='cpu', prefix=None):
        super().__init__(collect_device, prefix)
        if match not in ('place', 'ids'):
            raise ValueError(f"match={match!r}: expected 'place' or 'ids'")
        self.body_model = BODY_MODELS.build(body_model)
        self._joints_model = self.body_model.thinned('smpl45')
        self.match, self.distance = match, distance

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            pred, true = sample['pred_clip'], sample['gt_clip']
            if len(pred) != len(true):
                raise ValueError(f'{true.name or "clip"}: {len(pred)} frames are predicted, the truth has {len(true)}')
            bodies = [self.bodies(clip) for clip in (pred, true)]
            matches = self._matches(pred, true, *bodies)
            pairs = [(bodies[0][i], bodies[1][j]) for i, j in zip(matches.pred, matches.true)]
            found = sum(int((seen(one) & seen(other)).sum()) for one, other in pairs)
            self.results.append(dict(num_found=found, num_true=sum(map(len, true.tracks)), **self.record(
                pairs, pred, true)))

    @torch.no_grad()
    def bodies(self, clip):
        """:class:`TrackedBody` of each track."""
        self.body_model.check_meshes_of(clip.body_model, clip.name or 'clip')
        return [self._body(track, len(clip)) for track in clip.tracks]

    def _body(self, track, length):
        joints = self._joints_model(*body_inputs(track.people)).joints
        rotations = axis_angle_to_matrix(track.people.global_orient.double())
        heights = track.people.heights if 'heights' in track.people else self.body_model.height(track.people.betas)
        values = [torch.full((length, *rows.shape[1:]), torch.nan, dtype=torch.float64)
                  .index_copy(0, track.frames, rows.double()).numpy() for rows in (joints, rotations, heights)]
        return TrackedBody(*values)

    def _matches(self, pred, true, bodies_pred, bodies_true):
        if self.match == 'place':
            places = [np.array([body.joints[:, 0] for body in bodies]).reshape(len(bodies), len(true), 3)
                      for bodies in (bodies_pred, bodies_true)]
            return match_tracks(*places, self.distance)
        rows = [{track.track_id: row for row, track in enumerate(clip.tracks)} for clip in (pred, true)]
        both = [number for number in rows[1] if number in rows[0]]
        return Matches(*(np.array([row[number] for number in both], int) for row in rows))

    @abstractmethod
    def record(self, pairs, pred, true):
        """Arrays of a clip that :meth:`compute_metrics` pools, of pairs (predicted, true) of :class:`TrackedBody`."""

    def compute_metrics(self, results):
        number = total(results, 'num_true')
        share = 100 * total(results, 'num_found') / number if number else float('nan')
        return dict(frames_found=share, **self.figures(results))

    @abstractmethod
    def figures(self, results):
        """What is made of all records, besides ``frames_found``."""


@METRICS.register_module()
class ClipPlacementMetric(ClipMetric):
    """Errors in place (m), relative depth (%), order in depth (PCDR, % of pairs of a frame) and height (m; of a person
    by its median over the frames, and frame by frame), and popping (m): see :func:`clip_record`."""
    default_prefix = 'clip'

    def record(self, pairs, pred, true):
        values = [np.array(rows).reshape(len(pairs), len(true), *shape) for rows, shape in (
            ([one.joints[:, 0] for one, _ in pairs], (3, )), ([other.joints[:, 0] for _, other in pairs], (3, )),
            ([one.heights for one, _ in pairs], ()), ([other.heights for _, other in pairs], ()))]
        return clip_record(*values)

    def figures(self, results):
        return clip_metrics(results)


@METRICS.register_module()
class WorldMotionMetric(ClipMetric):
    """W-MPJPE, WA-MPJPE (mm), RTE (%), ERVE (mm a frame), acceleration errors (m/s^2), jitter (10 m/s^3), foot sliding
    (mm a frame): means over frames of people, see ``functional/world.py`` and ``motion.py``.

    Each side's world is by its own ``camera_poses``; accelerations are compared as they are, so that for these the
    worlds have to be turned alike. ``acceleration_error`` is pelvis-aligned, the error of pose alone;
    ``world_acceleration_error`` is not, so that places count, and ``root_acceleration_error`` is the pelvis' alone.

    Args:
        parity: jitter as EMDB's evaluator computes it.
    """
    default_prefix = 'world'
    NAMES = ('w_mpjpe', 'wa_mpjpe', 'rte', 'erve', 'acceleration_error', 'world_acceleration_error',
             'root_acceleration_error', 'jitter', 'foot_sliding')

    def __init__(self, body_model, parity=False, **kwargs):
        super().__init__(body_model, **kwargs)
        self.parity = parity

    def record(self, pairs, pred, true):
        people = [self._person(in_world(one, pred), in_world(other, true), true.times.numpy()) for one, other in pairs]
        return {name: pooled(people, name) for name in self.NAMES}

    def _person(self, pred, true, times):
        valid = seen(pred) & seen(true)
        sides = [body.joints[:, :24] for body in (pred, true)]
        roots = [joints[:, 0] for joints in sides]
        return dict(
            w_mpjpe=w_mpjpe(*sides, valid), wa_mpjpe=wa_mpjpe(*sides, valid), rte=root_trajectory_errors(*roots, valid),
            erve=egocentric_velocity_errors(*roots, pred.rotations, true.rotations, times, valid),
            acceleration_error=acceleration_errors(*sides, times, valid, root=0),
            world_acceleration_error=acceleration_errors(*sides, times, valid),
            root_acceleration_error=acceleration_errors(*(joints[:, :1] for joints in sides), times, valid),
            jitter=jitter(sides[0], times, valid, self.parity),
            foot_sliding=foot_sliding(pred.joints[:, _FEET], true.joints[:, _FEET], times, valid))

    def figures(self, results):
        return {name: float(np.nanmean(values)) if np.isfinite(values := pooled(results, name)).any() else mean([])
                for name in self.NAMES}


def seen(body):
    """(T) bool: the frames in which a body is."""
    return np.isfinite(body.joints[:, 0, 0])


def in_world(body, clip):
    """The :class:`TrackedBody` in the world of its clip."""
    if clip.camera_poses is None:
        return body
    turned = clip.camera_poses[:, :3, :3].mT.double().numpy() @ body.rotations
    return body._replace(joints=world_points(torch.as_tensor(body.joints), clip.camera_poses.double()).numpy(),
                         rotations=turned)
