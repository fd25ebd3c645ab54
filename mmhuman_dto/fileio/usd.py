"""People and a camera as Universal Scene Description, ``.usdc``, by Pixar's own library (``usd-core``).

The stage is y up, in metres, and has the layout of our ``.glb``: below ``/people/camera_space`` the camera and each
person, a ``SkelRoot`` with its mesh at rest, its skeleton, and the animation that turns that as in the picture.
"""
import shutil
import tempfile
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, Vt

from .gltf import FLIP, MOST_BONES, TURN, continuous, linear_color, quaternions, strongest_bones

#: Width of the camera's film, mm; only its ratio to the focal length counts.
_FILM = 36.
#: Nearest and farthest that the camera shows, m.
_CLIP = .01, 1000.
#: The one frame of the animation.
_FRAME = 1
_CORRECTIVES = 'pose_correctives'


def write_usd(path, bodies, faces, intrinsics, image_size, ground=None, extras=None):
    """Write one scene; all arguments are those of :func:`~mmhuman_dto.fileio.gltf.write_glb`."""
    stage = new_stage(extras)
    stage.SetStartTimeCode(_FRAME)
    stage.SetEndTimeCode(_FRAME)
    space = UsdGeom.Xform.Define(stage, '/people/camera_space')
    if ground is not None:
        rotation, height = ground
        space.AddTransformOp().Set(_matrix(TURN @ np.asarray(rotation, float) @ TURN, [0, height, 0]))
    for body in bodies:
        person = f'{space.GetPath()}/{body.name}'
        if body.skin is None:
            _mesh_person(stage, person, body, faces)
        else:
            root = add_person(stage, person, body, faces, body.skin.skeleton.moved(TURN, 0), [_FRAME])
            root.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points_of(body.vertices * FLIP)))
    add_camera(stage, f'{space.GetPath()}/camera', np.asarray(intrinsics, float), image_size)
    write_stage(stage, path)


def new_stage(extras):
    """A stage of people, ``/people``, y up, in metres; ``extras`` are what is told of it."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, '/people').GetPrim())
    stage.GetRootLayer().customLayerData = {name: str(value) for name, value in (extras or {}).items() if value}
    return stage


def write_stage(stage, path):
    """Write it, and the folder it is in."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:  # names of files may be no text, which the library does not take
        stage.GetRootLayer().Export(f'{folder}/scene.usdc')
        shutil.copyfile(f'{folder}/scene.usdc', path)


def _mesh_person(stage, path, body, faces):
    mesh = _mesh(stage, path, body, body.vertices * FLIP, body.normals * FLIP, faces)
    _tell(mesh.GetPrim(), body.extras)


def add_person(stage, path, body, faces, bones, codes):
    """Somebody with bones: the ``UsdSkel.Root``.

    ``bones`` is the :class:`~mmhuman_dto.geometry.skeleton.Skeleton` in the frame of what ``path`` is below, of as many
    frames as there are time codes.
    """
    skin = body.skin
    root = UsdSkel.Root.Define(stage, path)
    mesh = _mesh(stage, f'{path}/{body.name}_mesh', body, skin.vertices, body.rest_normals, faces)
    skeleton = UsdSkel.Skeleton.Define(stage, f'{path}/{body.name}_skeleton')
    animation = UsdSkel.Animation.Define(stage, f'{path}/animation')
    _turn(skeleton, animation, bones, codes)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    strongest, shares = strongest_bones(skin.weights, MOST_BONES)
    count = strongest.shape[1]
    binding.CreateJointIndicesPrimvar(False, count).Set(Vt.IntArray.FromNumpy(strongest.astype(np.int32).ravel()))
    binding.CreateJointWeightsPrimvar(False, count).Set(Vt.FloatArray.FromNumpy(shares.astype(np.float32).ravel()))
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    binding.CreateSkeletonRel().AddTarget(skeleton.GetPath())
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().AddTarget(animation.GetPath())
    if skin.correctives is not None:
        _correct(mesh, binding, animation, skin.correctives[0], codes[0])
    _tell(root.GetPrim(), body.extras)
    return root


def _turn(skeleton, animation, bones, codes):
    """The joints at rest, and turned as in each frame."""
    joints = _joint_paths(bones)
    offsets = np.concatenate([bones.rest[:1], bones.offsets[1:]])
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateBindTransformsAttr([_matrix(np.eye(3), place) for place in bones.rest])
    skeleton.CreateRestTransformsAttr([_matrix(np.eye(3), place) for place in offsets])
    animation.CreateJointsAttr(joints)
    turns = continuous(quaternions(bones.rotations)).tolist()
    places = np.repeat(offsets[None], len(codes), 0)
    places[:, 0] = bones.root
    set_at(animation.CreateTranslationsAttr(), codes, map(points_of, places))
    set_at(animation.CreateRotationsAttr(), codes, (
        Vt.QuatfArray([Gf.Quatf(w, x, y, z) for x, y, z, w in frame]) for frame in turns))
    set_at(animation.CreateScalesAttr(), codes[:1], [Vt.Vec3hArray(len(joints), Gf.Vec3h(1))])


def _correct(mesh, binding, animation, offsets, code):
    """What the body model adds to the mesh because of the pose, as a blend shape that is on."""
    shape = UsdSkel.BlendShape.Define(mesh.GetPrim().GetStage(), f'{mesh.GetPath()}/{_CORRECTIVES}')
    shape.CreateOffsetsAttr(points_of(offsets))
    binding.CreateBlendShapesAttr([_CORRECTIVES])
    binding.CreateBlendShapeTargetsRel().AddTarget(shape.GetPath())
    animation.CreateBlendShapesAttr([_CORRECTIVES])
    set_at(animation.CreateBlendShapeWeightsAttr(), [code], [Vt.FloatArray([1.])])


def set_at(attribute, codes, values):
    """Set it at time codes, and for those who ask for none as at the first: Blender turns only bones with frames."""
    for number, (code, value) in enumerate(zip(codes, values)):
        if number == 0:
            attribute.Set(value)
        attribute.Set(value, code)


def _joint_paths(bones):
    """Names of the joints as USD has them: that of the parent, a slash, the own."""
    paths = []
    for name, parent in zip(bones.names, bones.parents):
        paths.append(name if parent < 0 else f'{paths[parent]}/{name}')
    return paths


def _mesh(stage, path, body, vertices, normals, faces):
    mesh = UsdGeom.Mesh.Define(stage, path)
    points = points_of(vertices)
    mesh.CreatePointsAttr(points)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
    mesh.CreateNormalsAttr(points_of(normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(faces), 3))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.asarray(faces, np.int32).ravel()))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    color = Gf.Vec3f(*linear_color(body.color))
    mesh.CreateDisplayColorAttr([color])
    material = UsdShade.Material.Define(stage, f'{path}/material')
    shader = UsdShade.Shader.Define(stage, f'{path}/material/surface')
    shader.CreateIdAttr('UsdPreviewSurface')
    shader.CreateInput('diffuseColor', Sdf.ValueTypeNames.Color3f).Set(color)
    shader.CreateInput('roughness', Sdf.ValueTypeNames.Float).Set(.8)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), 'surface')
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    return mesh


def add_camera(stage, path, intrinsics, image_size):
    """The camera, with all of its intrinsics (3, 3), px, of a picture of (H, W) px."""
    (height, width), (fx, _, cx), (_, fy, cy) = image_size, *intrinsics[:2]
    focal = fx * _FILM / width
    camera = UsdGeom.Camera.Define(stage, path)
    camera.CreateFocalLengthAttr(focal)
    camera.CreateHorizontalApertureAttr(_FILM)
    camera.CreateVerticalApertureAttr(height * focal / fy)
    camera.CreateHorizontalApertureOffsetAttr((width / 2 - cx) * focal / fx)
    camera.CreateVerticalApertureOffsetAttr((cy - height / 2) * focal / fy)
    camera.CreateClippingRangeAttr(Gf.Vec2f(*_CLIP))
    return camera


def _tell(prim, extras):
    """What is known of a person, as properties of the user's, which Blender shows."""
    for name, value in extras.items():
        kind = Sdf.ValueTypeNames.String if isinstance(value, str) else Sdf.ValueTypeNames.Double
        prim.CreateAttribute(f'userProperties:{name}', kind, True).Set(value)


def _matrix(rotation, translation):
    """A matrix of the library, which multiplies rows."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[3, :3] = np.transpose(rotation), translation
    return Gf.Matrix4d(matrix)


def points_of(values):
    """Points (N, 3) for the library."""
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))
