"""Meshes and a camera as one binary glTF 2.0 file (``.glb``), as the specification of the Khronos Group lays it out.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html. glTF is right-handed with y up, in metres; its cameras look
along -z. Our camera frame (x right, y down, z forward) becomes it by half a turn about x, so the camera stands at the
origin of the node ``camera_space`` without a rotation of its own.
"""
import json
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmhuman_dto.geometry import fov_from_focal

#: Our camera frame -> glTF's: half a turn about x, so triangles keep their front sides.
FLIP = np.array([1, -1, -1], np.float32)

_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_FLOAT, _UINT32, _ARRAY, _ELEMENTS = 5126, 5125, 34962, 34963
_ZNEAR = .01


class Body(NamedTuple):
    """A mesh to be written.

    Attributes:
        name: of its node.
        vertices: (V, 3) m, camera frame.
        normals: (V, 3) unit.
        color: (3) uint8 sRGB.
        extras: JSON-able, shown by viewers beside the node.
    """
    name: str
    vertices: np.ndarray
    normals: np.ndarray
    color: tuple
    extras: dict


def write_glb(path, bodies, faces, intrinsics, image_size, ground=None, extras=None):
    """Write one scene: the bodies and the camera under a node ``camera_space``, turned so that the ground is y = 0.

    Args:
        path: of the file.
        bodies: list of :class:`Body`.
        faces: (F, 3) integers, shared by all bodies, counterclockwise from outside.
        intrinsics: (3, 3) px. glTF's camera has no principal point: it is in the camera's extras.
        image_size: (H, W) px.
        ground: (rotation (3, 3), height m): camera frame -> level frame (x right, y down, z away), and the camera's
            height above the ground; None: the camera is level and at the origin.
        extras: JSON-able, of the file's ``asset``.
    """
    buffer = _Buffer()
    indices = buffer.add(np.asarray(faces, np.uint32).reshape(-1), 'SCALAR', _UINT32, _ELEMENTS) if bodies else None
    meshes = [_mesh(buffer, body, i, indices) for i, body in enumerate(bodies)]
    people = [dict(name=body.name, mesh=i, extras=body.extras) for i, body in enumerate(bodies)]
    camera = dict(name='camera', camera=0)
    root = dict(name='camera_space', children=list(range(1, len(people) + 2)), **_placed(ground))
    document = dict(
        asset=dict(version='2.0', generator='mmhuman_dto', extras=extras or {}),
        scene=0, scenes=[dict(name='people', nodes=[0])], nodes=[root, *people, camera],
        cameras=[_camera(np.asarray(intrinsics, float), image_size)])
    if bodies:
        document.update(meshes=meshes, materials=[_material(body) for body in bodies], accessors=buffer.accessors,
                        bufferViews=buffer.views, buffers=[dict(byteLength=buffer.size)])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(_container(document, b''.join(buffer.parts)))


class _Buffer:
    """The binary chunk as it grows; every part is a multiple of 4 bytes, so every view is aligned."""

    def __init__(self):
        self.parts, self.views, self.accessors, self.size = [], [], [], 0

    def add(self, values, kind, component, target):
        """Append an array (N,) or (N, 3) of 4-byte numbers; index of its accessor."""
        values = np.ascontiguousarray(values)
        content = values.astype(values.dtype.newbyteorder('<')).tobytes()
        low, high = (np.atleast_1d(edge).tolist() for edge in (values.min(0), values.max(0)))
        self.accessors.append(dict(bufferView=len(self.views), componentType=component, count=len(values), type=kind,
                                   min=low, max=high))
        self.views.append(dict(buffer=0, byteOffset=self.size, byteLength=len(content), target=target))
        self.parts.append(content)
        self.size += len(content)
        return len(self.accessors) - 1


def _mesh(buffer, body, index, indices):
    attributes = {name: buffer.add(np.asarray(values, np.float32) * FLIP, 'VEC3', _FLOAT, _ARRAY)
                  for name, values in (('POSITION', body.vertices), ('NORMAL', body.normals))}
    return dict(name=body.name, primitives=[dict(attributes=attributes, indices=indices, material=index)])


def _material(body):
    srgb = np.asarray(body.color, float) / 255
    linear = np.where(srgb <= .04045, srgb / 12.92, ((srgb + .055) / 1.055)**2.4)
    return dict(name=body.name, pbrMetallicRoughness=dict(
        baseColorFactor=[*linear.round(5).tolist(), 1.], metallicFactor=0., roughnessFactor=.8))


def _camera(intrinsics, image_size):
    (height, width), (fx, fy) = image_size, (intrinsics[0, 0], intrinsics[1, 1])
    perspective = dict(yfov=float(fov_from_focal(fy, height)), aspectRatio=float(width / fx * fy / height),
                       znear=_ZNEAR)
    extras = dict(intrinsics_px=intrinsics.tolist(), image_size_px=dict(height=int(height), width=int(width)))
    return dict(name='camera', type='perspective', perspective=perspective, extras=extras)


def _placed(ground):
    if ground is None:
        return {}
    rotation, height = ground
    flip = np.diag(FLIP).astype(float)
    return dict(translation=[0., float(height), 0.], rotation=_quaternion(flip @ np.asarray(rotation, float) @ flip))


def _quaternion(matrix):
    """Unit quaternion x, y, z, w of a rotation (3, 3)."""
    # The eigenvector of the largest eigenvalue (Bar-Itzhack 2000), free of case distinctions.
    (a, b, c), (d, e, f), (g, h, i) = matrix
    k = np.array([[a - e - i, b + d, c + g, h - f], [b + d, e - a - i, f + h, c - g],
                  [c + g, f + h, i - a - e, d - b], [h - f, c - g, d - b, a + e + i]]) / 3
    quaternion = np.linalg.eigh(k)[1][:, 3]
    return (quaternion if quaternion[3] >= 0 else -quaternion).tolist()


def _container(document, binary):
    """The JSON chunk, padded by spaces, and the binary one, where there is one."""
    text = json.dumps(document, separators=(',', ':'), allow_nan=False).encode()
    chunks = _chunk(_JSON, text + b' ' * (-len(text) % 4)) + (_chunk(_BIN, binary) if binary else b'')
    return struct.pack('<III', _MAGIC, _VERSION, 12 + len(chunks)) + chunks


def _chunk(kind, content):
    return struct.pack('<II', len(content), kind) + content
