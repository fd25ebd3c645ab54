"""What the pictures are drawn from: people as placed meshes, before and after."""
from typing import NamedTuple

import numpy as np
import torch

from ..structures import HumanDataSample, People
from .ground import estimate_ground


class Placement(NamedTuple):
    """The people of one image, as placed by one method."""
    vertices: np.ndarray  # (N, V, 3) float32 m, camera frame (x right, y down, z forward)
    heights: np.ndarray  # (N,) m, rest pose; nan where unknown
    ids: np.ndarray  # (N,) integers; the same person has the same id, hence colour, in every placement of a scene
    intrinsics: np.ndarray | None  # (3, 3) px; None where the camera is not known
    #: what the placement was made of: all its people, whoever is left here; None where it is not known
    sample: HumanDataSample | None = None
    people: People | None = None  # what is known of the N people beyond their meshes

    @property
    def depths(self):
        """(N,) m: mean z of the vertices."""
        return self.vertices[..., 2].mean(1)

    def level(self, ground):
        """The same with vertices in the level frame of a :class:`~mmhuman_dto.visualization.ground.Ground`."""
        return self._replace(vertices=ground.level(self.vertices))

    def only(self, ids):
        """The people among them with one of the given ids."""
        rows = np.isin(self.ids, ids)
        return self._replace(vertices=self.vertices[rows], heights=self.heights[rows], ids=self.ids[rows],
                             people=None if self.people is None else self.people[torch.from_numpy(rows)])

    def field(self, name):
        """(N, ...) array of a field of :attr:`people`, floats as float64; None where it is not known."""
        if self.people is None or name not in self.people:
            return None
        values = torch.as_tensor(self.people[name]).cpu()
        return (values.double() if values.is_floating_point() else values).numpy()

    @classmethod
    def from_sample(cls, sample, body_model, source='pred'):
        """Meshes of a :class:`~mmhuman_dto.structures.HumanDataSample`; those that are not finite are left out.

        ``{source}_instances`` have global_orient, body_pose, betas, transl, and ``person_index`` where people were
        dropped, ``{source}_camera`` intrinsics; ``source`` is 'pred' or 'gt'.
        """
        people = getattr(sample, f'{source}_instances')
        count = len(people)
        intrinsics = np.asarray(getattr(sample, f'{source}_camera').intrinsics, dtype=np.float64)
        if count == 0:
            return cls(np.zeros((0, body_model.num_vertices, 3), np.float32), np.zeros(0), np.zeros(0, int), intrinsics,
                       sample, people)
        pose, betas, transl = (torch.as_tensor(x, dtype=torch.float32, device=body_model.faces.device)
                               for x in (people.pose, people.betas, people.transl))
        with torch.no_grad():
            vertices = body_model(pose, betas, transl).vertices.cpu().numpy()
            heights = body_model.height(betas).cpu().numpy()
        ids = np.asarray(people.person_index) if 'person_index' in people else np.arange(count)
        drawable = np.isfinite(vertices).all((1, 2))
        return cls(vertices[drawable], heights[drawable], ids[drawable], intrinsics, sample,
                   people[torch.from_numpy(drawable)])


class Scene(NamedTuple):
    """One image (H, W, 3) uint8 RGB, by a short title, with its people as meshes of faces (F, 3): before DTO, after it
    where it ran, and in truth where that is known."""
    title: str
    image: np.ndarray
    faces: np.ndarray
    before: Placement
    after: Placement | None = None
    truth: Placement | None = None

    @property
    def last(self):
        """The placement that counts: after DTO where it ran."""
        return self.before if self.after is None else self.after

    @property
    def panels(self):
        """[(title, Placement), ...] to be drawn side by side."""
        return [('', self.before)] if self.after is None else [('before', self.before), ('after DTO', self.after)]

    @property
    def ground(self):
        """:class:`~mmhuman_dto.visualization.ground.Ground` that the people of :attr:`last` stand on."""
        return estimate_ground(self.last.vertices)
