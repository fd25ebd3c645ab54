"""A scene as nodes of a viser server: people, camera with its photo, depth map, ground; metres, y up from the ground.

Below ``/camera_space`` is the camera frame (x right, y down, z forward), which is viser's for cameras too.
"""
from typing import NamedTuple

import numpy as np
import torch

from ..geometry import unproject
from ..geometry.rotation import matrix_to_quaternion
from .colors import colors_of
from .contact_sheet import shrink
from .mesh_render import FAINT
from .people_rows import people_rows

#: Everything in the camera frame, and the ground.
SPACE, GROUND = '/camera_space', '/ground'
#: The photo is sent at this size (px) at most, (height, width).
_LARGEST_PHOTO = (720, 960)
#: Points of a depth map at most.
MOST_POINTS = 100_000
#: Points farther than this many times the farthest person, and than this (m), are left out: skies lie anywhere.
BEYOND, BACKGROUND = 2., 10.
#: Where the photo may be: in the camera's pyramid, this far from it (m) and half as far as the nearest person at most;
#: or farther than everybody by this factor, where it hides nobody from who looks through the camera.
IN_CAMERA, BEHIND = 'in the camera', 'behind people'
_PHOTO_DEPTH, _BACKDROP = 1.2, 1.05
_LINES = (47, 74, 125)


class Cloud(NamedTuple):
    """Points of a depth map: (K, 3) m, camera frame, their (K, 3) uint8 RGB, and how far apart they are, m."""
    points: np.ndarray
    colors: np.ndarray
    spacing: float


def add_ground(server, scene):
    """A grid of metres under everybody and the camera; every fifth line is stronger."""
    world = scene.ground.level(np.concatenate([np.zeros((1, 3)), *(
        placement.vertices.reshape(-1, 3) for _, placement in scene.panels)]))
    low, high = np.floor(world.min(0)) - 1, np.ceil(world.max(0)) + 1
    low[2], high[2] = min(low[2], 0), max(high[2], 5)
    (width, _, depth), (x, _, z) = high - low, (low + high) / 2
    server.scene.add_grid(GROUND, width=float(width), height=float(depth), plane='xz', cell_size=1., section_size=5.,
                          position=(float(x), 0., -float(z)))


def add_camera_space(server, scene):
    """The frame that all others of a scene lie in."""
    matrix = scene.ground.camera_to_world
    x, y, z, w = matrix_to_quaternion(torch.tensor(matrix[:3, :3])).tolist()
    server.scene.add_frame(SPACE, show_axes=False, wxyz=(w, x, y, z), position=matrix[:3, 3])


def add_people(server, placement, faces, labels=True):
    """``/camera_space/people/ID``: a mesh each in its colour; what no seen joint tells is fainter. With ``labels`` also
    height and distance over each head."""
    colors = [tuple(color.tolist()) for color in colors_of(placement)]
    support = [None] * len(colors) if placement.support is None else placement.support
    for row, vertices, color, told in zip(people_rows(placement), placement.vertices, colors, support):
        name = f'{SPACE}/people/{row.person}'
        seen = np.ones(len(faces), bool) if told is None else told[faces].mean(1) >= .5
        for part, shown, opacity in (('seen', seen, None), ('unseen', ~seen, FAINT)):
            if shown.any():
                server.scene.add_mesh_simple(f'{name}/{part}', vertices, faces[shown], color=color, opacity=opacity)
        if labels:
            head = vertices[vertices[:, 1].argmin()] - np.float32([0, .1, 0])
            server.scene.add_label(f'{name}/label', f'{row.person}: {", ".join(row.label)}', position=head,
                                   anchor='bottom-center', font_screen_scale=.8)


def add_camera(server, scene, placement, where=IN_CAMERA):
    """``/camera_space/camera``: its pyramid by all of its intrinsics, with the photo at its end."""
    height, width = scene.image.shape[:2]
    depth = min(_PHOTO_DEPTH, .5 * float(placement.depths.min(initial=2 * _PHOTO_DEPTH)))
    if where == BEHIND:
        depth = _BACKDROP * float(placement.vertices[..., 2].max(initial=_PHOTO_DEPTH))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    corners = _behind(corners, np.full(4, depth), placement.intrinsics)
    following = np.roll(corners, -1, 0)
    segments = np.concatenate([np.stack([np.zeros_like(corners), corners], 1), np.stack([corners, following], 1)])
    server.scene.add_line_segments(f'{SPACE}/camera', segments, _LINES, thickness=2.,
                                   thickness_units='screen')
    middle, right, down = corners.mean(0), corners[1] - corners[0], corners[3] - corners[0]
    server.scene.add_image(f'{SPACE}/camera/photo', shrink(scene.image, placement, _LARGEST_PHOTO)[0],
                           float(np.linalg.norm(right)), float(np.linalg.norm(down)), format='jpeg', jpeg_quality=85,
                           position=middle, cast_shadow=False)


def add_depth(server, cloud):
    """``/camera_space/depth``: the points of a depth map."""
    server.scene.add_point_cloud(f'{SPACE}/depth', cloud.points, cloud.colors, point_size=cloud.spacing,
                                 precision='float32')


def depth_cloud(scene):
    """The :class:`Cloud` of the last placement's ``pred_maps.depth`` (m), thinned; None where there is none."""
    placement = scene.last
    maps = {} if placement.sample is None else placement.sample.get('pred_maps', {})
    if placement.intrinsics is None or 'depth' not in maps:
        return None
    depth = torch.as_tensor(maps.depth).cpu().double().numpy()
    step = max(1, int(np.ceil(np.sqrt(depth.size / MOST_POINTS))))
    rows, columns = (np.arange(step // 2, size, step) for size in depth.shape)
    v, u = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing='ij'))
    z = depth[v, u]
    limit = max(BEYOND * float(placement.depths.max(initial=0)), BACKGROUND)
    kept = np.isfinite(z) & (z > 0) & (z <= limit)
    # Maps need not have the photo's size.
    scale = np.array(scene.image.shape[1::-1]) / depth.shape[::-1]
    pixels = (np.stack([u, v], 1)[kept] + .5) * scale
    points = _behind(pixels, z[kept], placement.intrinsics)
    x, y = np.minimum(pixels.astype(int), np.array(scene.image.shape[1::-1]) - 1).T
    spacing = step * scale[0] * np.median(z[kept]) / placement.intrinsics[0][0] if kept.any() else .01
    return Cloud(points.astype(np.float32), scene.image[y, x], float(spacing))


def _behind(pixels, z, intrinsics):
    """Points (K, 3), m, camera frame, at depths z (K) behind pixels (K, 2)."""
    return unproject(*(torch.as_tensor(np.asarray(x, np.float64)) for x in (pixels, z, intrinsics))).numpy()
