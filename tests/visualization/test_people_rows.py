import numpy as np
import pytest
import torch

from mmhuman_dto.dto import DropReason
from mmhuman_dto.structures import People
from mmhuman_dto.visualization import PersonRow, people_rows
from mmhuman_dto.visualization.people_rows import measured


@pytest.mark.parametrize('value, std, text', [
    (1.724, .06, '1.72 ± .06 m'), (1.62, .2, '1.62 ± .20 m'), (3.87, .36, '3.9 ± .4 m'), (3.87, .14, '3.87 ± .14 m'),
    (3.87, .094, '3.87 ± .09 m'), (3.87, .6, '3.9 ± .6 m'), (12.34, 1.4, '12.3 ± 1.4 m'), (12.6, 2.4, '12.6 ± 2.4 m'),
    (12.6, 4.4, '13 ± 4 m'), (40, 12, '40 ± 12 m'), (1.724, 1e-5, '1.72 ± .01 m'), (3.87, np.nan, '3.870 m'),
    (3.87, np.inf, '3.870 m'), (np.nan, .1, '')])
def test_digits_end_where_the_deviations_do(value, std, text):
    assert measured(value, std, 3) == text


def test_a_row_says_what_is_known_of_its_person(boxes):
    people = People(heights_std=torch.tensor([.05, np.nan]), depths_std=torch.tensor([.3, np.nan]),
                    scores=torch.tensor([.5, .25]), drop_reasons=torch.tensor([0, 4]),
                    keypoint_scores=torch.tensor([[.2, .19, 1.], [0, np.nan, .7]], dtype=torch.float64))
    placement = boxes([(0, 0, 3.87), (1, 0, 5)], ids=[4, 2])._replace(heights=np.array([1.724, np.nan]), people=people)
    first, second = people_rows(placement)
    assert first == (4, 1.724, pytest.approx(.05), pytest.approx(3.87), pytest.approx(.3), .5, 2, 3, '')
    assert (first.height_text, first.distance_text, first.joints_text) == ('1.72 ± .05 m', '3.87 ± .30 m', '2 of 3')
    assert second[:2] == (2, pytest.approx(np.nan, nan_ok=True)) and second.seen == 1
    assert (second.height_text, second.distance_text, second.note) == (
        '', '5.0 m', 'not placed: too few pixels with depth')
    alone, = people_rows(placement.only([2]))
    assert (alone.person, alone.score, alone.note) == (2, .25, second.note)


def test_nothing_but_meshes_is_known(boxes):
    row, = people_rows(boxes([(0, 0, 4)]))
    assert isinstance(row, PersonRow) and np.isnan([row.height_std, row.distance_std, row.score]).all()
    assert (row.height_text, row.distance_text, row.joints_text, row.note) == ('1.70 m', '4.0 m', '', '')
    assert people_rows(boxes([])) == []


def test_every_reason_has_words_of_its_own():
    assert len({reason.words for reason in DropReason}) == len(DropReason) and DropReason.KEPT.words == ''
