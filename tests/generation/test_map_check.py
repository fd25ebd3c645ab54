"""Depth maps that cannot be what they are taken for, of a single picture: what is said, and which option mends it."""
import numpy as np
import pytest
import torch

from mmhuman_dto.dto import PaperDTO, PosteriorDTO
from mmhuman_dto.generation.map_check import Options, findings_of_maps
from mmhuman_dto.perception.depth_kinds import to_disparity
from mmhuman_dto.structures import Camera, HumanDataSample, Maps

SIZE, FOCAL = (120, 160), 150.


@pytest.fixture
def z():
    """Depth of five people side by side, each deeper towards its edges, before a wall; m."""
    depth = np.full(SIZE, 12., np.float32)
    for person, distance in enumerate((2., 3., 4., 5.5, 7.)):
        columns = np.arange(20)
        depth[30:110, 5 + 30 * person:25 + 30 * person] = distance + .15 * ((columns - 9.5) / 9.5)**2
    return depth


@pytest.fixture
def said(z):
    """said(values, kind, ...) -> (text, stops) of what is found of a picture whose map has these values."""
    def check(values, kind, solver=None, focal=None, camera=FOCAL):
        ids = np.zeros(SIZE, np.int32)
        for person in range(5):
            ids[30:110, 5 + 30 * person:25 + 30 * person] = person + 1
        disparity = to_disparity(torch.from_numpy(np.float32(values)), kind)
        sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=SIZE))
        sample.pred_maps = Maps(disparity=disparity, id_map=torch.from_numpy(ids),
                                z_map=torch.from_numpy(np.where(ids > 0, z, 0)))
        sample.pred_camera = Camera(intrinsics=torch.tensor([[camera, 0, 80], [0, camera, 60], [0, 0, 1]]))
        if focal:
            sample.set_metainfo(dict(depth_focal=focal))
        found = findings_of_maps([sample], kind, solver)
        return '; '.join(one.text for one in found), any(one.stops for one in found)

    return check


def test_right_maps_have_nothing_to_say(said, z):
    for kind, values in (('disparity', 5 / z), ('disparity', .2 / z + .01), ('depth', .3 * z), ('metres', z),
                         ('metres', 1.9 * z)):
        assert said(values, kind) == ('', False)


@pytest.mark.parametrize('factor, cure', [
    (1, 'Do the files hold metres, not disparity? --depth-kind metres'),
    (1000, 'Do the files hold depth in mm, not disparity? --depth-kind metres --cfg-options '
           'stages.depth.source.scale=0.001'),
    (7, 'Do the files hold depth, not disparity? --depth-kind depth, or'),
])
def test_depth_taken_for_disparity(said, z, factor, cure):
    text, stops = said(factor * z, 'disparity')
    assert text.startswith('the depth maps are inverted, they say the reverse of the meshes: of 10 pairs of people 0 ')
    assert cure in text and stops


@pytest.mark.parametrize('kind', ['depth', 'metres'])
def test_disparity_taken_for_depth(said, z, kind):
    text, stops = said(5 / z, kind)
    assert f'Do the files hold disparity, not {kind}? --depth-kind disparity' in text and stops


@pytest.mark.parametrize('factor, unit, scale', [
    (1000, 'mm', '0.001'), (100, 'cm', '0.01'), (1 / .0254, 'inches', '0.0254'),
    (256, "ZoeDepth's m * 256", '0.003906'), (.001, 'km', '1000')])
def test_metres_in_another_unit(said, z, factor, unit, scale):
    for off in (.85, 1.15):
        text, stops = said(factor * off * z, 'metres')
        assert f'are they in {unit}? Then --cfg-options stages.depth.source.scale={scale} is missing' in text and stops


def test_depth_of_canonical_cameras(said, z):
    """DA3METRIC: m * 300 / focal, px of 504 long; Metric3D: m * 1000 / focal, here in pictures of 160 px."""
    text, _ = said(z * 300 / (45 * 504 / 160), 'metres', camera=45.)  # a wide one
    assert text == ''  # within a factor of 3
    text, stops = said(z * 300 / (12 * 504 / 160), 'metres', camera=12.)
    assert 'are they of DA3METRIC, times focal / 300? --cfg-options stages.depth.source.layout.network=metric' in text
    assert not stops
    text, stops = said(z * 1000 / FOCAL, 'metres')
    assert "are they of Metric3D, times focal / 1000? layout=dict(type='Metric3D')" in text and not stops


def test_metres_of_no_known_unit(said, z):
    text, stops = said(17 * z, 'metres')
    assert 'put people 17 x as far away as their meshes are, and are taken for metres: is a scale missing' in text
    assert '--depth-kind depth' in text and stops
    assert said(4.7 * z, 'metres')[1] is False


def test_metres_of_another_focal_length(said, z):
    """Meshes of a guess of 150 px, a map that comes with 300 px: everybody is twice as far in it."""
    text, stops = said(2 * z, 'metres', focal=300.)
    assert 'as they come with another focal length: 300 px, the meshes have 150' in text and not stops
    assert text.endswith('If that of the maps is right: --focal depth')
    assert said(z, 'metres', focal=300.) == ('', False)  # known to both, and used by both
    assert said(z, 'metres', focal=155.) == ('', False)


def test_depth_that_looks_like_metres(said, z):
    assert '--depth-kind metres would use that' in said(1.05 * z, 'depth', PosteriorDTO())[0]
    assert said(.4 * z, 'depth', PosteriorDTO()) == ('', False)


def test_units_of_the_paper(said, z):
    paper = PaperDTO()
    assert said(300 / z, 'disparity', paper) == said(z, 'metres', paper) == ('', False)
    assert 'expects about 100 to 1000: is a scale missing? --cfg-options stages.depth.source.scale=100 or' in said(
        5 / z, 'disparity', paper)[0]
    assert said(3000 * z, 'depth', paper)[0].endswith('PosteriorDTO needs no unit')


def test_constant_maps_and_unknown_pixels(said, z):
    assert 'depth maps are constant' in said(np.full(SIZE, 3.), 'metres')[0]
    holes = np.where(np.indices(SIZE)[0] % 3 == 0, np.inf, 1000 * z)
    assert 'are they in mm?' in said(holes, 'metres')[0]  # what is unknown is no depth of 0


def test_the_cure_is_said_in_the_options_of_a_recipe(z):
    options = Options.of_stage(type('Stage', (), dict(name='maps')))
    assert options.kind.format('depth') == 'stages.maps.source.kind=depth'
    assert options.scale.format(.1) == 'stages.maps.source.scale=0.1'
