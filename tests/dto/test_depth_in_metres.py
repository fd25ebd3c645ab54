"""What a depth map says in metres once its form is solved."""
from types import SimpleNamespace

import pytest
import torch
from stick_people import SIZE, StickBody, make_sample

from mmhuman_dto.dto import DTOOptimizer, PaperDTO, PosteriorDTO
from mmhuman_dto.dto.solvers.paper import FAR_DEPTH, on_lines
from mmhuman_dto.stages import OptimiseTranslations
from mmhuman_dto.structures import Maps

#: Disparity of z in :func:`make_sample`.
UNIT = 300.


def without_map():
    sample = make_sample()
    sample.pred_maps = Maps(id_map=sample.pred_maps.id_map, z_map=sample.pred_maps.z_map)
    sample.set_metainfo(dict(ori_shape=(SIZE, SIZE)))
    return sample


def solve(solver, *samples):
    return DTOOptimizer(solver).solve(list(samples), StickBody())


@pytest.mark.parametrize('domain', ['inverse', 'linear', 'log'])
def test_a_map_of_true_distances_gives_them_back(domain):
    """Everybody's mesh is right, so the map's own scale is what is found."""
    depth = dict(type='DepthTerm', domain=domain)
    result = solve(PosteriorDTO(dict(depth=depth, relief=None, ground=None), focal_std=0.),
                   make_sample(), make_sample(z=(3., 3.5, 4., 6.)))
    z = torch.tensor([[2.5, 3.], [4., 7.]])
    for scene in range(2):
        torch.testing.assert_close(result.metres(scene, UNIT / z), z.double(), rtol=.03, atol=0)


#: Nothing but the map says where people are.
ALONE = dict.fromkeys(('relief', 'ground', 'height', 'initial'))


@pytest.mark.parametrize('solver, near', [
    (PaperDTO(), .06), (PosteriorDTO(ALONE), .01), (PosteriorDTO(ALONE, focal_std=.2), .01)],
    ids=['paper', 'posterior', 'focal'])
def test_people_stand_where_the_map_in_metres_is(solver, near):
    """The meshes are 15 % too near or far; the map, placed people and a moved camera agree."""
    sample = make_sample(z=(3.4, 3.5, 5.5, 5.2), distance=(3., 4., 5., 6.))
    result = solve(solver, sample)
    placed, = result.apply([sample], StickBody())
    depth = result.metres(0, sample.pred_maps.disparity)
    assert depth.dtype == torch.float64 and depth.shape == sample.pred_maps.disparity.shape
    z = StickBody().skeleton(torch.zeros(4, 24, 3), placed.pred_instances.betas, placed.pred_instances.transl)[:, 0, 2]
    seen = torch.stack([depth[sample.pred_maps.id_map == i + 1].mean() for i in range(4)])
    assert (seen.diff() > .2).all()
    torch.testing.assert_close(seen.float(), z, rtol=near, atol=0)


def test_near_and_far_have_lines_of_their_own():
    alpha, beta = torch.tensor([[10., 100.], [10., 0.], [0., 0.]]), torch.tensor([[1., -1.], [1., 9.], [4., 9.]])
    depth = torch.tensor([.5 * FAR_DEPTH, 2 * FAR_DEPTH])
    torch.testing.assert_close(on_lines(alpha, beta, 0, 1 / depth), torch.tensor([1.1, 3.]))
    torch.testing.assert_close(on_lines(alpha, beta, 1, 1 / depth), torch.tensor([1.1, 1.4]))
    assert on_lines(alpha, beta, 2, 1 / depth) is None


def test_nothing_is_said_without_a_map_or_a_solution():
    sample, without = make_sample(), without_map()
    disparity = sample.pred_maps.disparity
    solver = PosteriorDTO(needs_depth=False)
    assert solve(solver, without).metres(0, disparity) is None
    assert solve(PosteriorDTO(dict(depth=None, relief=None), needs_depth=False), sample).metres(0, disparity) is None
    result = solve(solver, sample)
    unknown = torch.tensor([-1., 0., torch.nan, 100.])
    assert result.metres(0, unknown).isfinite().tolist() == [False, False, False, True]
    result.failed = torch.tensor([True])
    assert result.metres(0, disparity) is None


@pytest.mark.parametrize('keep', [True, False])
def test_the_stage_keeps_the_map_where_it_is_asked_to(keep):
    sample, without = make_sample(), without_map()
    stage = OptimiseTranslations(dict(type='PosteriorDTO', needs_depth=False), keep_depth=keep)
    stage.bind(SimpleNamespace(body_model=StickBody()))
    (placed, ), (other, ) = stage([sample]), stage([without])
    assert ('depth' in placed.pred_maps) == keep
    assert 'depth' not in sample.pred_maps and 'depth' not in other.get('pred_maps', ())
    if keep:
        inside = sample.pred_maps.id_map > 0
        error = placed.pred_maps.depth[inside] / (UNIT / sample.pred_maps.disparity[inside]) - 1
        assert placed.pred_maps.depth.dtype == torch.float32 and error.abs().max() < .1
