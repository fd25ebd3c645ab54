import pytest
import torch

from mmhuman_dto.geometry.boxes import corners
from mmhuman_dto.models.task_modules import Denoising, Targets

QUERIES, GROUPS = 5, 3


def make(counts, **kwargs):
    torch.manual_seed(0)
    people = sum(counts)
    centres, sizes = torch.rand(people, 2) * .2 + .4, torch.rand(people, 2) * .2 + .2
    targets = Targets(
        counts=list(counts), boxes=torch.cat([centres, sizes], -1), poses=torch.rand(people, 72),
        betas=torch.rand(people, 11), j3ds=None, j2ds=None, j3ds_mask=None, j2ds_mask=None, depths=None, focals=None,
        fully_annotated=[True] * len(counts), input_size=100.)
    denoising = Denoising(dims=8, num_betas=11, num_groups=GROUPS, **kwargs)
    return targets, denoising, denoising(targets, QUERIES)


def test_groups_see_themselves_and_the_learned_queries_which_see_no_copies():
    _, _, noisy = make([2, 1])
    size = GROUPS * 2 * 2
    assert noisy.mask.shape == (size + QUERIES, size + QUERIES)
    group = torch.arange(size) // 4
    assert torch.equal(noisy.mask[:size, :size], group[:, None] == group[None])
    assert noisy.mask[:, size:].all()
    assert not noisy.mask[size:, :size].any()


def test_positives_are_near_their_person_and_negatives_are_not():
    targets, _, noisy = make([2, 3], box_noise=.4)
    boxes = noisy.boxes.unflatten(1, (GROUPS, 2, 3))
    half = targets.boxes[:, [2, 3, 2, 3]] / 2
    place = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    for person, (image, row) in enumerate(place):
        moved = (corners(boxes[image, :, :, row]) - corners(targets.boxes[person])).abs() / half[person]
        assert (moved[:, 0] < .4 + 1e-5).all()
        assert (moved[:, 1] >= .4 - 1e-5).all() and (moved[:, 1] < .8 + 1e-5).all()


def test_supervised_copies_stand_where_their_person_was_copied_to():
    targets, _, noisy = make([2, 0, 3], box_noise=0.)
    assert noisy.query.shape == noisy.person.shape == noisy.group.shape == (GROUPS * 5, )
    copies = noisy.boxes.flatten(0, 1)[noisy.query]
    torch.testing.assert_close(copies, targets.boxes[noisy.person])
    assert len(noisy.query.unique()) == GROUPS * 5
    within_image = noisy.query % (GROUPS * 6)
    assert torch.equal(within_image // 6, noisy.group)


def test_content_is_the_embedded_person_without_noise():
    targets, denoising, noisy = make([2, 3], content_noise=0.)
    expected = denoising.embed(torch.cat([targets.poses, targets.betas], -1))
    torch.testing.assert_close(noisy.content.flatten(0, 1)[noisy.query], expected[noisy.person])


def test_copies_may_know_their_box_alone():
    _, denoising, noisy = make([3, 3], content_noise=None)
    torch.testing.assert_close(noisy.content, denoising.embed.bias.expand_as(noisy.content))


def test_padding_has_a_box_in_the_middle_and_no_content_and_is_seen():
    _, denoising, noisy = make([1, 3])
    assert denoising.embed.bias.abs().min() > 0
    boxes, content = (values.unflatten(1, (GROUPS, 2, 3))[0] for values in (noisy.boxes, noisy.content))
    assert (boxes[:, :, 1:] == .5).all() and (content[:, :, 1:] == 0).all()
    assert (boxes[:, :, 0] != .5).all() and content[:, :, 0].abs().amin(-1).min() > 0
    assert noisy.mask[0, :6].all()


def test_boxes_end_within_the_picture_and_are_never_empty():
    targets, denoising, _ = make([1])
    targets.boxes = torch.tensor([[.5, .01, 1., .02]])
    boxes = denoising(targets, QUERIES).boxes
    assert (boxes > 0).all() and (boxes < 1).all()
    low, high = corners(boxes).split(2, -1)
    assert (low > -2e-5).all() and (high < 1 + 2e-5).all()


@pytest.mark.parametrize('counts', [[0], [0, 0]])
def test_nobody_leaves_copies_of_nobody(counts):
    _, denoising, noisy = make(counts)
    assert noisy.boxes.shape == (len(counts), GROUPS * 2, 4) and len(noisy.query) == 0
    noisy.content.sum().backward()
    assert torch.isfinite(denoising.embed.weight.grad).all()
