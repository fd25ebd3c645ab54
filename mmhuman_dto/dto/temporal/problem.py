"""What is known of the people of a video, frame by frame and person by person, as the solver of videos sees it."""
import math
from dataclasses import dataclass, fields

import torch

from ..prior import HeightPrior
from ..problem import OF_SCENES, DTOProblem


@dataclass
class FrameRows(DTOProblem):
    """One scene (1, M) of everybody in every frame; a person between two frames in which it is seen is a row without
    ``mask``, whose pelvis and feet are in between.

    Errors of a person in frames that follow each other are alike, so that each is less than an observation.
    """
    person: torch.Tensor = None  # (M) int64, which of the K people
    interval: float = 1.  # s between frames
    references: dict = None  # of :meth:`reference`, kept from one window of a video to the next

    def reference(self, name, values):
        return self.references.setdefault(name, values)

    def worth(self, known, correlation_time):
        """Of n observations an ``interval`` apart whose errors are AR(1) of a ``correlation_time``, s: what their mean
        is worth (1' R^-1 1 = (n - (n - 2) r) / (1 + r)) over n; (1, M)."""
        if not correlation_time:
            return 1.
        count = torch.zeros(int(self.person.max()) + 1).double().index_add(0, self.person, known[0].double())
        alike = math.exp(-self.interval / correlation_time)
        worth = (count - (count - 2) * alike) / (1 + alike) / count.clamp(min=1)
        return worth[self.person][None].where(known, 0.)


@dataclass
class ClipProblem:
    """T frames of K people, M rows, one of each person in each frame from its first to its last.

    Attributes:
        frames: :class:`DTOProblem` of the frames as they are, (T, P).
        rows: :class:`FrameRows` (1, M), in the order of the frames.
        people: :class:`DTOProblem` (1, K): their bodies, as all frames together tell.
        frame, place: (M) int64, of ``rows``; ``place`` among the P of ``frames``, -1 where it is not seen.
        slot: (M) int64: one of as few places as possible in which a person stays from its first frame to its last.
        track_ids: (K) int64.
        times: (T) float64, s.
    """
    frames: DTOProblem
    rows: FrameRows
    people: DTOProblem
    frame: torch.Tensor
    place: torch.Tensor
    slot: torch.Tensor
    track_ids: torch.Tensor
    times: torch.Tensor

    @property
    def person(self):
        """(M) int64, which of the K people."""
        return self.rows.person

    @property
    def seen(self):
        """(M) bool."""
        return self.rows.mask[0]

    def seen_counts(self):
        """(K) in how many frames each person is seen."""
        return torch.zeros(len(self.track_ids)).double().index_add_(0, self.person, self.seen.double())

    @classmethod
    def of(cls, frames, track_ids, times, prior=None, references=None):
        """The clip of frames.

        Args:
            frames: :class:`DTOProblem` (T, P), on the CPU.
            track_ids: T tensors (N) of the people of each sample, ``frames.person_index`` being their rows.
            times: (T) s, rising.
            references: of the windows of the same video, see :meth:`FrameRows.reference`; None: there are no others.

        Raises:
            ValueError: times that do not rise.
        """
        times = torch.as_tensor(times, dtype=torch.float64)
        if len(times) > 1 and not bool((times.diff() > 0).all()):
            wrong = int((times.diff() <= 0).nonzero()[0]) + 1
            raise ValueError(f'times of frames must rise; frame {wrong} is at {float(times[wrong])} s, the one before '
                             f'at {float(times[wrong - 1])} s')
        numbers = torch.full(frames.mask.shape, -1)
        for scene, ids in enumerate(track_ids):
            there = frames.mask[scene]
            numbers[scene, there] = torch.as_tensor(ids).long()[frames.person_index[scene, there]]
        known, person = numbers[frames.mask].unique(return_inverse=True)
        seen = torch.full((len(known), len(times)), -1)
        frame, place = frames.mask.nonzero().unbind(-1)
        seen[person, frame] = place
        whole = (seen >= 0).long()
        inside = (whole.cumsum(1) > 0) & (whole.flip(1).cumsum(1).flip(1) > 0)
        frame, person = inside.T.nonzero().unbind(-1)
        place = seen[person, frame]
        interval = float(times.diff().median()) if len(times) > 1 else 1.
        rows = _rows(frames, frame, place, person, interval, {} if references is None else references)
        return cls(frames, rows, _people(rows, len(known), prior or HeightPrior()), frame, place,
                   _slots(inside)[person], known, times)


def _rows(frames, frame, place, person, interval, references):
    """:class:`FrameRows` of places of frames, -1 for who is not seen."""
    seen, values = place >= 0, {}
    for field in fields(DTOProblem):
        if field.name in OF_SCENES:
            continue
        of_frames = getattr(frames, field.name)
        row = of_frames[frame, place.clamp(min=0)].clone()
        row[~seen] = torch.ones(()).to(row) if row.dtype != torch.bool else False
        values[field.name] = row[None]
    rows = FrameRows(**values, drop_reasons=(), focal_std=_focal_std(frames), person=person, interval=interval,
                     references=references)
    for rank in torch.arange(int(person.max()) + 1 if len(person) else 0):
        _bridge(rows, frame, (person == rank).nonzero()[:, 0], seen)
    return rows


def _focal_std(frames):
    """(1) that of the first frame with people: a clip has one camera."""
    first = int(frames.mask.any(1).long().argmax())
    return frames.focal_std[first:first + 1]


def _bridge(rows, frame, mine, seen):
    """Put pelvis, feet and height of rows ``mine`` of a person that are not seen between the seen ones."""
    missing, known = mine[~seen[mine]], mine[seen[mine]]
    if not len(missing):
        return
    after = torch.searchsorted(frame[known], frame[missing])
    low, high = known[after - 1], known[after]
    share = (frame[missing] - frame[low]) / (frame[high] - frame[low]).double()
    depth, heights = rows.root_z[0].clone(), rows.heights[0]
    between = torch.lerp(depth[low].log(), depth[high].log(), share).exp()
    for name in ('pelvis', 'balls', 'feet'):
        points = getattr(rows, name)[0]
        row = [-1, *[1] * (points.ndim - 1)]
        ends = (points[end] / depth[end].view(row) for end in (low, high))
        points[missing] = torch.lerp(*ends, share.view(row)) * between.view(row)
    heights[missing] = torch.lerp(heights[low], heights[high], share)


def _people(rows, count, prior):
    """:class:`DTOProblem` (1, K) of bodies: mean heights, ages and sexes over the rows in which they are seen."""
    seen, person = rows.mask[0], rows.person

    def mean(values, known):
        total, number = torch.zeros(2, count).double()
        total.index_add_(0, person[known], values[known].double())
        number.index_add_(0, person[known], torch.ones(int(known.sum())).double())
        return torch.where(number > 0, total / number, torch.nan)

    ages, male = rows.ages[0], rows.male_probs[0]
    first = torch.stack([((person == k) & seen).nonzero()[0, 0] for k in range(count)]) if count else torch.zeros(
        0, dtype=torch.long)
    values = {field.name: getattr(rows, field.name)[:, first] for field in fields(DTOProblem)
              if field.name not in OF_SCENES}
    values['heights'] = mean(rows.heights[0].log(), seen).exp()[None]
    values['ages'] = (mean((ages + 2).log(), seen & ages.isfinite()).exp() - 2)[None]
    values['male_probs'] = mean(male, seen & male.isfinite())[None]
    people = DTOProblem(**values, drop_reasons=(), focal_std=rows.focal_std)
    people.set_prior(prior)
    return people


def joined_people(known, more, prior):
    """People of two groups, by (:class:`DTOProblem` (1, K), track_ids (K), counts (K) of the frames they were seen in):
    those of both have the means of both, weighted."""
    (people, ids, counts), (others, other_ids, other_counts) = known, more
    both = torch.isin(other_ids, ids)
    where = {number: row for row, number in enumerate(ids.tolist())}
    rows = torch.tensor([where[number] for number in other_ids[both].tolist()], dtype=torch.long)
    share = other_counts[both] / (counts[rows] + other_counts[both])
    merged = {field.name: getattr(people, field.name).clone() for field in fields(DTOProblem)
              if field.name not in OF_SCENES}
    for name, forth, back in (('heights', torch.log, torch.exp),
                              ('ages', lambda age: (age + 2).log(), lambda log: log.exp() - 2),
                              ('male_probs', lambda share: share, lambda share: share)):
        old, new = merged[name][0, rows], getattr(others, name)[0, both]
        mean = back(torch.lerp(forth(old), forth(new), share))
        merged[name][0, rows] = mean.where(mean.isfinite(), old.where(old.isfinite(), new))
    joined = {name: torch.cat([values, getattr(others, name)[:, ~both]], 1) for name, values in merged.items()}
    found = DTOProblem(**joined, drop_reasons=(), focal_std=people.focal_std)
    found.set_prior(prior)
    return found, torch.cat([ids, other_ids[~both]]), torch.cat([
        counts.index_add(0, rows, other_counts[both]), other_counts[~both]])


def _slots(inside):
    """(K) of people who are in the frames of ``inside`` (K, T): nobody shares a slot with who is there at the same
    time."""
    order = inside.long().argmax(1).argsort(stable=True).tolist()
    last = (inside.shape[1] - inside.flip(1).long().argmax(1)).tolist()  # frame after the last
    first, ends, slots = inside.long().argmax(1).tolist(), [], torch.zeros(len(inside), dtype=torch.long)
    for k in order:
        free = next((slot for slot, end in enumerate(ends) if end <= first[k]), len(ends))
        if free == len(ends):
            ends.append(0)
        slots[k], ends[free] = free, last[k]
    return slots
