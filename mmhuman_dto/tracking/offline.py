"""Who is who in a whole video: the frames as they come, then what later frames tell of the earlier ones."""
from dataclasses import dataclass, field

import numpy as np

from .linking import LinkConfig, Tracklet, link
from .seeing import Seen
from .tracker import Tracker
from .tracks import Tracks

#: s at the beginning of a tracklet that tell where it came from.
OPENING = 1.
#: s out of sight after which it is another tracklet, that may be the same person's.
SPLIT = .4


def track_people(frames, cuts=(), tracker=None, config=LinkConfig(), min_seconds=.3, sure_score=.6, max_gap=2.):  # noqa: B008
    """Ids of the people of a whole video.

    People keep their id from the first frame they are seen in. Who was out of sight for more than ``SPLIT`` s is told
    again by what is known on both sides of the gap. Who is seen for a short time only, and not clearly, is nobody. What
    is kept a frame are numbers alone, so that frames may come from files, however many.

    Args:
        frames: iterable of (time, :class:`~.observations.Observations`) or (time, observations, camera pose), as
            :meth:`.Tracker.add` takes them.
        cuts: indices of the frames at which new shots begin.
        tracker: None: ``Tracker()``.
        config: :class:`~.linking.LinkConfig`; None: nothing is joined.
        max_gap: s that somebody may be out of sight.
        min_seconds, sure_score: people seen for less than so many seconds with a mean score below are nobody.

    Returns:
        list of (N) int64 ids, one a frame, from 0 on in the order in which people appear; -1: nobody.
    """
    tracker, cuts, book, numbers = tracker or Tracker(), set(cuts), _Book(), []
    for index, (time, observations, *pose) in enumerate(frames):
        if index in cuts:
            tracker.cut()
            book.shot += 1
        tracker.add(time, observations, *pose)
        numbers.append(book.write(time, Seen.of(observations, *pose), tracker))
    tracklets = book.tracklets()
    first = ({tracklet.number: tracklet.number for tracklet in tracklets} if config is None
             else link(tracklets, max_gap, config))
    nobody = set(_flickers(tracklets, first, tracker.min_hits, min_seconds, sure_score))
    ids = {}
    for number in sorted(first):
        if first[number] not in nobody:
            ids.setdefault(first[number], len(ids))
    table = np.full(max(first, default=-1) + 2, -1, dtype=np.int64)  # the last entry is that of -1
    for number, one in first.items():
        table[number] = ids.get(one, -1)
    return [table[row] for row in numbers]


def _flickers(tracklets, first, min_hits, min_seconds, sure_score):
    """First numbers of those who are seen too little to be people."""
    people = {}
    for tracklet in tracklets:
        people.setdefault(first[tracklet.number], []).append(tracklet)
    for number, parts in people.items():
        hits = sum(part.hits for part in parts)
        seconds = sum(part.end - part.begin for part in parts)
        score = sum(part.hits * part.score for part in parts) / hits
        if hits < min_hits or (seconds < min_seconds and score < sure_score):
            yield number


@dataclass
class _Page:
    """What is written down of a tracklet."""
    shot: int
    begin: float
    end: float = 0.
    hits: int = 0
    scores: float = 0.
    opening: list = field(default_factory=list)  # (time, Seen of one), until the head is made of them
    head: Tracks | None = None
    tail: tuple = ()  # Tracks of a frame, and the row

    def close(self):
        """Make the head of the opening."""
        if self.head is None:
            (time, seen), *others = reversed(self.opening)
            self.head = Tracks.born(seen, [0], time)
            for earlier, seen in others:
                self.head.move(time - earlier)
                self.head.see(np.array([0]), seen, earlier)
                time = earlier
            self.opening = []


class _Book:
    """The tracklets of a video as its frames come."""

    def __init__(self):
        self.pages, self.shot, self.number_of = [], 0, {}

    def write(self, time, seen, tracker):
        """A frame whose people have got their ``tracker.numbers``: (N) numbers of their tracklets, -1 none."""
        followed = tracker.tracks[tracker.tracks.misses == 0]
        rows = {number: row for row, number in enumerate(followed.numbers.tolist())}
        numbers = np.full(len(seen), -1, dtype=np.int64)
        for person, track in sorted(enumerate(tracker.numbers.tolist()), key=lambda pair: pair[1]):
            if track >= 0:
                numbers[person] = self._number(track, time)
                page = self.pages[numbers[person]]
                page.end, page.tail, page.hits = time, (followed, rows[track]), page.hits + 1
                page.scores += float(seen.observations.scores[person])
                if page.head is None and time - page.begin <= OPENING:
                    page.opening.append((time, seen[person:person + 1]))
                else:
                    page.close()
        return numbers

    def _number(self, track, time):
        """That of the tracklet that a track goes on in, or begins."""
        number = self.number_of.get(track)
        if number is None or time - self.pages[number].end > SPLIT:
            self.number_of[track] = number = len(self.pages)
            self.pages.append(_Page(self.shot, time))
        return number

    def tracklets(self):
        for page in self.pages:
            page.close()
        return [Tracklet(number, page.shot, page.begin, page.end, page.hits, page.scores / page.hits, page.head,
                         page.tail[0][page.tail[1]:page.tail[1] + 1]) for number, page in enumerate(self.pages)]
