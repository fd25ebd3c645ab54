"""DTO on predictions: the generator's own call, on what of the silhouettes shows the people."""
import numpy as np
import pytest
import torch

from mmhuman_dto.models.task_modules import RefineByDTO
from mmhuman_dto.models.task_modules.refine import keep_foreground
from mmhuman_dto.registry import BODY_MODELS, STAGES
from mmhuman_dto.stages.base import Context
from mmhuman_dto.structures import HumanDataSample, Maps, People
from mmhuman_dto.synthetic import CrowdConfig, Renderer, dto_sample, sample_scene

SIZE = (170, 255)
EVIDENCE = dict(min_visible_vertices=100)


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def crowds(body_model):
    """Scenes, and what makes their initial meshes and disparity."""
    made, renderer = [], Renderer(body_model)
    for index in range(6):
        scene = sample_scene(index, body_model, CrowdConfig(SIZE, (4, 7)), seed=40)
        picture = renderer.maps(scene)
        made.append((scene, lambda scene=scene, picture=picture: unlabelled(
            dto_sample(scene, picture, 'x', body_model))))
    return made


def unlabelled(sample):
    """At test time nobody knows ages and which pixels show whom."""
    del sample.pred_instances.ages, sample.pred_instances.male_probs, sample.pred_maps.id_map
    return sample


@pytest.mark.parametrize('solver', ['PaperDTO', 'PosteriorDTO'])
def test_is_the_generators_call(crowds, body_model, solver):
    solver = dict(type=solver)
    refined, staged = ([make() for _, make in crowds] for _ in range(2))
    refined = RefineByDTO(solver, evidence=EVIDENCE, reach=float('inf'))(refined, body_model)
    for config in (dict(type='RasteriseMeshes'), dict(type='OptimiseTranslations', solver=solver, evidence=EVIDENCE)):
        stage = STAGES.build(config)
        stage.bind(Context(body_model, '', 'cpu'))
        staged = stage(staged)
    for ours, theirs in zip(refined, staged):
        rows = theirs.pred_instances.person_index
        assert len(rows) > 1
        for name in ('transl', 'betas', 'heights'):
            torch.testing.assert_close(ours.pred_instances[name][rows], theirs.pred_instances[name])
        torch.testing.assert_close(ours.pred_camera.intrinsics, theirs.pred_camera.intrinsics)


def test_puts_people_where_they_are(crowds, body_model):
    errors = {True: [], False: []}
    for refine in errors:
        samples = [make() for _, make in crowds]
        if refine:
            samples = RefineByDTO(dict(type='PosteriorDTO'), evidence=EVIDENCE)(samples, body_model)
        for (scene, _), sample in zip(crowds, samples):
            people = sample.pred_instances
            z = body_model.skeleton(people.pose, people.betas, people.transl)[:, 0, 2].numpy()
            log = np.log(z / scene.joints[:, 0, 2])
            errors[refine] += list(np.abs(log - np.median(log)))
    assert np.mean(errors[True]) < .8 * np.mean(errors[False])


def test_what_lies_behind_a_silhouette_is_no_part_of_the_person():
    """Meshes at 2 and 4 m; a strip of the first silhouette shows something at 6 m, one of the second at 2 m."""
    ids = torch.tensor([[1] * 10 + [2] * 10 + [0] * 5]).repeat(4, 1)
    z = torch.tensor([0., 2., 4.])[ids]
    shown = torch.where(ids > 0, z, 9.)
    shown[:, :2], shown[:, 18:20] = 6., 2.
    shown[:, 5] = 2.2  # a body is not flat
    sample = HumanDataSample(pred_instances=People(num_people=3))
    sample.pred_maps = Maps(disparity=700 / shown, id_map=ids.clone(), z_map=z)
    keep_foreground(sample, .15)
    want = ids.clone()
    want[:, :2] = want[:, 18:20] = 0
    assert torch.equal(sample.pred_maps.id_map, want)
    keep_foreground(sample, float('inf'))
    assert torch.equal(sample.pred_maps.id_map, want)
