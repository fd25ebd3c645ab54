"""What the windows of a video that were solved so far tell of what stays the same in all of them."""
import numpy as np
import torch

from ..problem import DTOProblem
from .problem import joined_people


class Belief:
    """Information about scene variables and people's log heights, from all windows seen; their priors are apart.

    Attributes:
        references, scene: what the first window counted from, and its priors of scene variables; later windows take
            them.
        people: :class:`~mmhuman_dto.dto.DTOProblem` (1, K) of the bodies, K people so far, ``track_ids`` (K).
        counts: (K) frames in which each was seen.
    """

    def __init__(self):
        self.references, self.scene = {}, None
        self.people: DTOProblem | None = None
        self.track_ids, self.counts = torch.zeros(0, dtype=torch.long), torch.zeros(0).double()
        self.precision, self.pull = np.zeros((0, 0)), np.zeros(0)
        self.sites = np.zeros((0, 2))  # (K, 2) precision and pull of the people's own priors as they last were

    def meet(self, clip, prior):
        """Take in the people of a :class:`ClipProblem`: their bodies, so far, become its ``people``."""
        counts = clip.seen_counts()
        if self.people is None:
            self.people, self.track_ids, self.counts = clip.people, clip.track_ids, counts
        else:
            self.people, self.track_ids, self.counts = joined_people(
                (self.people, self.track_ids, self.counts), (clip.people, clip.track_ids, counts), prior)
        clip.people = self.people.of_places(self.rows(clip.track_ids))
        self.sites = np.concatenate([self.sites, np.zeros((len(self.track_ids) - len(self.sites), 2))])

    def rows(self, track_ids):
        """(k) int64: where these people are among the K."""
        where = {number: row for row, number in enumerate(self.track_ids.tolist())}
        return torch.tensor([where[number] for number in track_ids.tolist()], dtype=torch.long)

    def count(self, track_ids):
        """(k) frames in which these people were seen."""
        return self.counts[self.rows(track_ids)]

    def given(self, track_ids):
        """Precision (V + k, V + k) and pull (V + k) of the scene variables and of these people's log heights, without
        their priors: everybody else is averaged out."""
        scene, size = len(self.scene), len(self.scene) + len(self.track_ids)
        self._grow(size)
        here = np.concatenate([np.arange(scene), scene + self.rows(track_ids).numpy()])
        others = np.setdiff1d(np.arange(size), here)
        known = others[self.precision[others, others] > 0]
        precision, pull = self.precision[np.ix_(here, here)], self.pull[here]
        if len(known):
            block = self.precision[np.ix_(known, known)] + np.diag(self.sites[known - scene, 0])
            across = self.precision[np.ix_(here, known)]
            onward = np.linalg.solve(block, across.T).T
            precision = precision - onward @ across.T
            pull = pull - onward @ (self.pull[known] + self.sites[known - scene, 1])
        return precision, pull

    def add(self, track_ids, precision, pull, sites):
        """Take in what a window alone tells: precision and pull of scene variables and its people, and the people's
        ``sites`` (k, 2)."""
        scene = len(self.scene)
        self._grow(scene + len(self.track_ids))
        rows = self.rows(track_ids).numpy()
        here = np.concatenate([np.arange(scene), scene + rows])
        self.precision[np.ix_(here, here)] += precision
        self.pull[here] += pull
        self.sites[rows] = sites

    def _grow(self, size):
        more = size - len(self.pull)
        self.precision, self.pull = np.pad(self.precision, (0, more)), np.pad(self.pull, (0, more))
