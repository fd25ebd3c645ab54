"""Where points of one body meet the surface of another: the same part, facing the same way, not too far."""
import torch

from mmhuman_dto.fitting.posed import Posed, nearest_surface

UP, DOWN = torch.tensor([0., 0, 1]).double(), torch.tensor([0., 0, -1]).double()


def meet(heights, normals, parts, point_part=4, far=.5):
    """The height at which a point at 0 that faces up meets vertices above one another, or nan."""
    vertices = torch.zeros(1, len(heights), 3).double()
    vertices[0, :, 2] = torch.tensor(heights).double()
    filler = torch.full((1, 20, 3), 99.).double()  # so that there are as many vertices as are looked at
    body = Posed(None, torch.cat([vertices, filler], 1), torch.tensor([2.]).double(), None,
                 torch.tensor([*parts, *[4] * 20]))
    facing = torch.cat([torch.stack(normals), UP.expand(20, 3)])[None]
    point, part = torch.zeros(1, 1, 3).double(), torch.tensor([point_part])
    places, there = nearest_surface(point, UP[None, None], part, body, facing, far)
    assert torch.isnan(places).all() or torch.equal(there[0, 0], UP)
    return round(places[0, 0, 2].item(), 6)


def test_the_nearest_of_the_same_part():
    assert meet([.3, .1, .2], [UP] * 3, [4] * 3) == .1


def test_what_faces_the_other_way_is_passed_by():
    assert meet([.1, .3], [DOWN, UP], [4, 4]) == .3


def test_other_parts_are_passed_by_but_for_neighbours():
    assert meet([.1, .3], [UP] * 2, [5, 4]) == .3  # the right knee is no neighbour of the left
    assert meet([.1, .3], [UP] * 2, [7, 4]) == .1  # the ankle is
    assert meet([.1, .3], [UP] * 2, [1, 4]) == .1  # and the hip


def test_nothing_near():
    assert meet([.9, .99], [UP] * 2, [4, 4]) == .9
    assert meet([1.1], [UP], [4]) != meet([1.1], [UP], [4])  # nan: farther than half of the height
    assert meet([.1], [DOWN], [4]) != meet([.1], [DOWN], [4])
