"""People who move as Universal Scene Description, ``.usdc``: the stage of :mod:`usd` with values at many time codes.

Below ``/people`` are the camera and each person, in the world (x right, y up from the ground, z towards the viewer).
Between time codes the library turns bones by slerp; who is not there is invisible.
"""
import numpy as np
from pxr import Gf, UsdGeom

from .gltf import TURN, continuous, quaternions
from .usd import add_camera, add_person, new_stage, points_of, set_at, write_stage

#: How long before a cut, in frames, a camera is still where it was.
_BEFORE_CUT = .001
#: How far beyond the joints a body reaches, m.
_FLESH = .3


def write_clip_usd(path, people, faces, camera, extras=None, rate=30.):
    """Write people who move; arguments as of :func:`~mmhuman_dto.fileio.gltf_clip.write_clip_glb`, and the frames a
    second that time codes count."""
    stage = new_stage(extras)
    stage.SetTimeCodesPerSecond(rate)
    stage.SetFramesPerSecond(rate)
    last = max([0., float(camera.times[-1]), *(float(person.times[-1]) for person in people)])
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(last * rate)
    for person in people:
        root = add_person(stage, f'/people/{person.body.name}', person.body, faces, person.skeleton,
                          (person.times * rate).tolist())
        joints = person.skeleton.world()[1].reshape(-1, 3)
        root.CreateExtentAttr(points_of([joints.min(0) - _FLESH, joints.max(0) + _FLESH]))
        _show(root.CreateVisibilityAttr(), person.spans, rate)
    _move(add_camera(stage, '/people/camera', np.asarray(camera.intrinsics, float), camera.image_size), camera, rate)
    write_stage(stage, path)


def _show(visibility, spans, rate):
    """Whether somebody is there, which holds from one time code to the next."""
    if spans and spans[0][0] > 0:
        visibility.Set(UsdGeom.Tokens.invisible, 0)
    for start, stop in spans:
        visibility.Set(UsdGeom.Tokens.inherited, start * rate)
        if np.isfinite(stop):
            visibility.Set(UsdGeom.Tokens.invisible, stop * rate)


def _move(node, camera, rate):
    """Place and axes of the camera by time; it stays up to a cut."""
    codes, poses = np.asarray(camera.times) * rate, np.asarray(camera.poses, float)
    if camera.cuts:
        codes = np.stack([codes[1:] - _BEFORE_CUT, codes[1:]], 1).ravel()
        codes, poses = np.append(camera.times[:1] * rate, codes), np.repeat(poses, 2, 0)[:-1]
    turns = continuous(quaternions(poses[:, :3, :3] @ TURN)).tolist()
    set_at(node.AddTranslateOp(), codes.tolist(), [Gf.Vec3d(*pose[:3, 3]) for pose in poses])
    set_at(node.AddOrientOp(), codes.tolist(), [Gf.Quatf(w, x, y, z) for x, y, z, w in turns])
