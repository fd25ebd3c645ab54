"""Which camera people are placed for, and how they come before another one."""
import json
import math

import pytest
import torch

from mmhuman_dto.apis.placing.cameras import Cameras, refocused
from mmhuman_dto.geometry import project
from mmhuman_dto.results import ResultError
from mmhuman_dto.structures import HumanDataSample, People

STATED = torch.tensor([[700., 0, 300], [0, 700., 250], [0, 0, 1]], dtype=torch.float64)


def sample(**metainfo):
    return HumanDataSample(metainfo=dict(dict(img_id='a.jpg', img_path='', ori_shape=(480, 640)), **metainfo))


def test_what_results_state_is_kept():
    intrinsics, source = Cameras()(sample(), STATED, is_guess=False)
    assert torch.equal(intrinsics, STATED) and source == 'network'
    intrinsics, source = Cameras()(sample(), STATED, is_guess=True)
    assert torch.equal(intrinsics, STATED) and source == 'guess'


def test_a_made_up_focal_length_that_no_photo_has_becomes_our_guess():
    absurd = STATED * torch.tensor([[20.], [20.], [1.]])
    absurd[:2, 2] = STATED[:2, 2]
    intrinsics, source = Cameras()(sample(), absurd, is_guess=True)
    assert .5 < float(intrinsics[1, 1]) / math.hypot(480, 640) < 1.2 and source == 'guess'
    assert torch.equal(Cameras('results')(sample(), absurd, is_guess=True)[0], absurd)
    assert torch.equal(Cameras()(sample(), absurd, is_guess=False)[0], absurd)  # a network may see a telephoto


def test_given_focal_lengths_keep_the_principal_point(tmp_path):
    intrinsics, source = Cameras(900.)(sample(), STATED, is_guess=False)
    assert intrinsics.tolist() == [[900, 0, 300], [0, 900, 250], [0, 0, 1]] and source == 'given'
    (tmp_path / 'focals.json').write_text(json.dumps({'a.jpg': 800}))
    table = Cameras(str(tmp_path / 'focals.json'))
    assert float(table(sample(), None, is_guess=True)[0][1, 1]) == 800
    assert torch.equal(table(sample(img_id='b.jpg'), STATED, is_guess=False)[0], STATED)


def test_without_any_camera():
    intrinsics, source = Cameras()(sample(), None, is_guess=True)
    assert source == 'guess' and intrinsics[:2, 2].tolist() == [320, 240]
    with pytest.raises(ResultError, match='a.jpg: its results state no focal length; give one with --focal'):
        Cameras('results')(sample(), None, is_guess=True)


def test_people_are_at_the_same_pixels_before_another_camera():
    torch.manual_seed(0)
    pelvis = torch.tensor([[.5, .2, 4.], [-1., 0., 9.]])
    people = People(vertices=pelvis[:, None] + torch.randn(2, 5, 3) / 5, pelvis=pelvis, transl=pelvis - .3,
                    smpl_joints=torch.full((2, 24, 3), torch.nan), heights=torch.tensor([1.7, 1.2]))
    other = torch.tensor([[1400., 0, 320], [0, 1400., 240], [0, 0, 1]], dtype=torch.float64)
    moved = refocused(people, STATED, other)
    torch.testing.assert_close(project(moved.pelvis[None].double(), other), project(pelvis[None].double(), STATED))
    torch.testing.assert_close(moved.pelvis[:, 2], 2 * pelvis[:, 2])
    shift = moved.pelvis - pelvis
    torch.testing.assert_close(moved.vertices, people.vertices + shift[:, None])
    torch.testing.assert_close(moved.transl, people.transl + shift)
    assert torch.equal(moved.heights, people.heights) and torch.equal(people.pelvis, pelvis)
    assert refocused(people, STATED, STATED) is people
