"""BEV, which knows children: ROMP's layout with an age after the shape, and meshes around the hips."""
from mmhuman_dto.registry import RESULTS

from .base import AGED_BODIES
from .romp import ROMP

#: From this age coefficient on its meshes are SMIL's infants and not SMPL+A's children.
_INFANT = .8


@RESULTS.register_module()
class BEV(ROMP):
    """As of :class:`ROMP`, with ``smpl_betas`` (N, 11), whose last is the blend from an adult (0) to an infant (1), and
    vertices and joints around the middle of the hips."""
    kind = 'bev'
    initial_heights = AGED_BODIES
    program = 'BEV (https://github.com/Arthur151/ROMP)'
    num_betas = 11

    def _posed(self, pose, betas, cam_trans, vertices, pelvis):
        bodies, shape, ages = self.context.bodies, betas[:, :10], betas[:, 10]
        if pelvis is None:
            still = bodies('smpl', pose, shape, cam_trans, ages=ages)
            pelvis = cam_trans + still.pelvis - still.smpl_joints[:, 1:3].mean(1)
        posed = bodies('smpl', pose, shape, vertices=vertices, ages=ages, pelvis=pelvis)
        if vertices is not None:  # the height of an infant is measured on its own mesh
            posed.heights[ages > _INFANT] = posed.heights_std[ages > _INFANT] = float('nan')
        return posed
