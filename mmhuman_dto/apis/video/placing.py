"""Bodies of a video placed in metres: what the solver of videos is given, and what it finds for each person."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.structures import Camera, HumanDataSample

from .identities import people_of

#: Of rows of bodies, what people who are placed do not have.
_ASIDE = ('seen', 'keypoints_2d', 'keypoints_2d_valid')


class Whereabouts(NamedTuple):
    """A person once placed.

    Attributes:
        frames: (F) int64 in which it was seen. depth, std: (F) m of the pelvis, and relative.
        betas, height, height_std: (B), m and m of all of them.
        focal: new over assumed focal length. camera_scale: metres a unit of the cameras' places.
    """
    frames: torch.Tensor
    depth: torch.Tensor
    std: torch.Tensor
    betas: torch.Tensor
    height: float
    height_std: float
    focal: float
    camera_scale: float

    def depths_at(self, frames):
        """Depth (G) m and relative std (G) in frames (G), between those in which the person was seen too."""
        known, wanted = self.frames.double().numpy(), frames.double().numpy()
        depth = np.exp(np.interp(wanted, known, self.depth.log().numpy()))
        return torch.from_numpy(depth), torch.from_numpy(np.interp(wanted, known, self.std.numpy()))


class SeenPeople(Sequence):
    """Samples of a video's frames with the people who were seen in them, as DTO starts from them.

    Args:
        bodies: :class:`~.store.FrameStore` of bodies. span: (first, after the last) frame.
        size: (height, width) px. camera: :class:`~mmhuman_dto.structures.Camera` of all frames.
        metainfo: of all samples.
    """

    def __init__(self, bodies, span, size, camera, metainfo):
        self.bodies, self.span, self.size, self.camera, self.metainfo = bodies, span, size, camera, metainfo
        some = next((arrays for frame in range(*span) if (arrays := bodies[frame])), {})
        self.anybody = bool(some)
        self.unseen = {name: values[:0] for name, values in some.items()}

    def __len__(self):
        return self.span[1] - self.span[0]

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            return [self[row] for row in range(*rows.indices(len(self)))]
        frame = self.span[0] + rows
        arrays = self.bodies[frame] or self.unseen
        kept = arrays['seen']
        people = people_of({name: values[kept] for name, values in arrays.items() if name not in _ASIDE})
        sample = HumanDataSample(metainfo=dict(self.metainfo, img_id=f'{frame:06d}', ori_shape=self.size))
        sample.pred_instances = people
        sample.pred_camera = Camera(**{name: values.clone() for name, values in self.camera.items()})
        return sample


def whereabouts(optimizer, samples, times, body_model, cameras, cameras_metric, first, advance=lambda: None):
    """{track id: :class:`Whereabouts`} of the people of a shot, whose first frame is number ``first``."""
    found, last = {}, {}
    for window in optimizer.windows(samples, times, body_model, cameras, cameras_metric):
        placed, posterior = window.samples(), window.result.posterior
        if posterior is None:  # nobody
            advance(len(placed))
            continue
        stds = (posterior.depths_std / posterior.depth).float()
        for row, sample in zip(range(window.start - window.first, window.stop - window.first), placed):
            mask = window.result.problem.mask[row]
            index = window.result.problem.person_index[row][mask].tolist()
            people = sample.pred_instances
            for person, depth, std in zip(index, posterior.depth[row][mask].tolist(), stds[row][mask].tolist()):
                number = int(people.track_ids[person])
                found.setdefault(number, []).append((first + window.first + row, depth, std))
                last[number] = people[person:person + 1], window.focal, window.camera_scale
            advance()
    return {number: _whereabouts(places, *last[number]) for number, places in found.items()}


def _whereabouts(places, person, focal, camera_scale):
    frames, depth, std = zip(*places)
    return Whereabouts(torch.tensor(frames), torch.tensor(depth, dtype=torch.float64),
                       torch.tensor(std, dtype=torch.float64), person.betas[0], float(person.heights[0]),
                       float(person.heights_std[0]), focal, camera_scale)
