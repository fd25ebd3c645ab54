"""What every reader of another program's results gives and takes back."""
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from mmhuman_dto.structures import People

#: ``initial_heights`` of programs whose bodies are grown-ups, of those whose bodies shrink but have no ages, and of
#: those whose bodies have ages. Measured on rendered crowds whose heights were pulled to the mean adult's by 80, 50 and
#: 30 % (.16, .42, .63); the stds are wider, as no program was measured.
ADULT_BODIES, SHRINKING_BODIES, AGED_BODIES = (.17, .03), (.45, .06), (.65, .08)
#: The same of programs of which nothing is known.
ANY_BODIES = (.3, .08)


class ResultError(ValueError):
    """Results that cannot be read or written back; the message names the file, the key, and what to do."""


@dataclass
class ImageResult:
    """The people of one picture or video frame as another program left them, in our convention.

    Attributes:
        name: file name of the picture, with folders where the results tell them, without suffix where they do not; of a
            frame of a video its number (``frame``) in digits.
        people: CPU tensors, N rows: ``vertices`` (N, V, 3) and ``pelvis`` (N, 3), m, camera frame (x right, y down, z
            forward); ``smpl_joints`` (N, 24, 3), nan where not known; ``heights`` and ``heights_std`` (N), m, nan where
            not known. Where known: ``ages``, ``male_probs``, ``scores``, ``track_ids``, ``bboxes`` (px of the picture),
            and ``global_orient``, ``body_pose``, ``betas``, ``transl`` of bodies that have such.
        intrinsics: (3, 3) float64, px of the whole picture: the camera of ``vertices``; None: the results do not tell.
        image_size: (height, width) px; None: the results do not tell and no picture was found.
        frame: number of the frame in its video; None: a picture.
    """
    name: str
    people: People
    intrinsics: torch.Tensor | None = None
    image_size: tuple | None = None
    frame: int | None = None


@dataclass
class Results:
    """All that one program left.

    Attributes:
        images: sequence of :class:`ImageResult` of each picture, in the order of the files; pictures without people
            included where the results tell of them. Those of videos are made anew when they are asked for: what is
            changed in one is lost, and who keeps all of them needs much memory.
        faces: (F, 3) int64, of everybody's ``vertices``.
        body: what the meshes are, for messages and files: 'SMPL', 'SMPL-X', 'MHR', 'Anny', ...
        notes: sentences that a user must know: what was assumed, what stands in for what.
        focal_is_guess: whether the program made up its focal length from the picture's size.
        camera_poses: (F, 4, 4) float64, world -> camera, of the frames of a video from 0 on, whose unit is to be found;
            None: the results do not tell them.
        faces_are_guess: whether ``faces`` are only between neighbours among the vertices, as nobody told triangles.
        failed: what is wrong with each file of a folder that could not be read; the others were.
    """
    images: Sequence
    faces: torch.Tensor
    body: str
    notes: tuple = ()
    focal_is_guess: bool = False
    failed: tuple = ()
    faces_are_guess: bool = False
    camera_poses: torch.Tensor | None = None

    @property
    def frames(self):
        """Numbers of the frames that ``images`` are of, None for pictures; nobody is posed for it."""
        return [shot.frame for shot in getattr(self.images, 'shots', self.images)]


@dataclass
class Moves:
    """What placing changes of the N people of one picture; points of a person become
    ``pelvis + shift + scale * (point - pelvis)``.

    Attributes:
        shift: (N, 3) float64, m, camera frame: of the pelvis, hence of every translation.
        scale: (N) float64: new over old size of the mesh.
        intrinsics: (3, 3) float64, px, the camera that they were placed for; None: the one of the results.
    """
    shift: torch.Tensor
    scale: torch.Tensor
    intrinsics: torch.Tensor | None = None

    @classmethod
    def none(cls, count):
        """Of people who stay as they are."""
        return cls(torch.zeros(count, 3, dtype=torch.float64), torch.ones(count, dtype=torch.float64))

    def in_units(self, per_metre):
        """Of points in another unit, of which a metre has so many (1000: mm)."""
        return Moves(self.shift * per_metre, self.scale, self.intrinsics)

    def of(self, rows):
        """Of some of the people: a slice or list of rows."""
        return Moves(self.shift[rows], self.scale[rows], self.intrinsics)

    def moves(self, row):
        """Whether the person in ``row`` does not stay as it is."""
        return bool((self.shift[row] != 0).any() or self.scale[row] != 1)

    def translated(self, row, transl):
        """A translation (*, 3), tensor or array, m, camera frame, of the person in ``row``, of the same type."""
        return _like(torch.as_tensor(transl).double() + self.shift[row], transl)

    def points(self, row, points, pelvis):
        """Points (*, 3), tensor or array, m, camera frame, of the person in ``row``, whose pelvis (3) was there; of the
        same type. Numbers of a person who stays are the same bits."""
        scale, pelvis = self.scale[row], torch.as_tensor(pelvis).double()
        return _like(torch.as_tensor(points).double() * scale + (pelvis + self.shift[row] - scale * pelvis), points)


@dataclass
class ReaderContext:
    """What readers may ask for besides the file.

    Attributes:
        image_size: (name of a picture, number of its frame or None) -> (height, width) px, None where it is not found
            (names without suffix match).
        bodies: :class:`~mmhuman_dto.results.smpl_family.SmplFamily`, which poses SMPL and SMPL-X bodies.
        guessed_faces: {number of vertices: (F, 3)} of meshes whose triangles nobody told.
    """
    image_size: callable = field(default=lambda name, frame=None: None)
    bodies: object = None
    guessed_faces: dict = field(default_factory=dict)


class ResultReader(ABC):
    """Results of one program in one layout; register a subclass in ``RESULTS``, one class in one file.

    Attributes:
        kind: name in ``--from``.
        program: what it is called, with its address.
        files: what is read, in one line of the docs and of error messages.
        licence: of the program, as far as known.
        initial_heights: (share of a person's difference from a typical adult's height that the program's meshes show,
            std of what they show beside it, both of the logarithm), for the solver's
            :class:`~mmhuman_dto.dto.terms.initial.InitialTerm`.
        before_camera: whether the people stand before a camera; else they are in a world and cannot be placed.
    """
    kind, program, files, licence = '', '', '', ''
    initial_heights = ADULT_BODIES
    before_camera = True

    def __init__(self, path, context):
        self.path, self.context = Path(path), context

    @classmethod
    @abstractmethod
    def sniff(cls, path):
        """Whether a path (file or folder) is such; looks at names and keys alone, and raises nothing."""

    @abstractmethod
    def read(self):
        """:class:`Results`; ResultError, UnsafeFileError and BrokenFileError name the file and the key."""

    @abstractmethod
    def write(self, out, moves):
        """Write the results back below the folder ``out`` under their own names, in their own layout.

        Only what placing changes differs: translations and stored absolute points (and the camera, where
        ``Moves.intrinsics`` is given and the layout has one). Shapes, keys, units and types stay.

        Args:
            moves: :class:`Moves` of each of ``Results.images``, in their order.

        Returns:
            list of the paths written.
        """


def _like(values, example):
    """A tensor as the type of ``example``: tensor or array, of its dtype."""
    if torch.is_tensor(example):
        return values.to(example.dtype)
    return values.numpy().astype(example.dtype)
