"""What single frames say differently and a video has once: one focal length, and one shape of each person."""
import statistics

import torch

from ..bodies import bodies_of, stack_rows
from ..moving import refocused_camera


class Steady:
    """The focal length of a video and everybody's shape: the median, and means, over frames.

    Args:
        body_model: a body model, or other :class:`~mmhuman_dto.dto.bodies.Bodies`; people without ``betas`` keep their
            meshes.
    """

    def __init__(self, body_model):
        self.bodies = bodies_of(body_model)
        self._focals, self._betas = [], {}

    def add(self, samples):
        """Take in frames, whose ``pred_instances`` have ``track_ids``."""
        for sample in samples:
            self._focals.append(float(sample.pred_camera.intrinsics[1, 1]))
            people = sample.pred_instances
            for row, number in enumerate(people.track_ids.tolist() if 'betas' in people else ()):
                total, count = self._betas.get(number, (0., 0))
                self._betas[number] = total + people.betas[row].double(), count + 1

    def __call__(self, samples):
        """The frames with that focal length and those shapes; people keep their place and size in the picture."""
        groups = [sample.pred_instances[:] for sample in samples]
        focal = torch.tensor(statistics.median(self._focals)) if self._focals else torch.ones(())
        factors = [focal / float(sample.pred_camera.intrinsics[1, 1]) for sample in samples]
        counts = [len(group) for group in groups]
        if any(counts):
            each = torch.cat([factor.expand(count) for factor, count in zip(factors, counts)]).double()
            one = torch.ones(sum(counts), dtype=torch.float64)
            self._change(groups, counts, self.bodies.placed(groups, one, one, one.long() * 0, each))
            if all('betas' in group for group in groups if len(group)):
                self._change(groups, counts, self._reshaped(groups))
        changed = []
        for sample, people, factor in zip(samples, groups, factors):
            new = sample.new()
            new.pred_instances, new.pred_camera = people, refocused_camera(sample.pred_camera, factor)
            changed.append(new)
        return changed

    def _reshaped(self, groups):
        """Fields of the people in their own shape, as far away as they then look as large."""
        numbers = torch.cat([group.track_ids for group in groups if len(group)]).tolist()
        betas = torch.stack([total / count for total, count in (self._betas[number] for number in numbers)])
        before, changed = self.bodies.heights(groups), dict(betas=betas.float())
        for group, part in zip(groups, betas.float().split([len(group) for group in groups])):
            group.betas = part
        after = self.bodies.heights(groups)
        transl = stack_rows(groups, 'transl', (3, ))
        return changed | dict(transl=transl * (after / before)[:, None].to(transl.dtype), heights=after)

    @staticmethod
    def _change(groups, counts, fields):
        for name, values in fields.items():
            for group, part in zip(groups, values.split(counts)):
                group.set_field(part, name)
