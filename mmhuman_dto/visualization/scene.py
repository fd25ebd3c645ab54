"""What the pictures are drawn from: people as placed meshes, before and after."""
from typing import NamedTuple

import numpy as np
import torch

from ..dto.bodies import bodies_of
from ..dto.evidence import DropReason
from ..structures import HumanDataSample, People
from ..structures.fields import SEEN_SCORE
from .ground import estimate_ground
from .notes import notes_of
from .support import vertex_support


class Placement(NamedTuple):
    """The people of one image, as placed by one method."""
    vertices: np.ndarray  # (N, V, 3) float32 m, camera frame (x right, y down, z forward)
    heights: np.ndarray  # (N,) m, rest pose; nan where unknown
    ids: np.ndarray  # (N,) integers; the same person has the same id, hence colour, in every placement of a scene
    intrinsics: np.ndarray | None  # (3, 3) px; None where the camera is not known
    #: what the placement was made of: all its people, whoever is left here; None where it is not known
    sample: HumanDataSample | None = None
    people: People | None = None  # what is known of the N people beyond their meshes
    #: (N, V) 0..1, how much of each vertex joints seen in the picture tell; None where that is not known
    support: np.ndarray | None = None
    notes: tuple = ()  # texts that stand on every picture of it, see :func:`~mmhuman_dto.visualization.notes.notes_of`
    body_model: object = None  # what :meth:`from_sample` was given; None where it is not known

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
                             people=None if self.people is None else self.people[torch.from_numpy(rows)],
                             support=None if self.support is None else self.support[rows])

    @property
    def left_out(self):
        """(N,) bool: those whom DTO could not place; they stand where they stood before."""
        reasons = self.field('drop_reasons')
        return np.zeros(len(self.ids), bool) if reasons is None else reasons != DropReason.KEPT

    def field(self, name):
        """(N, ...) array of a field of :attr:`people`, floats as float64; None where it is not known."""
        if self.people is None or name not in self.people:
            return None
        values = torch.as_tensor(self.people[name]).cpu()
        return (values.double() if values.is_floating_point() else values).numpy()

    @classmethod
    def from_sample(cls, sample, body_model, source='pred'):
        """Meshes of a :class:`~mmhuman_dto.structures.HumanDataSample`; those that are not finite are left out.

        ``{source}_instances`` have what ``body_model``, or other :class:`~mmhuman_dto.dto.bodies.Bodies`, poses, and
        ``person_index`` where people were dropped, of a video ``track_ids``; ``{source}_camera`` intrinsics;
        ``source`` is 'pred' or 'gt'. With ``keypoint_scores`` of the metainfo's ``keypoint_set``, and
        ``drop_reasons``, it is known what the picture tells and whom DTO left out.
        """
        people = getattr(sample, f'{source}_instances')
        count, notes = len(people), notes_of(sample) if source == 'pred' else ()
        intrinsics = np.asarray(getattr(sample, f'{source}_camera').intrinsics, dtype=np.float64)
        with torch.no_grad():
            bodies = bodies_of(body_model)
            people = people.to(bodies.faces.device)
            vertices = bodies.vertices([people]).float().cpu().numpy()
            heights = bodies.heights([people]).float().cpu().numpy()
        if count == 0:
            return cls(vertices, heights, np.zeros(0, int), intrinsics, sample, people, notes=notes,
                       body_model=body_model)
        ids = _ids(people)
        drawable = np.isfinite(vertices).all((1, 2))
        support = None
        if 'keypoint_scores' in people and 'keypoint_set' in sample:
            seen = torch.as_tensor(people.keypoint_scores).cpu().numpy() >= SEEN_SCORE
            support = vertex_support(seen[drawable], sample.keypoint_set, body_model)
        return cls(vertices[drawable], heights[drawable], ids[drawable], intrinsics, sample,
                   people[torch.from_numpy(drawable)], support, notes, body_model)


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
        return estimate_ground(self.last.vertices, self.last.support)


def _ids(people):
    """(N) numbers of people: their tracks', below 0 for who has none yet; else their rows before some were dropped."""
    rows = np.asarray(people.person_index) if 'person_index' in people else np.arange(len(people))
    if 'track_ids' not in people:
        return rows
    tracks = torch.as_tensor(people.track_ids).cpu().numpy()
    return np.where(tracks >= 0, tracks, -1 - rows)
