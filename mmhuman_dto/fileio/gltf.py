"""People and a camera as one binary glTF 2.0 file (``.glb``), as the specification of the Khronos Group lays it out.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html. glTF is right-handed with y up, in metres; its cameras look
along -z. Our camera frame (x right, y down, z forward) becomes it by half a turn about x, so the camera stands at the
origin of the node ``camera_space`` without a rotation of its own.

A person with bones is a mesh at rest, upright and looking along z, and a skin over nodes: below ``camera_space`` a node
``NAME_skeleton``, below that the bones, turned as in the picture. :mod:`~mmhuman_dto.fileio.gltf_clip` turns the same
nodes through time.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pygltflib as gltf
import torch

from mmhuman_dto.geometry import fov_from_focal
from mmhuman_dto.geometry.rotation import matrix_to_quaternion
from mmhuman_dto.geometry.skeleton import Skin

#: Our camera frame -> glTF's: half a turn about x, so triangles keep their front sides.
FLIP = np.array([1, -1, -1], np.float32)
TURN = np.diag(FLIP).astype(float)
_TYPES = {1: gltf.SCALAR, 3: gltf.VEC3, 4: gltf.VEC4, 16: gltf.MAT4}
_COMPONENTS = {'f': gltf.FLOAT, 'I': gltf.UNSIGNED_INT, 'B': gltf.UNSIGNED_BYTE}
_ZNEAR = .01
#: Bones that a vertex can move with: two sets of four, which is as many as Unreal, Godot and Babylon take.
MOST_BONES = 8


class Body(NamedTuple):
    """A person to be written.

    Attributes:
        name: of its node.
        vertices: (V, 3) m, camera frame.
        normals: (V, 3) unit.
        color: (3) uint8 sRGB.
        extras: JSON-able, shown by viewers beside the node.
        skin: :class:`~mmhuman_dto.geometry.skeleton.Skin` in the camera frame, whose first frame has the same vertices;
            None: only a mesh.
        rest_normals: (V, 3) unit, of the skin's vertices at rest.
    """
    name: str
    vertices: np.ndarray
    normals: np.ndarray
    color: tuple
    extras: dict
    skin: Skin | None = None
    rest_normals: np.ndarray | None = None


def write_glb(path, bodies, faces, intrinsics, image_size, ground=None, extras=None):
    """Write one scene: the bodies and the camera under a node ``camera_space``, turned so that the ground is y = 0.

    Meshes over bones are roots of the scene, as the specification wants them; only their bones are below the node.

    Args:
        path: of the file.
        bodies: list of :class:`Body`, those with a skin all of one body model.
        faces: (F, 3) integers, shared by all bodies, counterclockwise from outside.
        intrinsics: (3, 3) px. glTF's camera has no principal point: it is in the camera's extras.
        image_size: (H, W) px.
        ground: (rotation (3, 3), height m): camera frame -> level frame (x right, y down, z away), and the camera's
            height above the ground; None: the camera is level and at the origin.
        extras: JSON-able, of the file's ``asset``.
    """
    scene = GltfScene('camera_space', extras, **_placed(ground))
    if bodies:
        scene.set_faces(faces)
    for body in bodies:
        if body.skin is None:
            scene.add_mesh(body)
        else:
            scene.add_person(body, body.skin.skeleton.moved(TURN, 0))
    scene.add_camera(intrinsics, image_size)
    scene.write(path)


class GltfScene:
    """A file as it grows: ``file`` its description, ``blob`` its numbers. Node 0, ``space``, is that of all bones."""

    def __init__(self, space, extras, **placed):
        self.file, self.blob, self.indices, self.influences = gltf.GLTF2(scene=0), bytearray(), None, {}
        self.file.asset = gltf.Asset(generator='mmhuman_dto', extras=extras or {})
        self.file.scenes.append(gltf.Scene(name='people'))
        self.node(None, name=space, **placed)

    def node(self, parent, **fields):
        """Append a node below another, or to the scene: its index."""
        self.file.nodes.append(gltf.Node(**fields))
        index = len(self.file.nodes) - 1
        (self.file.scenes[0].nodes if parent is None else self.file.nodes[parent].children).append(index)
        return index

    def add(self, values, target=None, bounded=None):
        """Append an array (N, 1), (N, 3), (N, 4) or (N, 16), rows of a multiple of 4 bytes: index of its accessor.

        ``bounded``: whether to say its least and greatest; None: those of meshes.
        """
        values = np.ascontiguousarray(values)
        bounds = {}
        if (target is not None and values.dtype.char != 'B') if bounded is None else bounded:
            bounds = dict(min=values.min(0).tolist(), max=values.max(0).tolist())
        self.file.bufferViews.append(gltf.BufferView(
            buffer=0, byteOffset=len(self.blob), byteLength=values.nbytes, target=target))
        self.file.accessors.append(gltf.Accessor(
            bufferView=len(self.file.bufferViews) - 1, componentType=_COMPONENTS[values.dtype.char], count=len(values),
            type=_TYPES[values.shape[1]], **bounds))
        self.blob += values.astype(values.dtype.newbyteorder('<')).tobytes()
        return len(self.file.accessors) - 1

    def set_faces(self, faces):
        """The triangles of all meshes to come."""
        self.indices = self.add(np.asarray(faces, np.uint32).reshape(-1, 1), gltf.ELEMENT_ARRAY_BUFFER)

    def add_camera(self, intrinsics, image_size, **placed):
        """The camera, below node 0: index of its node."""
        self.file.cameras.append(_camera(np.asarray(intrinsics, float), image_size))
        return self.node(0, name='camera', camera=0, **placed)

    def add_mesh(self, body):
        """Somebody who is only a mesh, below ``camera_space``."""
        mesh = self._mesh(body, body.vertices * FLIP, body.normals * FLIP)
        self.node(0, name=body.name, mesh=mesh, extras=body.extras)

    def add_person(self, body, skeleton):
        """Somebody with bones: nodes below node 0, a skin over them and its mesh.

        ``skeleton`` is the body's, in the frame of node 0; the nodes are turned as in the first of its frames. Gives
        the index of the node above all bones, and those of the bones.
        """
        skin = body.skin
        mesh = self._mesh(body, skin.vertices, body.rest_normals, skin)
        self.node(None, name=body.name, mesh=mesh, skin=len(self.file.skins), extras=body.extras)
        top, bones = self.node(0, name=f'{body.name}_skeleton'), []
        turns = quaternions(skeleton.rotations[0]).tolist()
        places = np.concatenate([skeleton.root[:1], skeleton.offsets[1:]]).tolist()
        for name, parent, turn, place in zip(skeleton.names, skeleton.parents, turns, places):
            bones.append(self.node(top if parent < 0 else bones[parent], name=name, rotation=turn, translation=place))
        self.file.skins.append(gltf.Skin(name=body.name, joints=bones, skeleton=top,
                                         inverseBindMatrices=self.add(_inverse_bind(skeleton.rest))))
        return top, bones

    def _mesh(self, body, vertices, normals, skin=None):
        points = dict(POSITION=vertices, NORMAL=normals)
        attributes = {name: self.add(np.asarray(values, np.float32), gltf.ARRAY_BUFFER)
                      for name, values in points.items()}
        primitive = gltf.Primitive(indices=self.indices, material=self._material(body))
        mesh = gltf.Mesh(name=body.name, primitives=[primitive])
        if skin is not None:
            attributes.update(self._influences(skin.weights))
            if skin.correctives is not None:
                # The body model's own mesh is that with all of it, in this pose.
                bent = self.add(np.asarray(skin.correctives[0], np.float32), gltf.ARRAY_BUFFER)
                primitive.targets, mesh.weights = [gltf.Attributes(POSITION=bent)], [1.]
                mesh.extras = dict(targetNames=['pose_correctives'])
        primitive.attributes = gltf.Attributes(**attributes)
        self.file.meshes.append(mesh)
        return len(self.file.meshes) - 1

    def _influences(self, weights):
        """Accessors of JOINTS_0, WEIGHTS_0, JOINTS_1, ...: the bones that a vertex moves with. People share them."""
        if not self.influences:
            bones, shares = strongest_bones(weights, MOST_BONES)
            for number in range(0, bones.shape[1], 4):
                for name, values in (('JOINTS', bones.astype(np.uint8)), ('WEIGHTS', shares.astype(np.float32))):
                    self.influences[f'{name}_{number // 4}'] = self.add(values[:, number:number + 4], gltf.ARRAY_BUFFER)
        return self.influences

    def _material(self, body):
        self.file.materials.append(gltf.Material(name=body.name, pbrMetallicRoughness=gltf.PbrMetallicRoughness(
            baseColorFactor=[*linear_color(body.color), 1.], metallicFactor=0., roughnessFactor=.8)))
        return len(self.file.materials) - 1

    def write(self, path):
        """Write the file, and the folder it is in."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not self.blob:  # pygltflib writes a buffer into every file, and an empty one is not allowed
            self.add(np.zeros((1, 1), np.float32))
            self.file.accessors.clear()
        self.file.buffers.append(gltf.Buffer(byteLength=len(self.blob)))
        self.file.set_binary_blob(bytes(self.blob))
        self.file.save_binary(path)


def linear_color(color):
    """sRGB (3) uint8 as shares of light (3) 0..1."""
    srgb = np.asarray(color, float) / 255
    return np.where(srgb <= .04045, srgb / 12.92, ((srgb + .055) / 1.055)**2.4).round(5).tolist()


def strongest_bones(weights, most):
    """Who moves each vertex, from weights (V, K): bones (V, W) and shares (V, W), strongest first, which sum to 1.

    W is a multiple of 4, at most ``most``: weaker bones are left out. Bone 0 with share 0 fills up.
    """
    count = min(most, -(-int((weights > 0).sum(1).max()) // 4) * 4)
    bones = np.argsort(-weights, axis=1, kind='stable')[:, :count]
    bones = np.pad(bones, ((0, 0), (0, count - bones.shape[1])))
    shares = np.take_along_axis(weights, bones, 1)
    shares[:, weights.shape[1]:] = 0
    return np.where(shares > 0, bones, 0), shares / shares.sum(1, keepdims=True)


def _inverse_bind(rest):
    """(K, 16) float32 by columns: from the mesh at rest to each bone's own frame."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(rest), 1, 1))
    matrices[:, 3, :3] = -rest
    return matrices.reshape(-1, 16)


def _camera(intrinsics, image_size):
    (height, width), (fx, fy) = image_size, (intrinsics[0, 0], intrinsics[1, 1])
    perspective = gltf.Perspective(yfov=float(fov_from_focal(fy, height)), znear=_ZNEAR,
                                   aspectRatio=float(width / fx * fy / height))
    extras = dict(intrinsics_px=intrinsics.tolist(), image_size_px=dict(height=int(height), width=int(width)))
    return gltf.Camera(name='camera', type='perspective', perspective=perspective, extras=extras)


def _placed(ground):
    if ground is None:
        return {}
    rotation, height = ground
    turn = quaternions(TURN @ np.asarray(rotation, float) @ TURN)
    return dict(translation=[0., float(height), 0.], rotation=turn.tolist())


def quaternions(matrices):
    """Unit quaternions (*, 4), x, y, z, w, of rotations (*, 3, 3)."""
    return matrix_to_quaternion(torch.from_numpy(matrices)).numpy()


def continuous(turns):
    """Unit quaternions (T, ...) with the signs that let each be nearest to the one before, of the two that are the same
    rotation: then what lies between two is the short way."""
    turns = np.array(turns, float)
    flips = np.where((turns[1:] * turns[:-1]).sum(-1, keepdims=True) < 0, -1., 1.)
    turns[1:] *= np.cumprod(flips, 0)
    return turns
