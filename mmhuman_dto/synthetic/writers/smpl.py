"""Write a synthetic body model in the SMPL file layout, for tests and benchmarks only.

The real SMPL files are licence-gated, so tests use a stand-in with the same keys,
shapes and kinematic tree: 6890 vertices on capsules around 23 bones, 24 joints,
10 shape directions (direction 0 changes the height), 207 pose directions and a
child template. The numbers come from numpy's frozen `RandomState`, so every
machine writes the same file; the recorded outputs that ``tools/misc/check_parity.py``
compares with were computed with it.

    python -m mmhuman_dto.synthetic.writers.smpl OUT_DIR

writes OUT_DIR/smpl/{SMPL_NEUTRAL,SMPL_MALE,SMPL_FEMALE}.pkl,
smpl_kid_template.npy, smpl_mean_params.npz, J_regressor_extra.npy (9, 6890),
J_regressor_h36m_correct.npy (17, 6890) and body_verts_smpl.npy.
"""
import pickle
import sys
from pathlib import Path

import numpy as np

PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
# Rest pose (T-pose), metres, y up, pelvis near the origin.
REST_JOINTS = np.array([
    [0, -0.24, 0.03], [0.06, -0.33, 0.02], [-0.06, -0.33, 0.02], [0, -0.12, 0.0],
    [0.10, -0.70, 0.02], [-0.10, -0.70, 0.02], [0, 0.01, 0.02], [0.09, -1.10, -0.02],
    [-0.09, -1.10, -0.02], [0, 0.07, 0.04], [0.11, -1.16, 0.10], [-0.11, -1.16, 0.10],
    [0, 0.28, 0.0], [0.07, 0.19, 0.0], [-0.07, 0.19, 0.0], [0, 0.36, 0.05],
    [0.19, 0.22, -0.02], [-0.19, 0.22, -0.02], [0.45, 0.22, -0.04], [-0.45, 0.22, -0.04],
    [0.70, 0.22, -0.04], [-0.70, 0.22, -0.04], [0.79, 0.21, -0.05], [-0.79, 0.21, -0.05]])
RINGS, SEGMENTS, N_VERTS = 13, 23, 6890


def capsules():
    """Vertices (6890, 3), faces (F, 3), skinning weights (6890, 24), ring index per joint."""
    verts, faces, weights = [], [], []
    rings_of = {j: [] for j in range(24)}
    for child in range(1, 24):
        parent = PARENTS[child]
        a, b = REST_JOINTS[parent], REST_JOINTS[child].copy()
        if child == 15:  # the head reaches above its joint
            b = b + np.array([0, 0.18, 0])
        axis = b - a
        u = np.cross(axis, [0.3, 0.2, 1.0])
        u /= np.linalg.norm(u)
        v = np.cross(axis, u)
        v /= np.linalg.norm(v)
        radius = {3: .13, 6: .13, 9: .14, 12: .08, 15: .09}.get(child, .05)
        start = sum(len(x) for x in verts)
        for r in range(RINGS):
            t = r / (RINGS - 1)
            ang = 2 * np.pi * np.arange(SEGMENTS) / SEGMENTS
            rad = radius * (0.35 + 0.65 * np.sin(np.pi * (0.08 + 0.84 * t)))
            verts.append(a + t * axis + rad * (np.cos(ang)[:, None] * u + np.sin(ang)[:, None] * v))
            w = np.zeros((SEGMENTS, 24))
            w[:, parent] = 1 - 0.5 * t
            w[:, child] = 0.5 * t
            weights.append(w)
            ring = start + r * SEGMENTS + np.arange(SEGMENTS)
            if r == 0:
                rings_of[parent].append(ring)
            if r == RINGS - 1:
                rings_of[child].append(ring)
            if r:
                i, j = ring, np.roll(ring, -1)
                faces += [np.stack([i - SEGMENTS, j - SEGMENTS, i], 1), np.stack([j - SEGMENTS, j, i], 1)]
    verts, weights = np.concatenate(verts), np.concatenate(weights)
    pad = N_VERTS - len(verts)  # the rest of the 6890 sit on the head's last ring
    verts = np.concatenate([verts, verts[-pad:] + [0, 0.002, 0]])
    weights = np.concatenate([weights, weights[-pad:]])
    return verts, np.concatenate(faces), weights, rings_of


def build():
    """Return the model dict, the child template (6890, 3), the arrays and the mean parameters to write."""
    rng = np.random.RandomState(20251117)
    verts, faces, weights, rings_of = capsules()
    regress = np.zeros((24, N_VERTS))
    for j, rings in rings_of.items():
        idx = np.concatenate(rings)
        regress[j, idx] = 1.0 / len(idx)
    basis = np.stack([np.sin(verts @ rng.randn(3, 1) * 3 + rng.rand()) for _ in range(30)], -1)[:, 0]
    shapedirs = np.einsum('vk,kcs->vcs', basis, rng.randn(30, 3, 10) * 0.0015)
    shapedirs[:, :, 0] = verts * np.array([0.01, 0.035, 0.01])  # direction 0: stature
    posedirs = np.einsum('vk,kcp->vcp', basis, rng.randn(30, 3, 207) * 0.0003)
    kid = verts * np.array([0.5, 0.48, 0.5])
    kid[verts[:, 1] > 0.30] += [0, 0.03, 0]
    model = dict(
        v_template=verts, shapedirs=shapedirs, posedirs=posedirs, J_regressor=regress,
        J=regress @ verts, weights=weights, f=faces.astype(np.uint32), bs_type='lrotmin', bs_style='lbs',
        kintree_table=np.stack([np.array([4294967295] + PARENTS[1:]), np.arange(24)]).astype(np.int64))

    def sparse_regressor(n):
        out = np.zeros((n, N_VERTS))
        for row, w in zip(out, rng.dirichlet(np.full(40, .5), n)):
            row[rng.choice(N_VERTS, 40, replace=False)] = w
        return out

    mean6d = np.tile(np.eye(3)[:, :2].reshape(-1), 24) + 0.05 * rng.randn(144)
    return model, kid, dict(
        J_regressor_extra=sparse_regressor(9), J_regressor_h36m_correct=sparse_regressor(17),
        body_verts_smpl=np.arange(0, N_VERTS, 2)), dict(
        pose=mean6d.astype(np.float32), shape=(0.1 * rng.randn(10)).astype(np.float32),
        cam=np.array([0.9, 0, 0], np.float32))


def write_synthetic_smpl(out_dir):
    """Write all files below ``out_dir/smpl`` (m, y up, pelvis near the origin) and return ``out_dir`` as a Path."""
    out = Path(out_dir) / 'smpl'
    out.mkdir(parents=True, exist_ok=True)
    model, kid, arrays, means = build()
    for gender in ('NEUTRAL', 'MALE', 'FEMALE'):
        with open(out / f'SMPL_{gender}.pkl', 'wb') as f:
            pickle.dump(model, f, protocol=4)
    np.save(out / 'smpl_kid_template.npy', kid)
    for name, value in arrays.items():
        np.save(out / f'{name}.npy', value)
    np.savez(out / 'smpl_mean_params.npz', **means)
    return Path(out_dir)


if __name__ == '__main__':
    write_synthetic_smpl(sys.argv[1])
