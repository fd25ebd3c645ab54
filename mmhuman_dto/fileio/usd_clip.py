"""People who move as Universal Scene Description, ``.usdc``: the stage of :mod:`usd` with values at many time codes.

Below ``/people`` are the camera and each person, in the world (x right, y up from the ground, z towards the viewer).
Between time codes the library turns bones by slerp. Who is not there is shrunk by its root bone to a millimetre or two:
Blender neither knows ``visibility`` that changes nor keeps bones of no size.
"""
import numpy as np
from pxr import Gf, UsdSkel, Vt

from .gltf import TURN, continuous, quaternions
from .gltf_clip import shown
from .usd import add_camera, add_person, new_stage, points_of, set_at, write_stage

#: How long before it jumps, in frames, a value is still what it was.
_BEFORE = .001
#: How large somebody is who is not there.
_GONE = .001
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
        _show(UsdSkel.Animation.Get(stage, f'{root.GetPath()}/animation'), person, rate)
    _move(add_camera(stage, '/people/camera', np.asarray(camera.intrinsics, float), camera.image_size), camera, rate)
    write_stage(stage, path)


def _show(animation, person, rate):
    """Let the root bone have a size while somebody is there, and hardly one else."""
    moments, sizes = shown(person.spans)
    if sizes.all():
        return
    codes, sizes = _jumping(moments * rate, sizes)
    attribute, scales = animation.GetScalesAttr(), np.ones((len(person.skeleton.names), 3), np.float16)
    for code in attribute.GetTimeSamples():
        attribute.ClearAtTime(code)
    for code, size in zip(codes.tolist(), sizes):
        scales[0] = max(size, _GONE)
        attribute.Set(Vt.Vec3hArray.FromNumpy(scales), code)


def _jumping(codes, values):
    """Time codes and values between which the library may go straight, of values (N, ...) that hold up to the next."""
    codes = np.append(codes[:1], np.stack([codes[1:] - _BEFORE, codes[1:]], 1).ravel())
    return codes, np.repeat(values, 2, 0)[:-1]


def _move(node, camera, rate):
    """Place and axes of the camera by time; it stays up to a cut."""
    codes, poses = np.asarray(camera.times) * rate, np.asarray(camera.poses, float)
    if camera.cuts:
        codes, poses = _jumping(codes, poses)
    turns = continuous(quaternions(poses[:, :3, :3] @ TURN)).tolist()
    set_at(node.AddTranslateOp(), codes.tolist(), [Gf.Vec3d(*pose[:3, 3]) for pose in poses])
    set_at(node.AddOrientOp(), codes.tolist(), [Gf.Quatf(w, x, y, z) for x, y, z, w in turns])
