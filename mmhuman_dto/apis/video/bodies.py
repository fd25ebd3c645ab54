"""Bodies through a video, piece by piece: fitted to joints, and fitted again at the depths that were found."""
from typing import NamedTuple

import torch

from mmhuman_dto.fitting import TemporalFit
from mmhuman_dto.fitting.windows import JointTrack

#: Frames of neighbouring pieces that a piece is fitted with.
CONTEXT = 45


class Followed(NamedTuple):
    """A person's joints: ``frames`` (G) int64 of the video, rising, and the track in them; ``betas`` (B) its shape."""
    track_id: int
    frames: torch.Tensor
    track: JointTrack
    betas: torch.Tensor

    def within(self, start, stop):
        """The person in the frames from ``start`` to before ``stop``."""
        rows = (self.frames >= start) & (self.frames < stop)
        return self._replace(frames=self.frames[rows], track=self.track.rows(rows))


class BodiesThroughTime:
    """Fits bodies to people's joints in pieces of a video that do not depend on each other.

    Args:
        fit: :class:`~mmhuman_dto.fitting.KeypointFit`.
    """

    def __init__(self, fit):
        self.fit = TemporalFit(fit)

    def state(self, pose, betas, transl):
        """:class:`~mmhuman_dto.fitting.kinematics.FitState` of bodies, see :meth:`KeypointFit.state`."""
        return self.fit.fit.state(pose, betas, transl)

    def shaped(self, people):
        """[:class:`Followed`] of (track id, frames, track) of people, whose shapes are found over whole tracks."""
        betas = [self.fit.shapes([track])[0] for _, _, track in people]
        return [Followed(*person, shape) for person, shape in zip(people, betas)]

    def __call__(self, people, start, stop):
        """[(:class:`Followed` within the piece, its :class:`~mmhuman_dto.fitting.FitResult`)] of the people in it."""
        wide = [person.within(start - CONTEXT, stop + CONTEXT) for person in people]
        wide = [person for person in wide if person.track.enough.any() and len(person.within(start, stop).frames)]
        if not wide:
            return []
        results = self.fit([person.track for person in wide], betas=torch.stack([person.betas for person in wide]))
        return self._cut(wide, results, start, stop)

    def refit(self, wide, states, depths, heights, start, stop):
        """The same of people ``wide`` whose pelvis' depths, P of (G) m, are known, and heights (P) m."""
        results = self.fit.refit(states, [person.track for person in wide], depths, heights=heights)
        return self._cut(wide, results, start, stop)

    @staticmethod
    def _cut(people, results, start, stop):
        """What of people and their results lies within a piece."""
        cut = []
        for person, result in zip(people, results):
            rows = (person.frames >= start) & (person.frames < stop)
            parts = result.state.rows(rows), *(values[rows] for values in result[1:])
            cut.append((person.within(start, stop), type(result)(*parts)))
        return cut
