"""People placed again from evidence kept with them, through a table on disk, as a training pipeline does."""
import pytest
import torch
from evidence_table import write_evidence_table

from mmhuman_dto.dto.problem import CACHED
from mmhuman_dto.registry import TRANSFORMS
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tables.people_table import PeopleTable

#: What initial meshes say of heights is no longer there once they were placed.
SOLVER = dict(type='PosteriorDTO', focal_std=0., terms=dict(initial=None))


@pytest.fixture(scope='module')
def tables(tmp_path_factory):
    """The crowd placed by the paper's solver with its evidence kept, and by the solver above."""
    folder = tmp_path_factory.mktemp('tables')
    return [PeopleTable(write_evidence_table(folder / name, 2, **dto))
            for name, dto in (('kept', {}), ('direct', dict(solver=SOLVER)))]


def training_sample(placed):
    sample = HumanDataSample(metainfo=dict(img_id=placed.img_id, ori_shape=placed.ori_shape))
    sample.gt_instances, sample.gt_camera = placed.pred_instances, placed.pred_camera
    return sample


def refine(solver):
    return TRANSFORMS.build(dict(type='RefineTranslations', body_model=dict(type='OpenBody'), solver=solver))


def test_placed_again_as_if_from_the_maps(tables):
    kept, direct = tables
    transform = refine(SOLVER)
    assert kept[0].pred_instances.dto_evidence.shape[1] == len(CACHED)
    for before, want in zip(kept, direct):
        sample = transform(training_sample(before))
        people, expected = sample.gt_instances, want.pred_instances
        assert before.pred_instances.person_index.tolist() == expected.person_index.tolist()
        off = (people.transl[:, 2] / expected.transl[:, 2] - 1).abs()
        assert off.max() < .03
        assert off.mean() < .01
        torch.testing.assert_close(people.heights, expected.heights, rtol=.03, atol=0)
        torch.testing.assert_close(people.depths_std, expected.depths_std, rtol=.2, atol=0)
        assert sample.optimised


@pytest.mark.parametrize('solver', [dict(SOLVER, rounds=8, tolerance=0.), dict(type='PaperDTO')], ids=['post', 'paper'])
def test_many_are_placed_as_each_alone(tables, solver):
    """Nobody in an image between others does no harm."""
    transform = refine(solver)
    alone, together = ([training_sample(placed) for placed in tables[0]] for _ in range(2))
    for samples in (alone, together):
        samples[1:1] = [training_sample(tables[0][0])]
        samples[1].gt_instances = samples[1].gt_instances[[]]
    for one, other in zip(map(transform, alone), transform.many(together)):
        assert one.img_id == other.img_id and one.get('optimised') == other.get('optimised')
        for name, value in one.gt_instances.items():
            torch.testing.assert_close(other.gt_instances[name], value, equal_nan=True)


def test_the_papers_solver_too_and_a_second_time_little_changes(tables):
    transform = refine(dict(type='PaperDTO'))
    sample = transform(training_sample(tables[0][1]))
    once = sample.gt_instances.transl.clone()
    twice = transform(sample).gt_instances.transl
    assert (twice / once - 1).abs()[:, 2].mean() < .05
    assert 'depths_std' not in sample.gt_instances


def test_people_who_cannot_be_placed_stay(tables):
    sample = training_sample(tables[0][0])
    sample.gt_instances.transl[1, 2] = -1.
    before = sample.gt_instances.transl.clone()
    people = refine(SOLVER)(sample).gt_instances
    assert people.transl[1].equal(before[1])
    assert people.depths_std.isnan().tolist() == [i == 1 for i in range(len(people))]
    assert not people.transl[0].equal(before[0])


def test_a_camera_that_may_change_does(tables):
    sample = training_sample(tables[0][0])
    focal = float(sample.gt_camera.intrinsics[0, 0])
    refined = refine(dict(SOLVER, focal_std=.3))(sample)
    assert abs(float(refined.gt_camera.intrinsics[0, 0]) / focal - 1) > 1e-3


def test_nobody_is_fine_and_missing_evidence_is_named(tables):
    sample = training_sample(tables[0][0])
    del sample.gt_instances.dto_evidence
    with pytest.raises(ValueError, match='dto_evidence'):
        refine(SOLVER)(sample)
    sample.gt_instances = sample.gt_instances[[]]
    assert len(refine(SOLVER)(sample).gt_instances) == 0
