"""A scene as one web page to walk around in: no network, no files beside it, nothing in it but our own program runs.

The page's JSON (``<script type="application/json" id="page">``) says, in metres and in the camera frame (x right, y
down, z forward)::

    {"image": {"width": W, "height": H, "jpeg": "data:..."},      # of the photo, px; the JPEG may be smaller
     "camera_to_world": (4, 4),                                   # to x right, y up from the ground, z to the viewer
     "faces": base64 of (F, 3) uint32, "share": F of all,         # the same for everybody
     "coarse": base64 of (F', 3) uint32,                          # fewer, of other vertices, for slow browsers
     "depths": [nearest, farthest], "depth_scale": [colours],
     "placements": [{"name": "before", "intrinsics": (3, 3), "focal": px, "notes": [texts],
                     "people": [{"id": 0, "height": 1.71, "distance": 6.32, "said": {"height": "1.71 m", ...}, ...,
                                 "mesh": {"origin": [x, y, z], "step": s, "steps": base64 of (V, 3) uint16,
                                          "opacity": base64 of (V) uint8}}]}]}

A vertex is ``origin + step * steps``, little-endian, rounded by less than 0.1 mm; its opacity counts to 255. What is
not known is null, or '' among what is ``said``.
"""
import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template

import cv2
import numpy as np
import torch

from mmhuman_dto.dto.prior import HEIGHT_CLASSES, TEEN, HeightPrior

from .colors import colors_of
from .contact_sheet import shrink
from .html_decimation import decimate
from .mesh_render import FAINT
from .people_rows import people_rows

DATA = Path(__file__).parent / 'data'
#: The page's own program, in the order in which its parts run.
PROGRAM = ('page.js', 'panel.js', 'cameras.js', 'things.js', 'meshes.js', 'views.js', 'world.js', 'viewer.js')
#: Triangles of all people together; with more, meshes are simplified.
MOST_TRIANGLES = 150_000
#: As many while the scene is turned by a browser that is slow with more.
MOST_MOVING_TRIANGLES = 25_000
#: Nobody is left with fewer.
_FEWEST_TRIANGLES = 400
#: Photos are embedded at this size (px) at most.
_LARGEST_PHOTO = (1080, 1440)
_JPEG_QUALITY = 85
_STEPS = 2**16 - 1


def write_html(scene, path):
    """The scene as one ``.html`` page at ``path`` without suffix, before and after DTO to be switched between."""
    path = Path(f'{path}.html')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(html_page(scene).encode(errors='replace'))
    return [path]


def html_page(scene):
    """The page's text."""
    return page_of('page.html', PROGRAM, scene.title, describe(scene))


def page_of(template, program, title, described):
    """The text of a page, of a template and parts of a program in :data:`DATA` and of what is ``described`` as JSON.

    Its policy lets exactly its own style and programs run, and forbids every request.
    """
    style, three, page, *parts = (DATA.joinpath(name).read_text(encoding='utf-8')
                                  for name in ('page.css', 'three.min.js', template, *program))
    viewer = '\n'.join(parts)
    policy = (f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
              f"script-src {_hash(three)} {_hash(viewer)}; base-uri 'none'; form-action 'none'")
    # Nothing in JSON but text holds a "<", and the text could close the script.
    described = json.dumps(described, separators=(',', ':'), allow_nan=False).replace('<', '\\u003c')
    return Template(page).substitute(policy=policy, title=html.escape(title), style=style, three=three, viewer=viewer,
                                     page=described)


def describe(scene):
    """What the page's JSON holds, see the module."""
    vertices, faces, coarse, origin = _simplified(scene)
    depths = np.concatenate([placement.depths for _, placement in scene.panels])
    near, far = (float(depths.min()), float(depths.max())) if len(depths) else (0., 1.)
    return dict(
        image=_photo(scene), camera_to_world=scene.ground.camera_to_world.tolist(),
        faces=packed(faces, '<u4'), coarse=packed(coarse, '<u4'), share=len(faces) / len(scene.faces),
        depths=[near, far] if len(depths) else None, depth_scale=_depth_colors(np.linspace(0, 1, 9)),
        placements=[_describe_placement(name, placement, of, origin, near, far) for (name, placement), of in zip(
            scene.panels, np.split(vertices, np.cumsum([len(placement.ids) for _, placement in scene.panels])))])


def _hash(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def packed(values, dtype):
    """Base64 text of an array in a type of little-endian numbers."""
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def _simplified(scene):
    """Vertices of all people (P, V, 3), triangles between them (F, 3), fewer between the last of them, and the vertices
    (V) of the scene's meshes they stand for."""
    placements = [placement for _, placement in scene.panels]
    people = max(1, *(len(placement.ids) for placement in placements))
    vertices = np.concatenate([placement.vertices for placement in placements])
    fine, faces, origin = decimate(vertices, scene.faces, max(MOST_TRIANGLES // people, _FEWEST_TRIANGLES))
    few, coarse, of_fine = decimate(fine, faces, max(MOST_MOVING_TRIANGLES // people, _FEWEST_TRIANGLES))
    if len(coarse) == len(faces):
        return fine, faces, faces, origin
    return np.concatenate([fine, few], 1), faces, coarse + fine.shape[1], np.concatenate([origin, origin[of_fine]])


def _photo(scene):
    height, width = scene.image.shape[:2]
    small = shrink(scene.image, scene.last, _LARGEST_PHOTO)[0]
    content = cv2.imencode('.jpg', small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return dict(width=width, height=height, jpeg=f'data:image/jpeg;base64,{packed(content, np.uint8)}')


def _describe_placement(name, placement, meshes, origin, near, far):
    colors = [hex_of(color) for color in colors_of(placement)]
    depth_colors = _depth_colors((placement.depths - near) / max(far - near, 1e-6))
    opacities = [None] * len(colors)
    if placement.support is not None:
        opacities = [packed(np.round(255 * (FAINT + (1 - FAINT) * of[origin])), np.uint8) for of in placement.support]
    people = [dict(id=row.person, height=_number(row.height), distance=row.distance,
                   height_std=_number(row.height_std), distance_std=_number(row.distance_std), score=_number(row.score),
                   said=dict(height=row.height_text, distance=row.distance_text, joints=row.joints_text, note=row.note),
                   **facts, colours=dict(person=color, depth=depth_color),
                   mesh=dict(steps_of(vertices), opacity=opacity))
              for row, facts, color, depth_color, vertices, opacity in zip(
                  people_rows(placement), _known(placement), colors, depth_colors, meshes, opacities)]
    intrinsics = None if placement.intrinsics is None else np.asarray(placement.intrinsics, float).tolist()
    return dict(name=name, intrinsics=intrinsics, focal=intrinsics and intrinsics[1][1], notes=placement.notes,
                people=people)


def _known(placement):
    """What is known of each person beyond its mesh and its numbers."""
    people = placement.people or {}

    def value(name, row):
        return _number(people[name][row]) if name in people else None

    return [dict(transl=[_number(x) for x in people['transl'][row]] if 'transl' in people else None,
                 age_class=_age_class(value('ages', row), value('male_probs', row), value('is_child', row)))
            for row in range(len(placement.ids))]


def _age_class(age, male_prob, is_child):
    """Age class in words, by the limits of the prior of heights."""
    if age is None:
        return 'child, by annotation' if is_child else 'unknown'
    one = [torch.tensor([np.nan if value is None else value]) for value in (1.7, age, male_prob)]
    index = int(HeightPrior()(*one).height_class)
    name = HEIGHT_CLASSES[index].name
    if index > TEEN:
        name = 'adult' if name == 'neutral' else f'adult, {name}'
    return f'{name}, {age:.0f} years'


def steps_of(vertices):
    """A mesh (V, 3), m, as the page's JSON has it."""
    vertices = np.asarray(vertices, np.float64)
    origin = vertices.min(0)
    step = max(float(np.ptp(vertices, axis=0).max()), 1e-6) / _STEPS
    return dict(origin=origin.tolist(), step=step, steps=packed(np.round((vertices - origin) / step), '<u2'))


def _depth_colors(shares):
    """'#rrggbb' from near (0) to far (1)."""
    levels = np.round(255 * (1 - np.asarray(shares))).astype(np.uint8).reshape(-1, 1)
    if not len(levels):
        return []
    return [hex_of(color[::-1]) for color in cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[:, 0]]


def hex_of(color):
    """'#rrggbb' of (3) uint8."""
    return '#{:02x}{:02x}{:02x}'.format(*color)


def _number(value):
    value = float(value)
    return value if np.isfinite(value) else None
