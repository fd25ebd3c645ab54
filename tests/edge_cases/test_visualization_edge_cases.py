"""Pictures of scenes that have no size, or more than a metre grid can show."""

import numpy as np
import pytest
from pictures import colored

from mmhuman_dto.synthetic.layout import BOX_FACES
from mmhuman_dto.visualization import Placement, Scene, draw_birdseye, draw_contact_sheet, draw_overlay, draw_sideview
from mmhuman_dto.visualization.ground import estimate_ground

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32) / 2
SIZE = 60, 80
PLACES = dict(
    nobody=np.zeros((0, 3)), one_person=[(0, 0, 4)], identical_people=[(0, 0, 4)] * 3,
    same_depth=[(-1, 0, 4), (1, 0, 4)], behind_the_camera=[(0, 0, -4)], around_the_camera=[(0, 0, 0)],
    far=[(0, 0, 1e5), (50, 0, 1e5)], very_far=[(0, 0, 1e7)], near_and_far=[(0, 0, 3), (0, 0, 1e4)])


def placement(case, focal=50.0):
    centers = np.asarray(PLACES[case], np.float32).reshape(-1, 1, 3)
    return Placement(centers + CORNERS, np.full(len(centers), 1.7), np.arange(len(centers)),
                     np.array([[focal, 0, 40], [0, focal, 30], [0, 0, 1]]))


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('case', PLACES)
class TestPictures:
    @pytest.mark.parametrize('draw, size', [(draw_birdseye, dict(panel_size=(300, 260))),
                                            (draw_sideview, dict(width=300))])
    def test_plots(self, case, draw, size):
        panels = [('before', placement(case)), ('after', placement(case))]
        picture = draw(panels, BOX_FACES, SIZE, ground=estimate_ground(placement(case).vertices), **size)
        assert picture.dtype == np.uint8 and picture.size and np.ptp(picture) > 0
        assert case != 'nobody' or not colored(picture).any()

    def test_overlay(self, case):
        image = np.full((*SIZE, 3), 128, np.uint8)
        shown = draw_overlay(image, placement(case), BOX_FACES)
        assert shown.shape == image.shape
        if case in ('nobody', 'behind_the_camera'):
            assert (shown == image).all()

    def test_contact_sheet(self, case):
        scene = Scene('title', np.full((*SIZE, 3), 128, np.uint8), BOX_FACES, placement(case), placement(case), None)
        assert draw_contact_sheet([scene]).dtype == np.uint8

    @pytest.mark.parametrize('focal', [30 / np.tan(np.radians(0.5)), 30 / np.tan(np.radians(89.5))])
    def test_extreme_field_of_view(self, case, focal):
        draw_birdseye([('a', placement(case, focal))], BOX_FACES, SIZE, panel_size=(300, 260))

    def test_ground(self, case):
        found = estimate_ground(placement(case).vertices)
        assert np.isfinite(found.up).all() and np.isfinite(found.height) and np.isfinite(found.rotation).all()
