"""Stages as the USD library itself poses and projects them."""
import numpy as np
import pytest
from rigged_people import Y_UP, rigged

from mmhuman_dto.body_models import SMPL, OpenBody
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

pxr = pytest.importorskip('pxr')
from pxr import Gf, Usd, UsdGeom, UsdSkel, UsdValidation  # noqa: E402

from mmhuman_dto.fileio.usd import write_usd  # noqa: E402

INTRINSICS, SIZE = np.array([[800., 0, 310], [0, 700, 250], [0, 0, 1]]), (480, 640)
COS, SIN = np.cos(.3), np.sin(.3)
TILT = np.array([[1, 0, 0], [0, COS, SIN], [0, -SIN, COS]])


def posed(stage, path):
    """((V, 3) m, joints by name) of a person in the stage's frame, by USD's skinning."""
    root, cache = UsdSkel.Root(stage.GetPrimAtPath(path)), UsdSkel.Cache()
    cache.Populate(root, Usd.PrimDefaultPredicate)
    binding, = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    target, = binding.GetSkinningTargets()
    query = cache.GetSkelQuery(binding.GetSkeleton())
    points = UsdGeom.Mesh(target.GetPrim()).GetPointsAttr().Get()
    if target.HasBlendShapes():
        shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(target.GetPrim()))
        weights = query.GetAnimQuery().ComputeBlendShapeWeights(0)
        parts, shape_indices, subshapes = shapes.ComputeSubShapeWeights(weights)
        assert shapes.ComputeDeformedPoints(parts, shape_indices, subshapes, shapes.ComputeBlendShapePointIndices(),
                                            shapes.ComputeSubShapePointOffsets(), points)
    assert target.ComputeSkinnedPoints(query.ComputeSkinningTransforms(0), points, 0)
    world = UsdGeom.XformCache().GetLocalToWorldTransform(root.GetPrim())
    joints = {name.split('/')[-1]: world.Transform(matrix.ExtractTranslation()) for name, matrix in zip(
        query.GetJointOrder(), query.ComputeJointSkelTransforms(0))}
    return np.array([world.Transform(Gf.Vec3d(point)) for point in points]), joints


@pytest.mark.parametrize('kind', ['OpenBody', 'SMPL'])
def test_skins_give_the_vertices_of_the_body_model(kind, tmp_path):
    body_model = OpenBody() if kind == 'OpenBody' else SMPL(write_synthetic_smpl(tmp_path))
    bodies, vertices, joints = rigged(body_model)
    mesh = bodies[0]._replace(name='person_5', skin=None)
    write_usd(tmp_path / 'a.usdc', [*bodies, mesh], body_model.faces.numpy(), INTRINSICS, SIZE, (TILT, 2.),
              dict(units='metres', notes=()))
    stage = Usd.Stage.Open(str(tmp_path / 'a.usdc'))
    assert UsdGeom.GetStageUpAxis(stage) == 'Y' and UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert stage.GetDefaultPrim().GetPath() == '/people'
    assert stage.GetRootLayer().customLayerData == dict(units='metres')
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert not errors, [error.GetErrorAsString() for error in errors]
    for body, truth, bones in zip(bodies, vertices, joints):
        path = f'/people/camera_space/{body.name}'
        points, places = posed(stage, path)
        np.testing.assert_allclose(points, truth @ TILT.T @ Y_UP + [0, 2, 0], atol=1e-4)
        for row, name in enumerate(body_model.joint_names[:24]):
            np.testing.assert_allclose(places[name], bones[row] @ TILT.T @ Y_UP + [0, 2, 0], atol=1e-4)
        height = stage.GetPrimAtPath(path).GetAttribute('userProperties:height_m').Get()
        assert height == pytest.approx(body.extras['height_m'])
        skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath(f'{path}/{body.name}_skeleton'))
        cache = UsdSkel.Cache()
        cache.Populate(UsdSkel.Root(stage.GetPrimAtPath(path)), Usd.PrimDefaultPredicate)
        at_rest = cache.GetSkelQuery(skeleton).ComputeJointSkelTransforms(0, atRest=True)
        at_rest = [matrix.ExtractTranslation() for matrix in at_rest]
        np.testing.assert_allclose(at_rest, body.skin.skeleton.rest, atol=1e-6)
        # Blender turns only bones that have frames.
        animation = UsdSkel.Animation(stage.GetPrimAtPath(f'{path}/animation'))
        assert animation.GetRotationsAttr().GetTimeSamples() == [stage.GetStartTimeCode()] == [stage.GetEndTimeCode()]
    plain = UsdGeom.Mesh(stage.GetPrimAtPath('/people/camera_space/person_5'))
    np.testing.assert_allclose(plain.GetPointsAttr().Get(), vertices[0] @ Y_UP, atol=1e-6)
    assert len(plain.GetFaceVertexIndicesAttr().Get()) == body_model.faces.numel()


def test_the_camera_sees_what_the_photo_shows(tmp_path):
    write_usd(tmp_path / 'a.usdc', [], np.zeros((0, 3), int), INTRINSICS, SIZE, (TILT, 2.))
    stage = Usd.Stage.Open(str(tmp_path / 'a.usdc'))
    frustum = UsdGeom.Camera(stage.GetPrimAtPath('/people/camera_space/camera')).GetCamera(0).frustum
    point = np.array([.4, -.3, 3])  # m, our camera frame
    x, y, _ = (frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()).Transform(
        Gf.Vec3d(*(point @ TILT.T @ Y_UP + [0, 2, 0])))
    u, v, w = INTRINSICS @ point
    np.testing.assert_allclose([(x + 1) / 2 * 640, (1 - y) / 2 * 480], [u / w, v / w], atol=1e-3)
