"""People whom an encoder has found already: what a decoder's queries and the answers of a head start from."""
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmhuman_dto.geometry.boxes import from_corners

from .position import inverse_sigmoid

#: Boxes of joints are enlarged by this, as those that the network is to answer with are.
BOX_SCALE = 1.2
#: Smallest side of a box, px.
_LEAST = 4.
#: Log-odds that somebody found with score 0 is a person, and how much more they are with score 1: with a head's, before
#: it has learnt anything (log 1 / 99), somebody with mean score .3 is one to 60 %.
_LOG_ODDS, _SLOPE = 2.6, 8.
#: Largest logarithm by which a head changes somebody's size.
_RANGE = 2.
#: Added to a size that is divided by: as the public weights were trained.
_EPS = 1e-6


def picture_camera(cameras):
    """Offset (*, 2) and size (*, 1) that cameras (*, 3) tx, ty, s of a head mean, in units of half a picture."""
    return cameras[..., :2], 2 * cameras[..., 2:].sigmoid() + _EPS


@dataclass
class Bodies:
    """A first answer for P slots of each of B images, poses and shapes less a head's means."""
    pose_6d: Tensor  # (B, P, J, 6)
    betas: Tensor  # (B, P, num_betas)
    offset: Tensor  # (B, P, 2), see :func:`picture_camera`
    size: Tensor  # (B, P, 1)


@dataclass
class FoundPeople:
    """P slots of each of B images, those where somebody was found first; lengths in units of ``input_size``."""
    contents: Tensor  # (B, P, C) what is known of each
    boxes: Tensor  # (B, P, 4) cx, cy, w, h in (0, 1)
    joints: Tensor  # (B, P, J, 2)
    scores: Tensor  # (B, P, J) of the joints, 0..1
    mean_scores: Tensor  # (B, P) of the joints that are seen
    known: Tensor  # (B, P) bool, whether somebody is there

    @property
    def log_odds(self):
        """(B, P) that each is a person, before anything was learned; 0 where nobody was found."""
        return torch.where(self.known, _LOG_ODDS + _SLOPE * self.mean_scores, 0.)

    def fill(self, contents, boxes):
        """Contents (B, Q, C) and boxes (B, Q, 4) of queries, the first P of them those of who was found."""
        slots, known = self.known.shape[1], self.known[..., None]
        return tuple(torch.cat([torch.where(known, found, query[:, :slots]), query[:, slots:]], 1)
                     for found, query in ((self.contents, contents), (self.boxes, boxes)))

    def lead(self, raw, bodies, queries):
        """What a head says of queries, some of which started from people.

        Args:
            raw: a head's answer for all Q queries, name -> (L, B, Q, ...).
            bodies: :class:`Bodies` of who was found, which the head changes.
            queries: the last so many of the Q are learned ones, of which the first P started from people.

        Returns:
            dict: the same, with ``offset`` (L, B, Q, 2) and ``size`` (L, B, Q, 1) of the cameras; the log-odds of
            confidences, poses and shapes are added to those of who was found, and sizes multiplied.
        """
        first = raw['confs'].shape[2] - queries

        def spread(values):
            """(B, P, ...) -> (B, Q, ...), 0 for the queries that start from nobody."""
            flat = torch.where(self.known[..., None], values.flatten(2), 0.)
            return pad(flat, (0, 0, first, queries - values.shape[1])).unflatten(2, values.shape[2:])

        found = spread(torch.ones_like(bodies.size)) > 0
        offset, size = picture_camera(raw['cameras'])
        changed = spread(bodies.size) * raw['cameras'][..., 2:].clamp(-_RANGE, _RANGE).exp()
        beside = spread(bodies.offset) + changed * raw['cameras'][..., :2]
        return dict(
            raw, confs=(inverse_sigmoid(raw['confs']) + spread(self.log_odds[..., None])).sigmoid(),
            pose_6d=raw['pose_6d'] + spread(bodies.pose_6d), betas=raw['betas'] + spread(bodies.betas),
            offset=torch.where(found, beside, offset), size=torch.where(found, changed, size))


def joint_box(joints, seen, limits):
    """Boxes (N, 4) cx, cy, w, h, px, of the joints (N, J, 2) that are seen (N, J), enlarged, inside the picture.

    ``limits`` (N, 2) are its width and height.
    """
    low = torch.where(seen[..., None], joints, torch.inf).amin(1)
    high = torch.where(seen[..., None], joints, -torch.inf).amax(1)
    centre, half = (low + high) / 2, ((high - low) / 2 * BOX_SCALE).clamp(min=_LEAST)
    return from_corners(torch.cat([torch.minimum((centre + side * half).clamp(min=0), limits) for side in (-1, 1)], -1))
