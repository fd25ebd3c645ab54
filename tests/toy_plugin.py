"""A user's own parts, as they would live outside the package: body model, prior, solver, stage, source."""
import time

import torch

from mmhuman_dto.body_models import BodyOutput
from mmhuman_dto.dto import HeightPrior, PaperDTO
from mmhuman_dto.perception import AgeSource
from mmhuman_dto.registry import BODY_MODELS, DTO_PRIORS, DTO_SOLVERS, SOURCES, STAGES
from mmhuman_dto.stages import Stage

GRID = 12


@BODY_MODELS.register_module()
class ToyBody(torch.nn.Module):
    """A flat board of GRID x GRID vertices facing the camera, 0.5 m wide, upright whatever the pose.

    Height 1.7 + 0.1 betas[0] - 0.8 betas[10] m; the root joint is in its middle, at ``transl``.
    """
    num_betas, num_body_joints, num_vertices, child_coefficient = 11, 23, GRID * GRID, 10

    def __init__(self):
        super().__init__()
        line = torch.linspace(-.5, .5, GRID)
        y, x = torch.meshgrid(line, line * .5, indexing='ij')
        self.register_buffer('board', torch.stack([x, y, torch.zeros_like(x)], -1).flatten(0, 1))
        corner = (torch.arange(GRID - 1)[:, None] * GRID + torch.arange(GRID - 1)).flatten()
        below = corner + GRID
        triangles = [torch.stack(t, -1) for t in ((corner, corner + 1, below), (below, corner + 1, below + 1))]
        self.register_buffer('faces', torch.cat(triangles))

    def height(self, betas):
        return 1.7 + .1 * betas[..., 0] - .8 * betas[..., 10]

    def forward(self, pose, betas, transl=None):
        vertices = self.board.repeat(*betas.shape[:-1], 1, 1)
        vertices[..., 1] *= self.height(betas)[..., None]
        if transl is not None:
            vertices = vertices + transl[..., None, :]
        return BodyOutput(vertices, self.skeleton(pose, betas, transl))

    def skeleton(self, pose, betas, transl=None):
        joints = betas.new_zeros(*betas.shape[:-1], 24, 3)
        return joints if transl is None else joints + transl[..., None, :]


@DTO_PRIORS.register_module()
class ToyPrior(HeightPrior):
    """Everybody is an adult."""

    def __init__(self):
        super().__init__(use_age=False)


@DTO_SOLVERS.register_module()
class ToySolver(PaperDTO):
    """Moves everybody by one factor.

    Args:
        factor: new distance over old.
    """

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def solve(self, problem):
        result = super().solve(problem)
        result.scale = torch.full_like(result.scale, self.factor)
        return result


@STAGES.register_module()
class ToyStage(Stage):
    """Waits, and fails for one image.

    Args:
        seconds: time an image takes.
        bad: id of the image to fail for.
    """

    def __init__(self, seconds=0., bad=None):
        self.seconds, self.bad = seconds, bad

    def __call__(self, samples):
        time.sleep(self.seconds * len(samples))
        if any(sample.img_id == self.bad for sample in samples):
            raise KeyError('no luck')
        return samples


@SOURCES.register_module()
class ToyAges(AgeSource):
    """Everybody is 30 and of unknown sex."""

    def __init__(self, data_root=''):
        pass

    def __call__(self, samples):
        counts = [len(sample.pred_instances) for sample in samples]
        return [(torch.full((count, ), 30.), torch.full((count, ), .5)) for count in counts]
