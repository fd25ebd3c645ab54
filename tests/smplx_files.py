"""Random arrays in SMPL-X's file layout, with its key names, shapes and tree."""
from pathlib import Path

import numpy as np

from mmhuman_dto.body_models import SMPL_PARENTS

_PARENTS = [*SMPL_PARENTS[:22], 15, 15, 15,
            *(parent for wrist, first in ((20, 25), (21, 40)) for finger in range(first, first + 15, 3)
              for parent in (wrist, finger, finger + 1))]


def write_smplx(folder, scale=1.):
    """Write a neutral body and a child's template below ``folder``, which is returned; ``scale``: of vertices, m."""
    folder = Path(folder) / 'smplx'
    folder.mkdir(parents=True)
    rng, size = np.random.default_rng(0), 10475
    template = rng.normal(size=(size, 3)) * scale
    weights = rng.random((size, 55))**8
    regressor = np.zeros((55, size))
    regressor[np.arange(55)[:, None], rng.integers(0, size, (55, 5))] += 0.2
    np.savez(
        folder / 'SMPLX_NEUTRAL.npz', v_template=template, shapedirs=rng.normal(size=(size, 3, 20)) * 0.02,
        posedirs=rng.normal(size=(size, 3, 486)).astype(np.float32) * 0.003, J_regressor=regressor,
        weights=weights / weights.sum(1, keepdims=True), f=rng.integers(0, size, (100, 3)),
        kintree_table=np.stack([np.uint32([2**32 - 1, *_PARENTS[1:]]), np.arange(55, dtype=np.uint32)]),
        hands_meanl=rng.normal(size=45) * 0.2, hands_meanr=rng.normal(size=45) * 0.2,
        hands_componentsl=np.eye(45), hands_componentsr=np.eye(45),
        lmk_faces_idx=np.zeros(51, int), lmk_bary_coords=np.full((51, 3), 1 / 3), part2num=np.array({'a': 1}, object))
    np.save(folder / 'smplx_kid_template.npy', template * 0.5 + 0.3)
    return folder.parent
