"""2D joints through time of people whose 3D joints are known: crowds with a network's errors, and a real clip."""
from typing import NamedTuple

import numpy as np
import torch
from _photo_truth import CLIP_TRUTH

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fitting import FitState, JointTrack
from mmhuman_dto.fitting.windows import LEAST_JOINTS
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.geometry.trajectories import world_points
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors, detected
from mmhuman_dto.synthetic.keypoints import hidden_by_others

#: Joints that poses are measured by: nose and limbs, which data sets agree on.
LIMBS = [i for i, name in enumerate(JOINT_SETS['coco17'].names) if not name.endswith(('eye', 'ear'))]
#: Scores below are not seen.
MIN_SCORE = .1
#: Share of the variance of joints' errors that lasts, and for how long, s; the rest is new in each frame.
LASTING, LASTS = .5, .2
#: Frames a second of the real clip's frames: every fourth of 60.
CLIP_FPS = 15.
CAMERAS = ('still', 'panning', 'walking')


class MovingPerson(NamedTuple):
    """One person's track, and the truth in its F frames: joints (F, 17, 3) m, camera frame; ``counted`` (F) which
    frames are measured; height m; camera_poses (F, 4, 4) world -> camera, None: the camera stands still."""
    track: JointTrack
    joints: np.ndarray
    counted: np.ndarray
    height: float
    camera_poses: torch.Tensor | None

    def unseen(self, bones, seconds):
        """The person of whom joints of ``bones``, all for (), are not seen in so many seconds amid the track, which
        alone are measured; None where the track is shorter than twice that."""
        times = self.track.times
        middle = (times - times.mean()).abs() <= seconds / 2
        if times[-1] - times[0] < 2 * seconds:
            return None
        rows = torch.tensor([name.endswith(bones) if bones else True for name in JOINT_SETS['coco17'].names])
        scores = torch.where(middle[:, None] & rows, 0, self.track.scores)
        return self._replace(track=self.track._replace(scores=scores), counted=self.counted & middle.numpy())

    def in_world(self, points):
        """Points (F, K, 3) of the camera frame in the world's."""
        return world_points(torch.as_tensor(points).double(), self.camera_poses).numpy()


def crowd_people(fit, number, seconds, seed, lasting=LASTING):
    """Yield the :class:`MovingPerson` of so many moving crowds, whose cameras stand, pan and walk by turns.

    Args:
        fit: :class:`~mmhuman_dto.fitting.KeypointFit`, whose body and joints they are. lasting: see ``LASTING``.
    """
    for index in range(number):
        config = ClipConfig(size=(720, 1280), seconds=seconds, cameras=((CAMERAS[index % len(CAMERAS)], 1.), ))
        crowd = sample_clip(index, fit.body_model, config, seed)
        yield from _people_of(crowd, fit, lasting, np.random.default_rng([seed, index]))


def _people_of(crowd, fit, lasting, rng):
    intrinsics = np.asarray(crowd.camera.intrinsics, float)
    joints = np.stack([_joints(crowd, row, fit) for row in range(len(crowd.actors))])  # (M, T, 17, 3)
    pixels = joints[..., :2] / joints[..., 2:].clip(.1) * intrinsics[0, 0] + intrinsics[:2, 2]
    heights = np.array([actor.height for actor in crowd.actors])
    hidden = np.stack([hidden_by_others(pixels[:, t], joints[:, t], heights, intrinsics[0, 0])
                       for t in range(len(crowd))], 1)
    edge = np.array(crowd.config.size[::-1])
    shown = ((pixels > 0) & (pixels < edge)).all(-1) & (joints[..., 2] > .3)
    keypoints, scores = _seen(pixels, hidden, crowd.config, lasting, rng)
    found = (shown & ~hidden).sum(-1) >= LEAST_JOINTS
    times, cameras = torch.as_tensor(crowd.times), torch.as_tensor(crowd.world_to_camera)
    for row in range(len(joints)):
        frames = torch.from_numpy(np.flatnonzero(found[row]))
        if len(frames) < 2:
            continue
        kept, track = JointTrack.across_gaps(
            frames, torch.from_numpy(keypoints[row])[frames], torch.from_numpy(scores[row])[frames], times,
            torch.from_numpy(intrinsics).expand(len(times), 3, 3))
        truth = joints[row, kept.numpy()]
        yield MovingPerson(track, truth, np.ones(len(truth), bool), heights[row], cameras[kept])


def _joints(crowd, row, fit):
    """True joints (T, 17, 3) m, camera frame, of an actor in all frames."""
    pose, root = crowd.in_camera(row, np.arange(len(crowd)))
    betas = torch.as_tensor(crowd.actors[row].betas).double().expand(len(pose), -1)
    place = torch.zeros(len(pose), 3).double()
    state = FitState(axis_angle_to_matrix(torch.from_numpy(pose)), betas, place)
    return (fit.tables.joints(state) - state.position[:, None]).numpy() + root[:, None]


def _seen(pixels, hidden, config, lasting, rng):
    """Keypoints (M, T, 17, 2) and scores (M, T, 17) as a network gives them, of whose errors a part lasts a while."""
    errors = KeypointErrors()
    fresh = [detected(pixels[:, t], hidden[:, t], config.size, errors, rng) for t in range(pixels.shape[1])]
    knots = np.arange(0, pixels.shape[1] + LASTS * config.fps, LASTS * config.fps)
    drawn = [detected(pixels[:, t], hidden[:, t], config.size, errors, rng)
             for t in np.minimum(knots, pixels.shape[1] - 1).astype(int)]
    at = np.arange(pixels.shape[1]) / (LASTS * config.fps)
    before, part = at.astype(int), (at % 1)[:, None, None, None]
    moved = np.stack([points - pixels[:, int(min(t, pixels.shape[1] - 1))] for (points, _), t in zip(drawn, knots)])
    slow = (1 - part) * moved[before] + part * moved[before + 1]
    told = np.stack([scores for _, scores in drawn])
    told = (1 - part[..., 0]) * told[before] + part[..., 0] * told[before + 1]
    quick = np.stack([points for points, _ in fresh]) - pixels.swapaxes(0, 1)
    scores = lasting * told + (1 - lasting) * np.stack([scores for _, scores in fresh])
    points = pixels.swapaxes(0, 1) + np.sqrt(lasting) * slow + np.sqrt(1 - lasting) * quick
    return points.swapaxes(0, 1), np.where(scores < MIN_SCORE, 0, scores).swapaxes(0, 1)


def clip_people(detector, truth=CLIP_TRUTH):
    """Yield the :class:`MovingPerson` of the real clip, of each camera, from joints that ``detector`` found.

    Args:
        detector: 'movenet' or 'blazepose'. truth: npz; see :func:`_photo_truth.clip_cases`.
    """
    score = dict(movenet='movenet_score', blazepose='blazepose_visibility')[detector]
    with load_npz(truth) as arrays:
        known = {name: arrays[name] for name in arrays}
    for camera in np.unique(known['det_camera']):
        for person in range(len(known['heights'])):
            rows = np.flatnonzero((known['det_camera'] == camera) & (known['det_person'] == person))
            if not len(rows):
                continue
            frames = np.searchsorted(known['frames'], known['det_frame'][rows])
            scores = known[score][rows].astype(float)
            track = JointTrack(*(torch.from_numpy(np.array(values, float)) for values in (
                known[f'{detector}_2d'][rows], np.where(scores < MIN_SCORE, 0, scores),
                np.broadcast_to(known['K'][camera], (len(rows), 3, 3)), frames / CLIP_FPS)))
            joints = known['joints_3d'][person, frames] @ known['R'][camera].T + known['t'][camera]
            counted = known['joints_3d_valid'][person, frames][:, LIMBS].all(1)
            yield MovingPerson(track, joints, counted, float(known['heights'][person]), None)
