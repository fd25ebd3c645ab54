"""OpenBody in SMPL's file layout: another order of vertices, other coefficients of shape, no blend to a child."""
import pickle

import numpy as np
import scipy.sparse

from mmhuman_dto.body_models import OpenBody


def write_disguised_smpl(folder, seed=0):
    """Write SMPL_NEUTRAL.pkl below ``folder``; gives the order of its vertices (V,) among OpenBody's, and the mixing
    (10, 10): its betas b stand for OpenBody's first ten, ``mixing @ b``."""
    body, rng = OpenBody(), np.random.default_rng(seed)
    order = rng.permutation(body.num_vertices)
    mixing = np.eye(10)  # the first stays stature
    mixing[1:, 1:] = np.linalg.qr(rng.normal(size=(9, 9)))[0]
    template = body.template.T.double().numpy()[order]
    dirs = body.shape_dirs.permute(2, 1, 0).double().numpy()[order]
    weights = body.skin_weights.T.double().numpy()[order]
    regressor = joint_regressor(body)[:, order]
    (folder / 'smpl').mkdir(parents=True)
    inverse = np.empty(len(order), int)
    inverse[order] = np.arange(len(order))
    with open(folder / 'smpl/SMPL_NEUTRAL.pkl', 'wb') as file:
        pickle.dump(dict(
            v_template=template, shapedirs=np.einsum('vcb,bk->vck', dirs[:, :, :10], mixing),
            posedirs=np.zeros((len(order), 3, 207)), J_regressor=regressor, weights=weights,
            f=inverse[body.faces.numpy()].astype(np.uint32), kintree_table=np.stack(
                [np.array([2**32 - 1, *body.bone_parents.tolist()]), np.arange(24)]).astype(np.int64)), file)
    return order, mixing


def joint_regressor(body):
    """(24, V) that gives OpenBody's rest joints of all its shapes, by least squares with sparse rows left dense."""
    meshes = np.concatenate([body.template[None].numpy(), body.shape_dirs.numpy()])  # (B + 1, 3, V)
    joints = np.concatenate([body.joint_template.T[None].numpy(), body.joint_dirs.permute(0, 2, 1).numpy()])
    flat, wanted = meshes.reshape(-1, meshes.shape[2]).astype(float), joints.reshape(-1, 24).astype(float)
    ones = np.ones((1, flat.shape[1])) * 1e-2  # rows sum to one
    return np.linalg.lstsq(np.concatenate([flat, ones]), np.concatenate([wanted, np.full((1, 24), 1e-2)]),
                           rcond=None)[0].T


def write_mapping(path, matrix):
    """The layout of smpl2smplx_deftrafo_setup.pkl: vertices' part and normals' part beside each other."""
    both = scipy.sparse.hstack([scipy.sparse.csr_matrix(matrix), scipy.sparse.csr_matrix(matrix.shape)]).tocsr()
    with open(path, 'wb') as file:
        pickle.dump(dict(mtx=both), file)
    return path
