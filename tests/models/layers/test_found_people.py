"""Who an encoder found: the first queries start there, and a head's answer counts from there."""
import torch

from mmhuman_dto.models.layers.found_people import Bodies, FoundPeople, joint_box, picture_camera


def found(known=((True, False), (False, False)), scores=.5):
    known = torch.tensor(known)
    numbers = torch.arange(4.).view(2, 2, 1) + 10
    return FoundPeople(numbers.expand(2, 2, 3), numbers.expand(2, 2, 4) / 100, torch.zeros(2, 2, 17, 2),
                       torch.zeros(2, 2, 17), torch.full((2, 2), scores), known)


def test_the_first_queries_are_those_of_who_was_found():
    contents, boxes = found().fill(torch.zeros(2, 3, 3), torch.zeros(2, 3, 4))
    assert contents[..., 0].tolist() == [[10, 0, 0], [0, 0, 0]]
    assert boxes[0, 0].tolist() == [torch.tensor(.1).item()] * 4 and not boxes[1].any()


def answer(layers=2, queries=4, cameras=(0., 0., 0.)):
    """A head's answer for two images that says nothing but its cameras, confidence .01 and pose 1."""
    shape = layers, 2, queries
    return dict(confs=torch.full((*shape, 1), .01), pose_6d=torch.ones(*shape, 24, 6), betas=torch.zeros(*shape, 11),
                cameras=torch.tensor(cameras).expand(*shape, 3))


def bodies():
    return Bodies(torch.full((2, 2, 24, 6), .25), torch.full((2, 2, 11), 2.), torch.tensor([.1, -.2]).expand(2, 2, 2),
                  torch.full((2, 2, 1), .5))


def test_who_was_found_starts_from_a_body_and_others_from_the_picture():
    """Three learned queries after one more: the second of all is the first person."""
    raw = answer()
    led = found().lead(raw, bodies(), queries=3)
    assert led['pose_6d'][0, :, :, 0, 0].tolist() == [[1, 1.25, 1, 1], [1, 1, 1, 1]]
    assert led['betas'][1, :, :, 0].tolist() == [[0, 2, 0, 0], [0, 0, 0, 0]]
    torch.testing.assert_close(led['offset'][:, 0, 1], torch.tensor([[.1, -.2]] * 2))
    torch.testing.assert_close(led['size'][:, 0, 1], torch.full((2, 1), .5))
    offset, size = picture_camera(raw['cameras'])
    others = torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]]).bool()
    assert torch.equal(led['offset'][:, others], offset[:, others]) and torch.equal(led['size'][:, others],
                                                                                  size[:, others])
    # log-odds of .01 are -4.595, of the person 2.6 + 8 * .5 more
    torch.testing.assert_close(led['confs'][:, 0, 1, 0], torch.full((2, ), 6.6 - 4.5951).sigmoid(), rtol=1e-3, atol=0)
    torch.testing.assert_close(led['confs'][:, others, 0], raw['confs'][:, others, 0])


def test_a_head_moves_and_scales_in_units_of_the_person():
    led = found().lead(answer(cameras=(.5, 0., 1.)), bodies(), queries=4)
    size = .5 * torch.e
    torch.testing.assert_close(led['size'][0, 0, 0], torch.tensor([size]))
    torch.testing.assert_close(led['offset'][0, 0, 0], torch.tensor([.1 + .5 * size, -.2]))


def test_boxes_hold_the_seen_joints_and_end_with_the_picture():
    joints = torch.tensor([[[10., 20.], [30., 60.], [900., 900.]], [[95., 5.], [95., 5.], [95., 5.]]])
    seen = torch.tensor([[True, True, False]] * 2)
    boxes = joint_box(joints, seen, torch.tensor([[100., 100.]] * 2))
    torch.testing.assert_close(boxes, torch.tensor([[20., 40., 24., 48.], [95., 5., 8., 8.]]))
