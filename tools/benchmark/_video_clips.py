"""Clips of moving crowds as DTO sees them, and the ways to place their people that are compared."""
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from _kalman import fit_noise, smooth

from mmhuman_dto.dto import DTOOptimizer, DTOProblem
from mmhuman_dto.dto.drawing import draw_meshes
from mmhuman_dto.dto.temporal import ClipOptimizer, Steady
from mmhuman_dto.geometry.trajectories import camera_points, inverse_poses, world_points
from mmhuman_dto.structures import Clip, Maps
from mmhuman_dto.synthetic import Renderer
from mmhuman_dto.synthetic.clips import ClipConfig, ClipErrors, clip_samples, sample_clip
from mmhuman_dto.synthetic.corruption import InitialErrors

#: Kinds of camera, and what is told of it: see :meth:`mmhuman_dto.dto.temporal.TemporalDTO.solve`.
SETTINGS = {'still': 'still', 'panning': 'moving', 'walking': 'poses'}
#: What the posterior solver looks at: metres of a depth map as well, or heights and the ground alone.
SOLVERS = {'no depth': dict(type='PosteriorDTO', terms=dict(depth=None, relief=None), needs_depth=False),
           'depth': dict(type='PosteriorDTO', needs_depth=False)}


class VideoCase(NamedTuple):
    """A clip: the ``truth``, a :class:`Clip` with ``camera_poses`` where they are given to the methods (else the camera
    frame is the world, for both sides); ``samples`` of its frames, with initial meshes, evidence and ``track_ids``."""
    truth: Clip
    samples: list
    setting: str

    @property
    def cameras(self):
        """What the solver of videos is told of the camera."""
        told = SETTINGS[self.setting]
        return self.truth.camera_poses if told == 'poses' else told

    @property
    def times(self):
        """(T) s."""
        return self.truth.times


def clip_errors(fresh=False, focal_error=.1):
    """The :class:`ClipErrors` of clips: whether all are new in each frame, and the std of the log focal length."""
    network = replace(ClipErrors().network, initial=InitialErrors(focal_noise=focal_error))
    return (ClipErrors.frame_by_frame if fresh else ClipErrors)(network=network)


def video_cases(setting, number, seconds, seed, body_model, errors=None):
    """Yield the :class:`VideoCase` of so many clips of a setting of ``SETTINGS``; ``errors``: :class:`ClipErrors`."""
    renderer = Renderer(body_model)
    config = ClipConfig(seconds=seconds, cameras=((setting, 1.), ))
    for index in range(number):
        crowd = sample_clip(index, body_model, config, seed)
        samples = [with_evidence(sample, body_model)
                   for sample in clip_samples(crowd, crowd.pictures(renderer, images=False), errors)]
        truth = crowd.clip
        if SETTINGS[setting] != 'poses':
            truth.camera_poses = None
        yield VideoCase(truth, samples, setting)


def with_evidence(sample, body_model):
    """The sample with what its maps say of each person kept as ``dto_evidence``; of the maps it keeps who is where."""
    people, maps = sample.pred_instances, sample.pred_maps
    # The exact masks are those of the pictures.
    maps.segmentation = maps.id_map
    draw_meshes([sample], [tuple(maps.id_map.shape)], body_model)
    problem = DTOProblem.from_samples([sample], body_model, depth='used')
    evidence = torch.full((len(people), problem.cached(0).shape[1]), torch.nan)
    evidence[problem.person_index[0][problem.mask[0]]] = problem.cached(0)
    people.dto_evidence = evidence
    del people.visible_vertices
    sample.pred_maps = Maps(id_map=sample.pred_maps.id_map.byte())
    return sample


def frame_by_frame(case, solver, body_model):
    """Samples of a case, each frame placed for itself."""
    return DTOOptimizer(solver)(case.samples, body_model, keep_dropped=True)


def steadily(case, solver, body_model):
    """:func:`frame_by_frame` of frames that have one camera and one shape a person."""
    return frame_by_frame(case._replace(samples=_steady(case, body_model)), solver, body_model)


def over_time(case, solver, body_model):
    """Samples of a case placed together, with one camera and one shape a person; ``solver``: of their frames."""
    frames = _steady(case, body_model)
    return list(ClipOptimizer(dict(still=solver))(frames, case.times, body_model, case.cameras))


def _steady(case, body_model):
    steady = Steady(body_model)
    steady.add(case.samples)
    return steady(case.samples)


class Kalman:
    """Samples that were placed frame by frame, each person's pelvis smoothed; noise by the clips it is made with.

    Args:
        placed: [(case, samples)].
    """

    def __init__(self, placed, body_model):
        self.body_model = body_model
        self.noise = fit_noise([self._measured(*one)[1:] for one in placed])

    def __call__(self, case, samples):
        numbers, *measured = self._measured(case, samples)
        places = smooth(*measured[:2], self.noise, measured[2])
        places = camera_points(torch.from_numpy(places.swapaxes(0, 1)), case.truth.camera_poses).numpy()
        return [self._moved(sample, places[frame, np.searchsorted(numbers, sample.pred_instances.track_ids)])
                for frame, sample in enumerate(samples)]

    def _measured(self, case, samples):
        """Numbers of tracks, times (T), places (N, T, 3) in the world, rays to them from the camera."""
        numbers = np.unique(np.concatenate([sample.pred_instances.track_ids for sample in samples]))
        places = np.full((len(samples), len(numbers), 3), np.nan)
        for frame, sample in enumerate(samples):
            rows = np.searchsorted(numbers, sample.pred_instances.track_ids)
            places[frame, rows] = pelvises(sample.pred_instances, self.body_model).numpy()
        poses = case.truth.camera_poses
        places = world_points(torch.from_numpy(places), poses).numpy()
        rays = places if poses is None else places - inverse_poses(poses)[:, None, :3, 3].numpy()
        return numbers, case.times.numpy(), places.swapaxes(0, 1), rays.swapaxes(0, 1)

    def _moved(self, sample, places):
        new = sample.new()
        people = sample.pred_instances[:]
        people.transl = people.transl + (torch.from_numpy(places) - pelvises(people, self.body_model)).float()
        new.pred_instances = people
        return new


@torch.no_grad()
def pelvises(people, body_model):
    """(N, 3) float64, m, camera frame."""
    return body_model.skeleton(people.pose, people.betas, people.transl)[:, 0].double()


def clip_of(case, samples, body_model):
    """The :class:`Clip` of a case's placed samples, in the truth's world."""
    return Clip.from_samples(samples, case.times, case.truth.name, camera_poses=case.truth.camera_poses,
                             body_model=type(body_model).__name__)
