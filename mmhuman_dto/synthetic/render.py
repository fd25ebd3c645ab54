"""Pictures of scenes with their exact depth and identity maps, by the package's own rasteriser."""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from mmhuman_dto.geometry import interpolate, rasterize_meshes, resize_intrinsics

from .appearance import HAZE, Surroundings, clothe, landmarks, sample_outfit
from .layout import BOX_FACES, box_points
from .lighting import Light
from .photograph import photograph

#: Colour of boxes to sit on.
_WOOD = np.float32([.58, .44, .30])
#: Haze hides 1 - 1/e of what is this far, m.
_HAZE_DISTANCE = 160.
#: The ground ends here, m.
_HORIZON = 1000.


class Picture(NamedTuple):
    """What a camera sees of a scene."""
    image: np.ndarray  # (H, W, 3) uint8, RGB
    depth: np.ndarray  # (H, W) float32, z in m of everything there is; 0 in the sky
    id_map: np.ndarray  # (H, W) int32, i + 1 where person i is seen, 0 elsewhere


class Renderer:
    """Draws scenes of one body model on the CPU, ``supersample`` pixels a side averaged into one of the picture."""

    def __init__(self, body_model, supersample=2):
        with torch.no_grad():
            rest = body_model(torch.zeros(1, 24, 3), torch.zeros(1, body_model.num_betas), None)
        self.rest = rest.vertices[0]
        self.marks = landmarks(self.rest.numpy(), rest.joints[0].numpy(), body_model.joint_names)
        self.faces = body_model.faces
        self.supersample = supersample

    def __call__(self, scene):
        """Draw a :class:`~mmhuman_dto.synthetic.scenes.Scene`; :class:`Picture`."""
        view = View(scene, self.faces)
        id_map = np.where(view.is_person, view.ids, 0)
        return Picture(self.colours(scene), view.z, id_map)

    def colours(self, scene):
        """The image alone, (H, W, 3) uint8."""
        view, rng = View(scene, self.faces, self.supersample), scene.generator('look')
        surroundings = Surroundings(rng)
        outfits = [sample_outfit(age, male, self.marks, rng) for age, male in zip(scene.ages, scene.male)]
        touching = np.concatenate([scene.vertices.reshape(-1, 3), *map(box_points, scene.seats)])
        solids = view.meshes[:len(scene) + len(scene.seats)]
        light = Light(scene.ground, scene.up, solids, touching, view.z.size // 2, rng)
        image = np.empty((view.z.size, 3), np.float32)
        _paint_sky(image, view, surroundings)
        _paint_ground(image, view, surroundings, light)
        _paint_boxes(image, view, surroundings, light)
        self._paint_people(image, view, outfits, light)
        image += (HAZE - image) * (1 - np.exp(-view.z / _HAZE_DISTANCE)).reshape(-1, 1)
        image = cv2.resize(image.reshape(*view.z.shape, 3), scene.size[::-1], interpolation=cv2.INTER_AREA)
        if scene.config.version > 1:
            image = photograph(image, view.z[::self.supersample, ::self.supersample], scene)
        return (np.clip(image, 0, 1) * 255 + .5).astype(np.uint8)

    def _paint_people(self, image, view, outfits, light):
        meshes = view.meshes[:len(outfits)]
        attributes = [torch.cat([_vertex_normals(mesh, self.faces), self.rest], 1) for mesh, _ in meshes]
        values, seen = view.interpolate(attributes), np.flatnonzero(view.is_person)
        ids, colour = view.ids.take(seen), np.empty((len(seen), 3), np.float32)
        for i, outfit in enumerate(outfits):
            mine = np.flatnonzero(ids == i + 1)
            colour[mine] = clothe(values[mine, 3:], outfit, self.marks)
        image[seen] = colour * light.on(view.points(seen), _unit(values[:, :3]))[:, None]


class View:
    """Everything of a scene seen at ``scale`` times its resolution, before colours.

    Attributes:
        ids: (H, W) int32, people from 1 on, then seats, then buildings; 0 for ground and sky.
        z: (H, W) float32, m; 0 in the sky.
        directions: (H, W, 3) float32, what a pixel sees at z = 1 m. focal: px.
        is_person, is_box, is_ground, is_sky: (H, W) bool, what a pixel shows.
    """

    def __init__(self, scene, faces, scale=1):
        self.scene = scene
        self.boxes = np.concatenate([scene.seats, scene.buildings])
        self.meshes = [(mesh, faces) for mesh in torch.as_tensor(scene.vertices)]
        self.meshes += [(box, torch.as_tensor(BOX_FACES)) for box in torch.as_tensor(self.boxes)]
        self._intrinsics = resize_intrinsics(torch.as_tensor(scene.intrinsics), scale, scale)
        self.focal = float(self._intrinsics[1, 1])
        self._raster = rasterize_meshes(self.meshes, self._intrinsics, [scale * side for side in scene.size])
        mesh_z, self.ids, self.faces = (value.numpy() for value in self._raster)
        self.directions = self._directions()
        ground_z = self._ground_z()
        hit = (mesh_z > 0) & ((mesh_z <= ground_z) | (ground_z == 0))
        self.z = np.where(hit, mesh_z, ground_z)
        self.is_person = hit & (self.ids <= len(scene))
        self.is_box = hit & (self.ids > len(scene))
        self.is_ground = ~hit & (ground_z > 0)
        self.is_sky = self.z == 0

    def points(self, pixels):
        """Points (P, 3) m, camera frame, that pixels (P), counted row by row, show."""
        return self.directions.reshape(-1, 3).take(pixels, 0) * self.z.take(pixels)[:, None]

    def interpolate(self, attributes):
        """Vertex attributes of the people, N of (V, C), at the pixels of ``is_person``: (P, C)."""
        people = self._raster._replace(id_map=self._raster.id_map * torch.as_tensor(self.is_person))
        values = interpolate(people, self.meshes[:len(attributes)], attributes, self._intrinsics)
        return values.numpy()[self.is_person]

    def _directions(self):
        height, width = self.ids.shape
        (fx, _, cx), (_, fy, cy) = self._intrinsics[:2].numpy()
        directions = np.ones((height, width, 3), np.float32)
        directions[..., 0] = (np.arange(width) + .5 - cx) / fx
        directions[..., 1] = ((np.arange(height) + .5 - cy) / fy)[:, None]
        return directions

    def _ground_z(self):
        falling = -self.directions @ self.scene.ground.normal.astype(np.float32)
        z = self.scene.ground.height / np.maximum(falling, self.scene.ground.height / _HORIZON)
        return np.where(falling > self.scene.ground.height / _HORIZON, z, 0).astype(np.float32)


def _paint_sky(image, view, surroundings):
    sky = np.flatnonzero(view.is_sky)
    up = _unit(view.directions.reshape(-1, 3).take(sky, 0)) @ view.scene.up.astype(np.float32)
    image[sky] = surroundings.sky_colour(up)


def _paint_ground(image, view, surroundings, light):
    ground = np.flatnonzero(view.is_ground)
    x, y = light.plane(view.points(ground))
    # A pixel covers this much of the ground along the line of sight; the ground is ``height`` below the camera.
    footprint = view.z.take(ground)**2 * np.float32(1 / (view.focal * view.scene.ground.height))
    image[ground] = surroundings.ground_colour(x, y, footprint) * light.on_ground(x, y)[:, None]


def _paint_boxes(image, view, surroundings, light):
    seen = np.flatnonzero(view.is_box)
    box, face = view.ids.take(seen) - len(view.scene) - 1, view.faces.take(seen)
    for i, corners in enumerate(view.boxes.astype(np.float32)):
        mine = np.flatnonzero(box == i)
        axes = _unit(corners[[1, 4, 2]] - corners[0])  # along, up, across
        a, b, c = corners[BOX_FACES].swapaxes(0, 1)
        normals = _unit(np.cross(b - a, c - a)).take(face[mine], 0)
        points, colour = view.points(seen[mine]), _WOOD
        if i >= len(view.scene.seats):
            colour = surroundings.wall_colour(i, (points - corners[4]) @ axes.T, normals @ axes.T)
        image[seen[mine]] = colour * light.on(points, normals)[:, None]


def _vertex_normals(vertices, faces):
    """Outward unit normals (V, 3), area weighted."""
    a, b, c = vertices[faces].unbind(1)
    normals = torch.zeros_like(vertices)
    normals.index_add_(0, faces.reshape(-1), torch.linalg.cross(b - a, c - a).repeat_interleave(3, 0))
    return torch.nn.functional.normalize(normals, dim=-1)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
