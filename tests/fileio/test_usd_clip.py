"""Stages that move, as the USD library itself poses them."""
import numpy as np
import pytest
import torch
from moving_people import true_joints, walking_clip

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.structures import Clip
from mmhuman_dto.visualization.clip_motion import camera_to_world, motions_of
from mmhuman_dto.visualization.clip_writers import save_clip

pytest.importorskip('pxr')
from pxr import Gf, Usd, UsdGeom, UsdSkel, UsdValidation  # noqa: E402


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


def opened(clip, body_model, tmp_path):
    path, = save_clip(clip, body_model, tmp_path, 'a', ['usd'])
    stage = Usd.Stage.Open(str(path))
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert not errors, [error.GetErrorAsString() for error in errors]
    return stage


def posed(stage, name, code):
    """((V, 3), (24, 3)) m, the mesh and the joints of a person at a time code."""
    root, cache = UsdSkel.Root(stage.GetPrimAtPath(f'/people/{name}')), UsdSkel.Cache()
    cache.Populate(root, Usd.PrimDefaultPredicate)
    binding, = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    target, = binding.GetSkinningTargets()
    query = cache.GetSkelQuery(binding.GetSkeleton())
    points = UsdGeom.Mesh(target.GetPrim()).GetPointsAttr().Get()
    assert target.ComputeSkinnedPoints(query.ComputeSkinningTransforms(code), points, code)
    joints = [matrix.ExtractTranslation() for matrix in query.ComputeJointSkelTransforms(code)]
    return np.array(points), np.array(joints)


def test_people_move_as_they_do(body_model, tmp_path):
    clip = walking_clip(body_model)
    stage = opened(clip, body_model, tmp_path)
    assert stage.GetTimeCodesPerSecond() == pytest.approx(10)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, pytest.approx(39))
    matrix = camera_to_world(clip, body_model)[0]
    for motion, track in zip(motions_of(clip, body_model), clip.tracks):
        name = f'person_{track.track_id}'
        for frame in track.frames.tolist()[::5]:
            joints = true_joints(clip, track.track_id, frame, body_model) @ matrix[:3, :3].T + matrix[:3, 3]
            np.testing.assert_allclose(posed(stage, name, frame)[1], joints, atol=1e-4)
        code = 10 * float(motion.times[1] + motion.times[2]) / 2
        vertices = motion.skin._replace(skeleton=motion.skeleton.at(motion.times, [code / 10])).posed()[0]
        points = posed(stage, name, code)[0]
        np.testing.assert_allclose(points, vertices, atol=3e-4)
        low, high = UsdSkel.Root(stage.GetPrimAtPath(f'/people/{name}')).GetExtentAttr().Get()
        assert (points > low).all() and (points < high).all()
    sizes = [np.ptp(posed(stage, 'person_5', code)[0][:, 1]) for code in (0, 9.5, 9.99, 10, 19.5, 19.99, 20, 30)]
    assert [size > 1.4 for size in sizes] == [False] * 3 + [True] * 3 + [False] * 2
    assert max(size for size in sizes if size < 1.4) < .002


@pytest.mark.parametrize('cuts', [False, True])
def test_a_camera_moves_and_a_cut_jumps(cuts, body_model, tmp_path):
    clip = walking_clip(body_model)
    if cuts:
        tracks = [type(track)(track.track_id + 10 * late, track.frames[rows], track.people[rows])
                  for track in clip.tracks for late in (False, True)
                  for rows in [(track.frames >= 20) == late] if rows.any()]
        for track in tracks:
            track.people.transl = track.people.transl + torch.tensor([0, .7 * (track.track_id > 10), 0])
        clip = Clip('cut', clip.times, clip.image_size, clip.intrinsics, tracks, shots=[0, 20])
    else:
        clip.camera_poses = torch.eye(4, dtype=torch.float64).repeat(len(clip), 1, 1)
        clip.camera_poses[:, 0, 3] = -.2 * clip.times
    stage, to_world = opened(clip, body_model, tmp_path), camera_to_world(clip, body_model)
    camera = UsdGeom.Camera(stage.GetPrimAtPath('/people/camera'))
    for code, frame in ((0, 0), (10, 10), (19.9, 19), (20, 20), (33, 33)):
        matrix = camera.ComputeLocalToWorldTransform(code)
        place = np.array(matrix.Transform(Gf.Vec3d(0, 0, 0)))
        ahead = np.array(matrix.TransformDir(Gf.Vec3d(0, 0, -1)))
        np.testing.assert_allclose(place, to_world[frame, :3, 3], atol=.02 if code == 19.9 and not cuts else 1e-5)
        np.testing.assert_allclose(ahead, to_world[frame, :3, 2], atol=1e-5)
