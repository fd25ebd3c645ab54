"""Readers of programs that leave a file a picture, or one for several."""
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError
from mmhuman_dto.fileio.finding import find_files, what_is_in

from .base import ImageResult, ResultError, ResultReader, Results
from .meshes_only import FACES_HINT, GUESSED_FACES
from .stored import SUFFIXES, Stored, load_stored, looked_at, save_stored

#: File of triangles (F, 3) beside results that do not have them.
FACES = 'faces.npy'
#: What is wrong with one file of a folder, which costs the others nothing.
_FAULTS = (ResultError, BrokenFileError, UnsafeFileError, OSError)
#: Files of a folder that are looked at to tell what it holds, should nobody be in the first ones.
_LOOK_AT = 10


class Picture(NamedTuple):
    """A picture as one reader understood it.

    Attributes:
        image: :class:`ImageResult`.
        faces: (F, 3) of its meshes, or None where nobody is in it. body: what these are.
        notes: what a user must know. focal_is_guess: as of :class:`Results`.
    """
    image: ImageResult
    faces: torch.Tensor | None
    body: str
    notes: tuple = ()
    focal_is_guess: bool = False


class FilesReader(ResultReader):
    """Results by pickle, torch.save, np.save or np.savez: one file, or a folder with them.

    ``faces_hint`` says what to do where nobody told the triangles of meshes.

    A subclass tells the pictures of a file's content apart (``parts``), understands one (``picture``), and changes it
    as placing says (``moved``).
    """
    suffixes = SUFFIXES
    faces_hint = FACES_HINT

    @classmethod
    def sniff(cls, path):
        told = (cls._told(file) for file, _ in cls.found(Path(path))[:_LOOK_AT])
        return bool(next((knows for knows in told if knows is not None), False))

    @classmethod
    def _told(cls, file):
        """What :meth:`knows` says of a file; None of one that cannot be read."""
        try:
            return cls.knows(looked_at(file).content)
        except Exception:  # keys of other types than this program's
            return None

    @classmethod
    def found(cls, path):
        """[(file, its name without suffix below ``path``)] of what is to be read."""
        if not path.is_dir():
            return [(path, path.stem)] if path.suffix.lower() in cls.suffixes else []
        names = [name for name in find_files(path, cls.suffixes) if PurePosixPath(name).name != FACES]
        return [(path / name, str(PurePosixPath(name).with_suffix(''))) for name in names]

    @classmethod
    @abstractmethod
    def knows(cls, content):
        """Whether what a file holds is of this program, by its keys; None where it may be: nobody is in the picture."""

    @abstractmethod
    def parts(self, content, name, where):
        """{name of a picture: its part of a file's content}; ``name`` is the file's, ``where`` for messages."""

    @abstractmethod
    def picture(self, part, name, where):
        """:class:`Picture` of a part."""

    @abstractmethod
    def moved(self, part, picture, moves):
        """A part with what ``Moves`` change; ``picture`` is what :meth:`picture` made of it. Changes nothing given."""

    def joined(self, content, parts):
        """The content of a file from the parts (list) of its pictures; here of one that is a single part."""
        return parts[0]

    def read(self):
        self._files, told, failed = [], Together(self.path), []
        for path, name in self.found(self.path):
            try:
                _, parts = self._understood(path, name)
                told.add(picture for _, picture in parts)
            except _FAULTS as error:
                if not self.path.is_dir():
                    raise
                failed.append(error)
                continue
            self._files.append(ReadFile(path, name, len(parts)))
        if not self._files:
            if failed:
                raise failed[0]
            there = f' (there are {what_is_in(self.path)})' if self.path.is_dir() else ''
            raise ResultError(f'{self.path}: no file to read{there}; expected {self.files}')
        results = told.results(PicturesOfFiles(self, self._files), tuple(map(str, failed)))
        if self.context.guessed_faces:
            results.notes, results.faces_are_guess = (*results.notes, GUESSED_FACES + self.faces_hint), True
        return results

    def write(self, out, moves):
        moves, written = iter(moves), []
        for path, name, _ in self._files:
            stored, parts = self._understood(path, name)
            changed = [self.moved(part, picture, next(moves)) for part, picture in parts]
            target = Path(out) / (path.relative_to(self.path) if self.path.is_dir() else path.name)
            save_stored(target, Stored(self.joined(stored.content, changed), stored.form))
            written.append(target)
        if self._faces_file.is_file():
            written.append(Path(out) / FACES)
            save_stored(written[-1], load_stored(self._faces_file))
        return written

    def _understood(self, path, name):
        """(:class:`~.stored.Stored`, [(part, :class:`Picture`)]) of a file."""
        stored = load_stored(path)
        with in_layout(path, self.files):
            if self.knows(stored.content) is False:
                raise ResultError(f'{path}: {describe(stored.content)}; expected {self.files}')
            parts = self.parts(stored.content, name, str(path))
            return stored, [(part, self.picture(part, key, f'{path}' + (f', {key}' if len(parts) > 1 else '')))
                            for key, part in parts.items()]

    @property
    def _faces_file(self):
        return (self.path if self.path.is_dir() else self.path.parent) / FACES

    def own_faces(self):
        """Triangles (F, 3) of the file ``faces.npy`` beside the results; None without."""
        return load_stored(self._faces_file).content if self._faces_file.is_file() else None


class ReadFile(NamedTuple):
    """A file that was understood: its path, its name in the results, and how many pictures it is about."""
    path: Path
    name: str
    count: int


class PicturesOfFiles(Sequence):
    """:class:`ImageResult` of each picture, read anew when it is asked for: meshes of many would fill the memory."""

    def __init__(self, reader, files):
        self._reader, self._kept = reader, (None, ())
        self._places = [(file, place) for file in files for place in range(file.count)]

    def __len__(self):
        return len(self._places)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        file, place = self._places[index]
        if self._kept[0] != file:
            self._kept = file, [picture.image for _, picture in self._reader._understood(file.path, file.name)[1]]
        return self._kept[1][place]


class Together:
    """What :class:`Picture` s have in common, as they are read: triangles, body, notes.

    Args:
        where: for messages.
    """

    def __init__(self, where):
        self._where, self._first, self._bodies, self._notes, self._guess = where, None, [], {}, False

    def add(self, pictures):
        """Pictures of a file; ResultError where they have other triangles than those before."""
        for picture in pictures:
            if picture.faces is not None and len(picture.image.people):
                faces = torch.as_tensor(picture.faces).long()
                if self._first is None:
                    self._first = picture.image.name, faces, picture.body
                elif not torch.equal(faces, self._first[1]):
                    raise ResultError(f'{self._where}: {picture.image.name} has meshes with other triangles than '
                                      f'{self._first[0]}; place each kind of meshes on its own')
            self._bodies.append(picture.body)
            self._notes.update(dict.fromkeys(picture.notes))
            self._guess |= picture.focal_is_guess

    def results(self, images, failed=()):
        """:class:`Results` of images."""
        _, faces, body = self._first or (None, torch.zeros(0, 3, dtype=torch.long), self._bodies[0])
        return Results(images, faces, body, tuple(self._notes), self._guess, failed)


@contextmanager
def in_layout(where, files):
    """Within it, whatever content of another kind than expected leads to is a :class:`ResultError` that names the file.

    Errors of this package are clear already, and so is what is not there or not installed.
    """
    try:
        yield
    except (OSError, ImportError):
        raise
    except Exception as error:
        if type(error).__module__.startswith('mmhuman_dto.'):
            raise
        raise ResultError(f'{where}: its content is not as expected ({type(error).__name__}: {error}); expected '
                          f'{files}') from error


def together(pictures, where):
    """:class:`Results` of :class:`Picture` s, which share their faces."""
    told = Together(where)
    told.add(pictures)
    return told.results([picture.image for picture in pictures])


def describe(content):
    """What a file holds, in a few words of a message."""
    if isinstance(content, dict):
        names = [str(key) for key in content]
        return f'holds the keys {", ".join(names[:8])}{", ..." if len(names) > 8 else ""}' if names else 'holds nothing'
    if isinstance(content, (list, tuple)):
        inside = f', the first {describe(content[0])}' if content and isinstance(content[0], dict) else ''
        return f'holds a {type(content).__name__} of {len(content)}{inside}'
    shape = f' of shape {tuple(content.shape)}' if hasattr(content, 'shape') else ''
    return f'holds a {type(content).__name__}{shape}'


def person_list(value):
    """A list of dictionaries from a list, a tuple or an array of them; None of anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and (value.dtype == object or not value.size):
        value = value.tolist()
    if isinstance(value, (list, tuple)) and all(isinstance(person, dict) for person in value):
        return list(value)
    return None


def like_list(people, example):
    """A list of people as the list, tuple or array that they came in."""
    if isinstance(example, np.ndarray):
        array = np.empty(len(people), example.dtype)
        array[:] = people
        return array
    return type(example)(people)


def number_like(number, example):
    """A number as the scalar, array or tensor that stood there."""
    if torch.is_tensor(example):
        return torch.full_like(example, float(number))
    if isinstance(example, np.ndarray):
        return np.full_like(example, float(number))
    return type(example)(number)


def numbers(entry, key, shape, where):
    """``entry[key]`` as a float64 tensor, for what has that shape (None: any size).

    Raises:
        ResultError: no such key, or another shape.
    """
    if key not in entry:
        raise ResultError(f'{where}: no key {key!r}; {describe(entry)}')
    try:
        values = torch.as_tensor(entry[key]).detach().double()
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ResultError(f'{where}, key {key!r}: no array of numbers ({error})') from error
    if values.ndim != len(shape) or any(want not in (None, have) for have, want in zip(values.shape, shape)):
        wanted = ', '.join('any' if size is None else str(size) for size in shape)
        raise ResultError(f'{where}, key {key!r}: shape {tuple(values.shape)}, expected ({wanted})')
    return values


def stacked(people, key, shape, where):
    """:func:`numbers` of every person, (N, ...); ResultError where their shapes differ."""
    values = [numbers(person, key, shape, f'{where}, person {row}') for row, person in enumerate(people)]
    if len({value.shape for value in values}) > 1:
        raise ResultError(f'{where}, key {key!r}: people have shapes {sorted({tuple(v.shape) for v in values})}')
    return torch.stack(values)
