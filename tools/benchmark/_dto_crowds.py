"""Synthetic crowds as DTO problems with their truth, under stated errors, without drawing a picture.

Scenes, meshes, maps and evidence are those of the real pipeline; only colours are left out. Disparity and id maps come
from the rasteriser, so occlusion, relief and slope within people are real.
"""
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.dto import DTOProblem
from mmhuman_dto.evaluation.functional import PlacedPeople
from mmhuman_dto.geometry import rasterize, visible_vertices
from mmhuman_dto.testing import dto_sample, sample_scene
from mmhuman_dto.testing.corruption import DisparityErrors, InitialErrors, NetworkErrors
from mmhuman_dto.testing.render import Picture, View

#: Height and width of the maps, px: what the generator draws meshes at.
SIZE = (340, 510)
#: Batches hold this many scenes.
BATCH = 20


@dataclass(frozen=True)
class Setting:
    """One point of the grid.

    Attributes:
        scenes: what differs from :class:`CrowdConfig`'s defaults.
        depth_noise: std of the logarithm of each person's disparity.
        offset: constant added to the disparity, in medians over the people, its sign drawn; a negative one stops at half
            of the farthest person's disparity.
        focal_error: assumed over true focal length - 1, one up or down a picture.
        missing_ages, wrong_ages: share of people whose age and sex are unknown, or drawn at random.
        disparity, initial: what else differs from the defaults of the errors.
    """
    scenes: dict = field(default_factory=dict)
    depth_noise: float = .06
    offset: float = 0.
    focal_error: float = 0.
    missing_ages: float = 0.
    wrong_ages: float = 0.
    disparity: dict = field(default_factory=dict)
    initial: dict = field(default_factory=dict)


class Drawn(NamedTuple):
    """A scene and its exact maps."""
    scene: object
    picture: Picture


class Crowds(NamedTuple):
    """Problems of batches of scenes, the samples they are made from, and the truth of the people in them."""
    problems: list
    samples: list
    truth: list


def draw_scenes(config, seed, number, body_model):
    """``number`` scenes with their exact depth and id maps."""
    drawn = []
    for index in range(number):
        scene = sample_scene(index, body_model, config, seed)
        view = View(scene, body_model.faces)
        drawn.append(Drawn(scene, Picture(None, view.z, np.where(view.is_person, view.ids, 0))))
    return drawn


def make_sample(drawn, setting, name, body_model):
    """What DTO starts from under a setting's errors."""
    scene, picture = drawn
    rng = scene.generator('quality')
    errors = NetworkErrors(
        InitialErrors(**{'focal_noise': 0., **setting.initial}),
        DisparityErrors(**{'shift_noise': 0., 'person_noise': setting.depth_noise, **setting.disparity}))
    sample = dto_sample(scene, picture, name, body_model, errors)
    _refocus(sample, (1 + setting.focal_error)**rng.choice([-1., 1.]), body_model)
    sample.pred_maps.disparity = _shifted(sample.pred_maps, setting.offset * rng.choice([-1., 1.]))
    _spoil_ages(sample.pred_instances, setting, rng)
    _rasterise(sample, body_model)
    return sample


def _refocus(sample, factor, body_model):
    """Assume another focal length: people look the same, ``factor`` times as far away."""
    people = sample.pred_instances
    rest = body_model.skeleton(torch.zeros(len(people), 24, 3), people.betas)[:, 0, 2]
    people.transl[:, 2] = (people.transl[:, 2] + rest) * factor - rest
    sample.pred_camera.intrinsics[[0, 1], [0, 1]] *= factor


def _shifted(maps, offset):
    """The disparity plus ``offset`` medians over the people; people stay in front of infinity."""
    on_people = maps.disparity[maps.id_map > 0]
    shift = offset * on_people.median()
    if shift < 0:
        farthest = min(maps.disparity[maps.id_map == i].median() for i in maps.id_map.unique() if i > 0)
        shift = max(shift, -farthest / 2)
    return (maps.disparity + shift).clamp(min=0)


def _spoil_ages(people, setting, rng):
    """Unknown ages and sexes, and some drawn at random: wrong ones."""
    draw = torch.from_numpy(rng.random(len(people)))
    wrong = draw < setting.wrong_ages
    people.ages[wrong] = torch.from_numpy(rng.uniform(1, 70, int(wrong.sum()))).float()
    people.male_probs[wrong] = torch.from_numpy(rng.random(int(wrong.sum()))).float()
    missing = draw > 1 - setting.missing_ages
    people.ages[missing] = people.male_probs[missing] = torch.nan


def _rasterise(sample, body_model):
    """The initial meshes where the exact masks show their people, as the generator's stage does."""
    people, maps = sample.pred_instances, sample.pred_maps
    vertices = body_model(people.pose, people.betas, people.transl).vertices
    raster = rasterize(vertices, body_model.faces, sample.pred_camera.intrinsics, maps.id_map.shape)
    people.visible_vertices = visible_vertices(raster, body_model.faces, *vertices.shape[:2])
    maps.id_map = torch.where(raster.id_map == maps.id_map, raster.id_map, 0)
    maps.z_map = raster.z_map


def make_crowds(drawn, setting, body_model, **options):
    """Problems, samples without maps, and truth (roots, heights) of the people with evidence.

    Args:
        options: ``prior`` and ``evidence`` of :meth:`DTOProblem.from_samples`.
    """
    crowds = Crowds([], [], [])
    for first in range(0, len(drawn), BATCH):
        batch = drawn[first:first + BATCH]
        samples = [make_sample(one, setting, str(first + i), body_model) for i, one in enumerate(batch)]
        problem = DTOProblem.from_samples(samples, body_model, **options)
        for sample in samples:
            del sample.pred_maps
        crowds.problems.append(problem)
        crowds.samples.append(samples)
        for one, index, mask in zip(batch, problem.person_index, problem.mask):
            rows = index[mask].numpy()
            crowds.truth.append(PlacedPeople(one.scene.joints[rows, 0], one.scene.heights[rows]))
    return crowds
