"""People of a body model who are turned and bent, as skins, with where they truly are: for tests of files."""
import numpy as np
import torch

from mmhuman_dto.fileio.gltf import Body

#: Our camera frame -> y up.
Y_UP = np.diag([1., -1, -1])


def drawn(body_model, count):
    """pose, betas, transl of people in front of a camera.

    An elbow of the first is bent by a quarter turn about x, where angles about Z, X and Y are not unique.
    """
    generator = torch.Generator().manual_seed(4)
    pose = torch.randn(count, body_model.num_body_joints + 1, 3, generator=generator) * .4
    pose[0, 18] = torch.tensor([np.pi / 2, 0, 0])
    betas = torch.randn(count, body_model.num_betas, generator=generator)
    if body_model.child_coefficient is not None:
        betas[:, body_model.child_coefficient] = .3
    return pose, betas, torch.randn(count, 3, generator=generator) + torch.tensor([0, 0, 5.])


def rigged(body_model, count=2):
    """(bodies, vertices (N, V, 3), joints (N, 24, 3)) of people, m, camera frame."""
    pose, betas, transl = drawn(body_model, count)
    output, heights = body_model(pose, betas, transl), body_model.height(betas).tolist()
    skins = [body_model.skin(p[None], b, t[None]) for p, b, t in zip(pose, betas, transl)]
    normals = np.tile(np.float32([0, 0, 1]), (body_model.num_vertices, 1))
    bodies = [Body(f'person_{i}', mesh.numpy(), normals, (255, 128, 0), dict(height_m=height), skin, normals)
              for i, (mesh, skin, height) in enumerate(zip(output.vertices, skins, heights))]
    return bodies, output.vertices.numpy(), output.joints[:, :24].numpy()


def moving(body_model, frames=2):
    """(skeleton, joints (T, 24, 3), betas (B), pose (T, 24, 3)) of one person in some frames, m, y up."""
    pose, betas, transl = drawn(body_model, frames)
    skeleton = body_model.skin(pose, betas[0], transl).skeleton.moved(Y_UP, 0)
    return skeleton, body_model.skeleton(pose, betas[:1], transl).numpy() @ Y_UP, betas[0], pose
