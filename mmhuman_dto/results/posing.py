"""Bodies by parameters, posed when their picture is asked for: vertices of a long video would fill the memory."""
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from mmhuman_dto.structures import People

from .base import ImageResult, Moves, ResultError, ResultReader, Results
from .files import in_layout

#: Pictures that are posed together; only the last ones are kept.
_TOGETHER = 32


@dataclass
class BodyRows:
    """M bodies of SMPL's family, of all pictures; arguments of :class:`~mmhuman_dto.results.smpl_family.SmplFamily`.

    Attributes:
        layout, pose (M, J, 3), betas (M, B), transl (M, 3) m, gender, hands_of_mean: as there.
        vertices: function of a list of rows that gives their (k, V, 3) m, absolute; None: there are none.
        fields: {name: (M, ...) tensor} of :class:`~mmhuman_dto.structures.People` besides.
    """
    layout: str
    pose: torch.Tensor
    betas: torch.Tensor
    transl: torch.Tensor
    gender: str = 'neutral'
    hands_of_mean: bool = False
    vertices: callable = None
    fields: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.pose)

    def posed(self, family, rows):
        """:class:`~mmhuman_dto.results.smpl_family.PosedBodies` of a list of rows."""
        return family(self.layout, self.pose[rows], self.betas[rows], self.transl[rows], self.gender,
                      self.vertices(rows) if self.vertices else None, hands_of_mean=self.hands_of_mean)

    def people(self, posed, rows):
        """:class:`People` of fields of posed bodies and these rows."""
        pose = self.pose[rows]
        own = dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=self.betas[rows], transl=self.transl[rows])
        more = {name: values[rows] for name, values in self.fields.items()}
        return People(num_people=len(rows), **posed, **{name: values.float() for name, values in own.items()}, **more)


class Shot(NamedTuple):
    """A picture of :class:`BodyRows`: who is in it, and what :class:`ImageResult` says of it."""
    name: str
    rows: list
    intrinsics: torch.Tensor | None = None
    image_size: tuple | None = None
    frame: int | None = None


class PosedImages(Sequence):
    """:class:`ImageResult` of each :class:`Shot`, made anew when it is asked for."""

    def __init__(self, family, bodies, shots):
        self._family, self._bodies, self.shots, self._kept = family, bodies, shots, (None, ())

    def __len__(self):
        return len(self.shots)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        chunk, place = divmod(range(len(self))[index], _TOGETHER)
        if self._kept[0] != chunk:
            self._kept = None, ()  # first, so that two are never held
            self._kept = chunk, self._posed(self.shots[chunk * _TOGETHER:(chunk + 1) * _TOGETHER])
        return self._kept[1][place]

    def _posed(self, shots):
        rows = [row for shot in shots for row in shot.rows]
        parts = self._bodies.posed(self._family, rows).split([len(shot.rows) for shot in shots])
        return [ImageResult(shot.name, self._bodies.people(part, shot.rows), shot.intrinsics, shot.image_size,
                            shot.frame) for shot, part in zip(shots, parts)]


class BodiesReader(ResultReader):
    """Readers of programs that say bodies of SMPL's family by their parameters.

    Attributes:
        camera_poses: of :class:`Results`, once files are understood.
    """
    camera_poses = None

    @abstractmethod
    def understood(self):
        """(:class:`BodyRows`, list of :class:`Shot`, notes, focal_is_guess) of the files."""

    def read(self):
        with in_layout(self.path, self.files):
            self.bodies, self.shots, notes, focal_is_guess = self.understood()
        self._check_finite()
        self.images = PosedImages(self.context.bodies, self.bodies, self.shots)
        nobody = self.bodies.posed(self.context.bodies, [])
        return Results(self.images, nobody.faces, nobody.body, (*notes, *nobody.notes), focal_is_guess,
                       camera_poses=self.camera_poses)

    def _check_finite(self):
        for name in ('pose', 'betas', 'transl'):
            wrong = ~getattr(self.bodies, name).flatten(1).isfinite().all(1)
            for shot in self.shots if wrong.any() else ():
                if wrong[shot.rows].any():
                    row = wrong[shot.rows].nonzero()[0].item()
                    raise ResultError(f'{self.path}, {shot.name}, person {row} of it: its {name} is not finite')

    def of_rows(self, moves):
        """:class:`Moves` of all rows, from those of each picture; of rows in no picture none."""
        joined = Moves.none(len(self.bodies))
        for shot, move in zip(self.shots, moves, strict=True):
            joined.shift[shot.rows], joined.scale[shot.rows] = move.shift, move.scale
        return joined

    def pelvises(self):
        """(M, 3) m of all rows, nan of rows in no picture."""
        pelvises = torch.full((len(self.bodies), 3), torch.nan)
        for shot, image in zip(self.shots, self.images):
            pelvises[shot.rows] = image.people.pelvis
        return pelvises


def moved_points(moves, points, pelvises):
    """Points (k, ..., 3) of k people as ``Moves`` of k move them, of the same type; those who stay are not touched."""
    points = points.clone() if torch.is_tensor(points) else points.copy()
    for row in range(len(points)):
        if moves.moves(row):
            points[row] = moves.points(row, points[row], pelvises[row])
    return points
