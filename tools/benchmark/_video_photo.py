"""The real clip of :mod:`_photo_truth` as a video: joints that a network found, bodies fitted to them and placed."""
from typing import NamedTuple

import numpy as np
import torch
from _photo_truth import joints_of
from _video_clips import Kalman, frame_by_frame, over_time, pelvises
from mmengine.config import Config

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.evaluation.functional.clips import clip_metrics, clip_record
from mmhuman_dto.evaluation.functional.motion import acceleration_errors, foot_sliding, jitter
from mmhuman_dto.evaluation.functional.summary import pooled
from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fitting.temporal import TemporalFit
from mmhuman_dto.fitting.windows import JointTrack
from mmhuman_dto.perception import KeypointFitMeshes
from mmhuman_dto.perception.keypoint_fit import SIZE_SHARE
from mmhuman_dto.structures import Camera, Clip, HumanDataSample, People

#: Frames a second of the clip, of which the truth has every fourth.
FPS = 60.
#: Joints that are compared: nose and limbs; hips, whose middle is the root, and ankles, which stand for feet.
_NAMES = JOINT_SETS['coco17'].names
LIMBS = [i for i, name in enumerate(_NAMES) if not name.endswith(('eye', 'ear'))]
HIPS, ANKLES = ([_NAMES.index(f'{side}_{joint}') for side in ('left', 'right')] for joint in ('hip', 'ankle'))

#: Fields of people, and where their values are in the file.
_FOUND = dict(bboxes='det_box', scores='det_score', keypoints_2d='movenet_2d', keypoints_2d_valid='movenet_score')


class RealCase(NamedTuple):
    """One camera's view of the clip, in its frame: ``truth`` without tracks, for times and name; ``samples`` with
    ``detected_instances``, whose ``track_ids`` are rows of ``joints`` (P, T, 17, 3) m, nan where nobody knows, and
    ``heights`` (P) m."""
    truth: Clip
    samples: list
    joints: np.ndarray
    heights: np.ndarray
    cameras: str = 'still'

    @property
    def times(self):
        """(T) s."""
        return self.truth.times


def real_cases(path, knows_focal):
    """The :class:`RealCase` of each camera of an npz with ``K``, ``R``, ``t``, ``frames``, ``joints_3d``, ``heights``
    and, for each person found, ``det_camera``, ``det_frame``, ``det_person``, ``det_box``, ``det_score``,
    ``movenet_2d`` and ``movenet_score``."""
    with load_npz(path) as arrays:
        known = {name: arrays[name] for name in arrays}
    return [_case(known, camera, knows_focal) for camera in np.unique(known['det_camera']).tolist()]


def _case(known, camera, knows_focal):
    joints = known['joints_3d'].astype(float) @ known['R'][camera].T + known['t'][camera]
    joints[~known['joints_3d_valid']] = np.nan
    size = tuple(known['image_size'].tolist())
    intrinsics = torch.from_numpy(known['K'][camera]).float()
    samples = []
    for frame in known['frames'].tolist():
        rows = np.flatnonzero((known['det_camera'] == camera) & (known['det_frame'] == frame))
        found = {name: torch.from_numpy(known[key][rows].astype(np.float32)) for name, key in _FOUND.items()}
        sample = HumanDataSample(metainfo=dict(img_id=f'cam{camera + 1:02d}/{frame:06d}', ori_shape=size,
                                               keypoint_set='coco17'))
        sample.detected_instances = People(
            **found, track_ids=torch.from_numpy(known['det_person'][rows].astype(np.int64)))
        if knows_focal:
            sample.pred_camera = Camera(intrinsics=intrinsics)
        samples.append(sample)
    times = torch.from_numpy((known['frames'] - known['frames'][0]) / FPS)
    clip = Clip(f'cam{camera + 1:02d}', times, size, intrinsics.expand(len(samples), 3, 3), [])
    return RealCase(clip, samples, joints, known['heights'].astype(float))


class RealMethods:
    """{way: samples} of a case: bodies fitted to its joints, placed frame by frame or together, and fitted again.

    Args:
        body_model: of the bodies.
    """

    def __init__(self, body_model):
        stages = Config.fromfile(find_config('photo')).stages
        self.solver, self.body_model = stages.dto.solver.to_dict(), body_model
        meshes = {key: value for key, value in stages.meshes.source.items() if key != 'type'}
        self.source = KeypointFitMeshes(body_model, **meshes, device='cpu')

    def __call__(self, case):
        fitted = self._with_people(case, *zip(*self.source(case.samples)))
        placed = self._refitted(frame_by_frame(fitted, self.solver, self.body_model))
        kalman = Kalman([(case, placed)], self.body_model)
        return {'initial': fitted.samples, 'frame by frame': placed, 'Kalman': kalman(case, placed),
                'over time': self._refitted(over_time(fitted, self.solver, self.body_model)),
                'poses too': self.together(case)}

    def together(self, case):
        """Samples whose poses, too, were found together."""
        cameras = [camera for _, camera in self.source(case.samples)]
        fit, tracks = TemporalFit(self.source.fit), tracks_of(case, cameras)
        joints = [track for _, track in tracks.values()]
        results = fit(joints)
        fitted = self._with_people(case, people_of(case, tracks, results), cameras)
        placed = over_time(fitted, self.solver, self.body_model)
        depths, heights = zip(*(self._where(placed, number) for number in tracks))
        results = fit.refit([result.state for result in results], joints, depths, heights=torch.stack(heights))
        again = self._with_people(case, people_of(case, tracks, results), [sample.pred_camera for sample in placed])
        return again.samples

    def _where(self, samples, number):
        """Depths (F), m, of a person's pelvis in its frames, and its height, m."""
        rows = [(sample.pred_instances, sample.pred_instances.track_ids.tolist().index(number))
                for sample in samples if number in sample.pred_instances.track_ids.tolist()]
        depths = [pelvises(people[row:row + 1], self.body_model)[0, 2] for people, row in rows]
        return torch.stack(depths), torch.stack([people.heights[row] for people, row in rows]).median()

    def _with_people(self, case, people, cameras):
        """The case with meshes (a :class:`People` a frame), and what was found of each, in its samples."""
        samples = []
        for sample, meshes, camera in zip(case.samples, people, cameras):
            new, found = sample.new(), sample.detected_instances
            meshes.track_ids, meshes.scores = found.track_ids, found.scores
            meshes.keypoint_scores = found.keypoints_2d_valid
            new.detected_instances, new.pred_instances, new.pred_camera = found, meshes, camera
            samples.append(new)
        return case._replace(samples=samples)

    def _refitted(self, samples):
        for sample, people in zip(samples, self.source.refit(samples)):
            for name in ('global_orient', 'body_pose', 'betas', 'transl'):
                sample.pred_instances[name] = people[name]
            sample.pred_instances.heights = self.body_model.height(people.betas)
        return samples


def tracks_of(case, cameras):
    """{person: (frames (F), :class:`JointTrack`)}."""
    numbers = torch.cat([sample.detected_instances.track_ids for sample in case.samples]).unique().tolist()
    tracks = {}
    for number in numbers:
        places = [(frame, row) for frame, sample in enumerate(case.samples)
                  for row, other in enumerate(sample.detected_instances.track_ids.tolist()) if other == number]
        found = [case.samples[frame].detected_instances[row:row + 1] for frame, row in places]
        frames = torch.tensor([frame for frame, _ in places])
        tracks[number] = frames, JointTrack(
            torch.cat([one.keypoints_2d for one in found]), torch.cat([one.keypoints_2d_valid for one in found]),
            torch.stack([cameras[frame].intrinsics for frame in frames.tolist()]), case.times[frames])
    return tracks


def people_of(case, tracks, results):
    """[:class:`People`] of the frames, their rows as of ``detected_instances``."""
    rows = {}
    for (number, (frames, _)), result in zip(tracks.items(), results):
        pose, depth = result.pose.float(), result.state.position[:, 2].float()
        fields = dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=result.state.betas.float(),
                      transl=result.transl.float(), depths_std=depth * result.log_depth_std.float(),
                      heights_std=(result.heights * result.log_height_std).float(),
                      sizes_std=(SIZE_SHARE * result.log_size_std).float())
        rows.update({(number, frame): {name: values[i:i + 1] for name, values in fields.items()}
                     for i, frame in enumerate(frames.tolist())})
    return [People.cat([People(**rows[number, frame]) for number in sample.detected_instances.track_ids.tolist()])
            for frame, sample in enumerate(case.samples)]


def real_figures(cases, placed, body_model):
    """Figures of the samples of each case, named as those of the clip metrics; None: of the truth itself."""
    records = [_record(case, *_measured(case, samples, body_model)) for case, samples in zip(cases, placed)]
    motion = {name: float(pooled(records, name).mean()) for name in (
        'root_acceleration_error', 'world_acceleration_error', 'foot_sliding', 'jitter')}
    return clip_metrics(records) | motion


def _measured(case, samples, body_model):
    """Joints (P, T, 17, 3) and heights (P, T) m of a case's samples, nan where a person is not."""
    if samples is None:
        return case.joints, np.repeat(case.heights[:, None], len(case.samples), 1)
    joints, heights = np.full(case.joints.shape, np.nan), np.full(case.joints.shape[:2], np.nan)
    for frame, sample in enumerate(samples):
        people = sample.pred_instances
        rows = people.track_ids.numpy()
        joints[rows, frame] = joints_of(people, body_model)
        heights[rows, frame] = (people.heights if 'heights' in people else body_model.height(people.betas)).numpy()
    return joints, heights


def _record(case, joints, heights):
    """What :func:`clip_record` and :mod:`motion` say of a case's people, pooled."""
    roots = [part[:, :, HIPS].mean(2) for part in (joints, case.joints)]
    record = clip_record(*roots, heights, np.repeat(case.heights[:, None], len(case.times), 1))
    motion = [_motion(*one, case.times.numpy()) for one in zip(*roots, joints, case.joints)]
    return record | {name: np.concatenate([one[name] for one in motion]) for name in motion[0]}


def _motion(root, true_root, joints, true, times):
    valid = np.isfinite(joints[:, LIMBS]).all((1, 2)) & np.isfinite(true[:, LIMBS]).all((1, 2))
    return dict(
        root_acceleration_error=acceleration_errors(root[:, None], true_root[:, None], times, valid),
        world_acceleration_error=acceleration_errors(joints[:, LIMBS], true[:, LIMBS], times, valid),
        foot_sliding=foot_sliding(joints[:, ANKLES], true[:, ANKLES], times, valid),
        jitter=jitter(joints[:, LIMBS], times, valid))
