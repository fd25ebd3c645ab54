"""Pictures of scenes with their exact depth and identity maps, by the package's own rasteriser."""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from mmhuman_dto.geometry import interpolate_seen, rasterize_meshes, resize_intrinsics

from .appearance import Surroundings, landmarks
from .drawn_people import BarePeople, DressedPeople
from .layout import BOX_FACES, box_mesh, box_points
from .lighting import Light, Mood, sample_mood
from .photograph import photograph
from .scenery import Scenery

#: Colour of boxes to sit on.
_WOOD = np.float32([.58, .44, .30])
#: Haze hides 1 - 1/e of what is this far, m.
_HAZE_DISTANCE = 160.
#: The ground ends here, m.
_HORIZON = 1000.


class Picture(NamedTuple):
    """What a camera sees of a scene."""
    image: np.ndarray | None  # (H, W, 3) uint8, RGB; None where nobody asked for it
    depth: np.ndarray  # (H, W) float32, z in m of everything there is; 0 in the sky
    id_map: np.ndarray  # (H, W) int32, i + 1 where person i is seen, 0 elsewhere


class Renderer:
    """Draws scenes of one body model on the CPU, ``supersample`` pixels a side averaged into one of the picture.

    In version 2 people wear clothes and hair with a shape of their own (see ``clothing``): image, depth and ids show
    these, while the scene's vertices and joints are those of the body below.

    Args:
        supersample: None for 2 in version 1, and for 1.5 in version 2, whose pictures lose sharpness anyway.
    """

    def __init__(self, body_model, supersample=None):
        with torch.no_grad():
            rest = body_model(torch.zeros(1, 24, 3), torch.zeros(1, body_model.num_betas), None)
        marks = landmarks(rest.vertices[0].numpy(), rest.joints[0].numpy(), body_model.joint_names)
        self.people = {1: BarePeople(rest.vertices[0], body_model.faces, marks),
                       2: DressedPeople(rest.vertices[0], body_model.faces, marks)}
        self.supersample = {1: supersample or 2, 2: supersample or 1.5}

    def __call__(self, scene):
        """Draw a :class:`~mmhuman_dto.synthetic.scenes.Scene`; :class:`Picture`."""
        rng = scene.lasting('look')
        surroundings = Surroundings(rng) if scene.place is None else Scenery(scene.place, len(scene.seats), rng)
        people = self.people[scene.config.version](scene, rng)
        view = View(scene, people, scene.size)
        id_map = np.where(view.is_person, view.ids, 0)
        image = self._colours(scene, surroundings, people, rng)
        if scene.config.version > 1:
            image = photograph(image, view.z, scene)
        return Picture((np.clip(image, 0, 1) * 255 + .5).astype(np.uint8), view.z, id_map)

    def maps(self, scene):
        """:class:`Picture` of a scene without its image."""
        people = self.people[scene.config.version](scene, scene.lasting('look'))
        view = View(scene, people, scene.size)
        return Picture(None, view.z, np.where(view.is_person, view.ids, 0))

    def _colours(self, scene, surroundings, people, rng):
        """The image alone, (H, W, 3) float32."""
        view = View(scene, people, [round(self.supersample[scene.config.version] * side) for side in scene.size])
        touching = np.concatenate([scene.vertices.reshape(-1, 3), *map(box_points, scene.seats)])
        solids = view.meshes[:len(scene) + 1]
        mood = Mood() if scene.place is None else sample_mood(scene.place.kind == 'room', rng)
        light = Light(scene, solids, touching, view.z.size // 2, rng, mood)
        image = np.empty((view.z.size, 3), np.float32)
        _paint_sky(image, view, surroundings)
        _paint_ground(image, view, surroundings, light)
        (_paint_boxes if scene.place is None else _paint_place)(image, view, surroundings, light)
        _paint_people(image, view, people, light)
        image += (surroundings.haze - image) * (1 - np.exp(-view.z / _HAZE_DISTANCE)).reshape(-1, 1)
        return cv2.resize(image.reshape(*view.z.shape, 3), scene.size[::-1], interpolation=cv2.INTER_AREA)


class View:
    """Everything of a scene seen in a picture of ``size`` (H, W), before colours.

    Attributes:
        ids: (H, W) int32, people from 1 on, then all seats, then all buildings; 0 for ground and sky.
        z: (H, W) float32, m; 0 in the sky.
        directions: (H, W, 3) float32, what a pixel sees at z = 1 m. focal: px.
        is_person, is_box, is_ground, is_sky: (H, W) bool, what a pixel shows.
    """

    def __init__(self, scene, people, size):
        self.scene = scene
        self.boxes = np.concatenate([scene.seats, scene.buildings])
        self.meshes = [(person.vertices, person.faces) for person in people]
        self.meshes += [box_mesh(scene.seats), box_mesh(scene.buildings)]
        scale_x, scale_y = size[1] / scene.size[1], size[0] / scene.size[0]
        self._intrinsics = resize_intrinsics(torch.as_tensor(scene.intrinsics), scale_x, scale_y)
        self.focal = float(self._intrinsics[1, 1])
        self._raster = rasterize_meshes(self.meshes, self._intrinsics, size)
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

    def box_faces(self, pixels):
        """Rows (P) of ``boxes``, and of a box's faces, that pixels (P) of ``is_box`` show."""
        faces, seat = self.faces.take(pixels), self.ids.take(pixels) == len(self.scene) + 1
        return faces // 12 + np.where(seat, 0, len(self.scene.seats)), faces % 12

    def interpolate(self, attributes):
        """Vertex attributes of the people, N of (V, C), at the pixels of ``is_person``: (P, C)."""
        people = self._raster._replace(id_map=self._raster.id_map * torch.as_tensor(self.is_person))
        return interpolate_seen(people, self.meshes[:len(attributes)], attributes, self._intrinsics)[2].numpy()

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


def _paint_place(image, view, scenery, light):
    """Seats and all boxes of a place at once, since there may be many."""
    seen, boxes = np.flatnonzero(view.is_box), view.boxes.astype(np.float32)
    box, face = view.box_faces(seen)
    axes = _unit(boxes[:, [1, 4, 2]] - boxes[:, :1])  # along, up, across
    a, b, c = boxes[:, BOX_FACES].transpose(2, 0, 1, 3)
    normals = _unit(np.cross(b - a, c - a)).reshape(-1, 3).take(12 * box + face, 0)
    points, turn = view.points(seen), axes.take(box, 0)
    local, facing = (np.einsum('pij,pj->pi', turn, v) for v in (points - boxes[:, 0].take(box, 0), normals))
    image[seen] = scenery.box_colours(box, local, facing) * light.on(points, normals)[:, None]


def _paint_people(image, view, people, light):
    values, seen = view.interpolate([person.attributes for person in people]), np.flatnonzero(view.is_person)
    ids, colour = view.ids.take(seen), np.empty((len(seen), 3), np.float32)
    for i, person in enumerate(people):
        mine = np.flatnonzero(ids == i + 1)
        colour[mine] = person.colours(values[mine, 3:])
    image[seen] = colour * light.on(view.points(seen), _unit(values[:, :3]))[:, None]


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
    box, face = view.box_faces(seen)
    for i, corners in enumerate(view.boxes.astype(np.float32)):
        mine = np.flatnonzero(box == i)
        axes = _unit(corners[[1, 4, 2]] - corners[0])  # along, up, across
        a, b, c = corners[BOX_FACES].swapaxes(0, 1)
        normals = _unit(np.cross(b - a, c - a)).take(face[mine], 0)
        points, colour = view.points(seen[mine]), _WOOD
        if i >= len(view.scene.seats):
            colour = surroundings.wall_colour(i, (points - corners[4]) @ axes.T, normals @ axes.T)
        image[seen[mine]] = colour * light.on(points, normals)[:, None]


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
