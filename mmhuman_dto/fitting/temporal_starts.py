"""Where a fit through time starts: what each frame says by itself, without what its neighbours contradict."""
import torch

#: A row's start is made of what was found within about this time, s, or as far as the nearest row that says something.
REACH = .08
#: Rotations and places, m in the plane at 1 m, that differ by this much from their neighbours' count for a quarter.
ODD_TURN, ODD_PLACE = .5, .1
#: How often what is odd is left out anew.
ROUNDS = 3


def bridged(state, weights, known_times, times):
    """A person's rotations and places, smooth in time, from frames that were fitted by themselves.

    Means by a Gaussian kernel, robust against the few rows that differ from the others around them; where no row
    says anything for a while, the kernel is as wide as it takes.

    Args:
        state: :class:`~.kinematics.FitState` of G rows, of one shape. weights: (G), how much each says.
        known_times: (G) s of those rows. times: (F) s of the rows that are wanted.

    Returns:
        FitState: of F rows.
    """
    apart = (times[:, None] - known_times).abs()
    width = apart.amin(1, keepdim=True).clamp(min=REACH)
    kernel = weights * torch.exp(-(apart / width)**2 / 2)  # (F, G)
    rotations, pelvis = state.rotations.flatten(2), state.pelvis
    by_bone, by_place = kernel[..., None].expand(-1, -1, rotations.shape[1]), kernel
    for _ in range(ROUNDS):
        # The rotation nearest to a weighted sum of rotations.
        left, _, right = torch.linalg.svd(torch.einsum('fgk,gkx->fkx', by_bone, rotations).unflatten(-1, (3, 3)))
        sign = torch.linalg.det(left @ right).sign()
        mean = torch.cat([left[..., :2], left[..., 2:] * sign[..., None, None]], -1) @ right
        place = by_place @ pelvis / by_place.sum(1, keepdim=True)
        cosine = (torch.einsum('fkx,gkx->fgk', mean.flatten(2), rotations) - 1) / 2
        odd = 2 * (1 - cosine) / ODD_TURN**2  # 2 (1 - cos a) is about a^2
        by_bone = kernel[..., None] / (1 + odd)**2
        by_place = kernel / (1 + ((place[:, None] - pelvis)**2).sum(-1) / ODD_PLACE**2)**2
    return state._replace(rotations=mean, betas=state.betas[:1].expand(len(times), -1), pelvis=place)
