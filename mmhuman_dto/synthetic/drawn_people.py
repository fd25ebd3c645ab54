"""People as they are drawn: meshes, and colours by where a point lies on the rest body."""
from collections.abc import Callable
from typing import NamedTuple

import torch

from .appearance import clothe, sample_outfit
from .attire import attire_colours, sample_attire
from .clothing import Wardrobe


class DrawnPerson(NamedTuple):
    """What the renderer asks of a person."""
    vertices: torch.Tensor  # (V', 3) m, camera frame
    faces: torch.Tensor  # (F', 3)
    attributes: torch.Tensor  # (V', 3 + C): outward normal, and what ``colours`` takes
    colours: Callable  # (P, C) interpolated attributes -> (P, 3) RGB, 0..1


class BarePeople:
    """People of version 1, whose clothes are paint on their bodies.

    Args:
        rest: (V, 3) rest body. faces: (F, 3). marks: :class:`appearance.Landmarks`.
    """

    def __init__(self, rest, faces, marks):
        self.rest, self.faces, self.marks = rest, faces, marks

    def __call__(self, scene, rng):
        """The :class:`DrawnPerson` of everybody."""
        outfits = scene.looks(lambda age, male: sample_outfit(age, male, self.marks, rng))
        return [self._person(mesh, outfit) for mesh, outfit in zip(torch.as_tensor(scene.vertices), outfits)]

    def _person(self, mesh, outfit):
        attributes = torch.cat([_vertex_normals(mesh, self.faces), self.rest], 1)
        return DrawnPerson(mesh, self.faces, attributes, lambda rest: clothe(rest, outfit, self.marks))


class DressedPeople:
    """People of version 2, in clothes and hair with a shape of their own (:class:`clothing.Wardrobe`)."""

    def __init__(self, rest, faces, marks):
        self.marks, self.wardrobe = marks, Wardrobe(rest.numpy(), faces, marks)

    def __call__(self, scene, rng):
        attires = scene.looks(lambda age, male: sample_attire(age, male, self.marks, rng))
        return [self._person(*person) for person in zip(scene.vertices, attires, scene.heights)]

    def _person(self, mesh, attire, height):
        dressed = self.wardrobe.dress(mesh, attire, height)
        return DrawnPerson(*dressed, lambda values: attire_colours(values[:, :3], values[:, 3].round(), attire,
                                                                   self.marks))


def _vertex_normals(vertices, faces):
    """Outward unit normals (V, 3), area weighted."""
    a, b, c = vertices[faces].unbind(1)
    normals = torch.zeros_like(vertices)
    normals.index_add_(0, faces.reshape(-1), torch.linalg.cross(b - a, c - a).repeat_interleave(3, 0))
    return torch.nn.functional.normalize(normals, dim=-1)
