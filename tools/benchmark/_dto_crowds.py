"""Synthetic crowds as DTO problems with their truth, under stated errors, without drawing a picture.

Scenes, meshes, maps and evidence are those of the real pipeline; only colours are left out. Disparity and id maps come
from the rasteriser, so occlusion, relief and slope within people are real.
"""
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from mmhuman_dto.dto import DTOProblem
from mmhuman_dto.dto.drawing import draw_meshes
from mmhuman_dto.evaluation.functional.placement import PlacedPeople
from mmhuman_dto.synthetic import CrowdConfig, Renderer, dto_sample, sample_scene
from mmhuman_dto.synthetic.corruption import DisparityErrors, InitialErrors, NetworkErrors

#: Height and width of the maps, px: about what the generator draws meshes at.
SIZE = (340, 510)
#: Scenes solved at once.
BATCH = 20


@dataclass(frozen=True)
class Setting:
    """One point of the grid; what is not named here is at the package's defaults."""
    #: people, child_share, max_slope: see :class:`CrowdConfig`
    people: tuple[int, int] = (2, 12)
    child_share: float = .35
    max_slope: float = 6.
    crowded: bool = False  # people stand beside each other, and those of whom 8 % is visible stay in
    depth_noise: float = .06  # std of the logarithm of each person's disparity
    #: constant added to the disparity, in medians over the people, up or down; downwards it stops at half of the
    #: farthest person's disparity
    offset: float = .05
    focal_error: float = .1  # std of the logarithm of assumed over true focal length
    #: missing_ages, wrong_ages: share of people whose age and sex are unknown, or drawn at random
    missing_ages: float = 0.
    wrong_ages: float = 0.

    @property
    def crowd(self):
        """The :class:`CrowdConfig` of its scenes."""
        crowding = dict(grouped=.95, min_visible=.08) if self.crowded else {}
        return CrowdConfig(SIZE, self.people, self.child_share, max_slope=self.max_slope, **crowding)


BASE = Setting()
#: What is varied: {axis: {label: what differs from BASE}}.
AXES = {
    'depth noise': {f'{x:.0%}': dict(depth_noise=x) for x in (.02, .04, .06, .08, .1, .15)},
    'disparity offset': {f'{x:.0%}': dict(offset=x) for x in (0., .1, .25, .5)},
    'focal error': {f'{x:.0%}': dict(focal_error=x) for x in (0., .2, .4)},
    'people': {f'{low}-{high}': dict(people=(low, high)) for low, high in ((2, 3), (4, 6), (9, 12))},
    'children': {f'{x:.0%}': dict(child_share=x) for x in (0., .7)},
    'missing ages': {f'{x:.0%}': dict(missing_ages=x) for x in (.5, 1.)},
    'wrong ages': {f'{x:.0%}': dict(wrong_ages=x) for x in (.25, .5)},
    'occlusion': {'crowded': dict(crowded=True)},
    'ground slope': {f'{x} deg': dict(max_slope=float(x)) for x in (0, 15)},
}


def grid(axes=tuple(AXES)):
    """{(axis, label): Setting}."""
    return {(axis, label): replace(BASE, **changes) for axis in axes for label, changes in AXES[axis].items()}


class Crowds(NamedTuple):
    """Problems of batches of scenes, the samples they are made from (without maps), and scenes and truth one by one."""
    problems: list
    samples: list
    scenes: list
    truth: list


class CrowdMaker:
    """Crowds of one seed; scenes are drawn once for all settings that share them.

    Args:
        body_model: with a child coefficient, on the CPU. seed: of the scenes. number: scenes a setting.
    """

    def __init__(self, body_model, seed, number):
        self.body_model, self.seed, self.number = body_model, seed, number
        self._renderer, self._drawn = Renderer(body_model), {}

    def __call__(self, setting):
        """:class:`Crowds` of a setting; the truth is that of the people with evidence, :class:`PlacedPeople`."""
        crowds = Crowds([], [], [], [])
        scenes = self._scenes(setting.crowd)
        for first in range(0, len(scenes), BATCH):
            batch = scenes[first:first + BATCH]
            samples = [make_sample(*drawn, setting, self.body_model) for drawn in batch]
            problem = DTOProblem.from_samples(samples, self.body_model)
            for sample in samples:
                del sample.pred_maps
            crowds.problems.append(problem)
            crowds.samples.append(samples)
            for (scene, _), index, mask in zip(batch, problem.person_index, problem.mask):
                rows = index[mask].numpy()
                crowds.scenes.append(scene.keep(rows))
                crowds.truth.append(PlacedPeople(scene.joints[rows, 0], scene.heights[rows]))
        return crowds

    def _scenes(self, config):
        """Scenes with their exact maps, [(Scene, Picture)]."""
        if config not in self._drawn:
            self._drawn[config] = []
            for index in range(self.number):
                scene = sample_scene(index, self.body_model, config, self.seed)
                self._drawn[config].append((scene, self._renderer.maps(scene)))
        return self._drawn[config]


def make_sample(scene, picture, setting, body_model):
    """What DTO starts from under a setting's errors."""
    rng = scene.generator('quality')
    errors = NetworkErrors(InitialErrors(focal_noise=setting.focal_error),
                           DisparityErrors(shift_noise=0., person_noise=setting.depth_noise))
    sample = dto_sample(scene, picture, str(scene.seed[1]), body_model, errors)
    sample.pred_maps.disparity = _shifted(sample.pred_maps, setting.offset * rng.choice([-1., 1.]))
    _spoil_ages(sample.pred_instances, setting, rng)
    # The exact masks are those of the pictures.
    sample.pred_maps.segmentation = sample.pred_maps.id_map
    draw_meshes([sample], [SIZE], body_model)
    return sample


def _shifted(maps, offset):
    """The disparity plus ``offset`` medians over the people; people stay in front of infinity."""
    shift = offset * maps.disparity[maps.id_map > 0].median()
    if shift < 0:
        farthest = min(maps.disparity[maps.id_map == i].median() for i in maps.id_map.unique() if i > 0)
        shift = max(shift, -farthest / 2)
    return (maps.disparity + shift).clamp(min=0)


def _spoil_ages(people, setting, rng):
    draw = torch.from_numpy(rng.random(len(people)))
    wrong, missing = draw < setting.wrong_ages, draw > 1 - setting.missing_ages
    people.ages[wrong] = torch.from_numpy(rng.uniform(1, 70, int(wrong.sum()))).float()
    people.male_probs[wrong] = torch.from_numpy(rng.random(int(wrong.sum()))).float()
    people.ages[missing] = people.male_probs[missing] = torch.nan
