"""Scenes to walk around in while a program runs: a viser server (https://viser.studio), looked at with a browser."""
import contextlib
import io
import re
import threading
import time

import numpy as np

from mmhuman_dto.fileio.packages import require

from . import viser_nodes
from .people_rows import people_rows
from .scene import Scene

#: Pictures a second while they are played, at first and at most.
_RATE, _FASTEST = 10, 30
_NONE = 'none'
NO_DEPTH = 'No depth map in metres is known of this picture, so none is shown.'
NOBODY = '**Nobody found**'


def load_viser():
    """The module viser; ImportError that says how to install it where it is not there."""
    return require('viser', 'viewer', 'docs/inference.md', alone=True)


def show(scenes, port=8080, host='127.0.0.1', block=True):
    """Show scenes in a browser: people, camera and photo, depth map as points, before and after DTO, pictures in turn.

    Args:
        scenes: a :class:`~mmhuman_dto.visualization.Scene`, or several: pictures or frames of a video in their order. A
            sequence is asked for one at a time, so it may make them then; an iterator is made a list.
        port: of the server; where it is taken, the next one that is free.
        host: who may look: '127.0.0.1' this machine alone, '0.0.0.0' all that reach it.
        block: whether to name the address and wait for Ctrl-C. False returns at once; ``viewer.stop()`` ends it.

    Returns:
        :class:`Viewer`.

    Raises:
        ImportError: viser is not installed; says how to.
        ValueError: no scenes.
    """
    viser = load_viser()
    if isinstance(scenes, Scene):
        scenes = [scenes]
    elif not hasattr(scenes, '__getitem__'):
        scenes = list(scenes)
    if not len(scenes):
        raise ValueError('no scenes to show')
    with contextlib.redirect_stdout(io.StringIO()):  # it says in six lines where it is
        server = viser.ViserServer(host=host, port=port, label='mmhuman_dto', verbose=False)
    viewer = Viewer(server, scenes)
    if block:
        print(f'{viewer.url} shows {len(scenes)} picture{"s" * (len(scenes) > 1)}; '  # noqa: T201
              'open it in a browser, Ctrl-C ends it', flush=True)
        viewer.wait()
    return viewer


class Viewer:
    """A viser server with one of several scenes in it, and the panel that says which.

    Attributes:
        server: the ``viser.ViserServer``.
        picture: slider of the scenes, from 1 on; None of one alone. placement: before or after DTO.
        photo: where it is; shown: check boxes of what else is. play: check box, whether pictures follow each other;
            rate: slider, how many a second.
        text: what is said of the scene.
    """

    def __init__(self, server, scenes):
        self.server, self.scenes = server, scenes
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._index, self._scene, self._cloud = None, None, None
        server.scene.set_up_direction('+y')
        server.gui.configure_theme(show_share_button=False, show_logo=False, control_width='large')
        self._make_panel()
        self.draw()
        position, look_at = _overview(self._scene)
        server.initial_camera.position, server.initial_camera.look_at = position, look_at
        threading.Thread(target=self._play, daemon=True).start()

    @property
    def url(self):
        """Where a browser on this machine sees it."""
        host = self.server.get_host()
        return f'http://{"127.0.0.1" if host == "0.0.0.0" else host}:{self.server.get_port()}'

    def stop(self):
        """End the server."""
        self._stopped.set()
        with contextlib.redirect_stdout(io.StringIO()):
            self.server.stop()

    def wait(self):
        """Wait for Ctrl-C, then end."""
        try:
            while not self._stopped.wait(1.):
                pass
        except KeyboardInterrupt:
            pass
        self.stop()

    def step(self):
        """Go on to the next scene, from the last to the first."""
        if self.picture is not None:
            self.picture.value = self.picture.value % len(self.scenes) + 1

    def draw(self, _=None):
        """Make the nodes of what the panel asks for, in the place of all others."""
        with self._lock, self.server.atomic():
            self._open(0 if self.picture is None else self.picture.value - 1)
            scene, server = self._scene, self.server
            placement = self._placement()
            server.scene.remove_by_name(viser_nodes.SPACE)
            viser_nodes.add_camera_space(server, scene)
            viser_nodes.add_people(server, placement, scene.faces, self.shown['labels'].value)
            if self.photo.value != _NONE and placement.intrinsics is not None:
                viser_nodes.add_camera(server, scene, placement, self.photo.value)
            if self.shown['depth'].value and self._cloud is not None:
                viser_nodes.add_depth(server, self._cloud)
            self.text.content = _text(scene, placement, self._cloud is not None)

    def _open(self, index):
        """Take another scene, where it is another one."""
        if index == self._index:
            return
        self._index, self._scene = index, self.scenes[index]
        self._cloud = viser_nodes.depth_cloud(self._scene)
        viser_nodes.add_ground(self.server, self._scene)
        names = [name for name, _ in self._scene.panels]
        self.placement.visible = len(names) > 1
        self.shown['depth'].disabled = self._cloud is None

    def _placement(self):
        """What of the scene is shown: before DTO where that is asked for, else what counts."""
        return self._scene.before if self.placement.value == 'before' else self._scene.last

    def _make_panel(self):
        gui, count = self.server.gui, len(self.scenes)
        self.picture = gui.add_slider('Picture', 1, count, 1, 1) if count > 1 else None
        self.play = gui.add_checkbox('Play', False, visible=count > 1)
        self.rate = gui.add_slider('Pictures a second', 1, _FASTEST, 1, _RATE, visible=count > 1)
        self.placement = gui.add_dropdown('People', ('after DTO', 'before'))
        self.photo = gui.add_dropdown('Photo', (viser_nodes.IN_CAMERA, viser_nodes.BEHIND, _NONE))
        self.shown = {name: gui.add_checkbox(words, True) for name, words in (
            ('depth', 'Depth map'), ('labels', 'Labels'))}
        gui.add_button('From camera').on_click(self._look_from_camera)
        self.text = gui.add_markdown('')
        for control in (self.picture, self.placement, self.photo, *self.shown.values()):
            if control is not None:
                control.on_update(self.draw)

    def _look_from_camera(self, event):
        """Put a browser's camera where the photo's was, its axis through the middle of the window, the photo behind."""
        if event.client is not None and self._placement().intrinsics is not None:
            self.photo.value = viser_nodes.BEHIND
            camera, world = event.client.camera, self._scene.ground.camera_to_world
            camera.up_direction = -world[:3, 1]
            camera.position = world[:3, 3]
            camera.look_at = world[:3, 3] + world[:3, 2] * 3
            camera.fov = _fov(self._placement().intrinsics, self._scene.image.shape[:2], camera.aspect)

    def _play(self):
        due = time.monotonic()
        # Drawing takes a part of the time between two pictures; where it takes more, the next one follows at once.
        while not self._stopped.wait(max(0., due - time.monotonic())):
            due = max(due, time.monotonic() - 1) + 1 / self.rate.value
            if self.play.value:
                self.step()


def _overview(scene):
    """Place and aim of a viewer who sees everybody and the camera, m."""
    points = np.concatenate([np.float32([[0, 0, 0], [0, 0, 4]]), scene.last.vertices.reshape(-1, 3)])
    world = scene.ground.level(points) * [1, -1, -1]
    low, high = world.min(0), world.max(0)
    middle = (low + high) / 2
    return middle + np.array([.44, .4, .56]) * np.linalg.norm(high - low), middle


def _fov(intrinsics, size, aspect):
    """Vertical field of view (rad) of a window of an aspect that sees all of a picture of ``size`` = (H, W)."""
    (height, width), (fx, fy) = size, np.diag(intrinsics)[:2]
    cx, cy = intrinsics[0][2], intrinsics[1][2]
    return 2 * float(np.arctan(max(max(cy, height - cy) / fy, max(cx, width - cx) / fx / aspect)))


def _text(scene, placement, has_depth):
    """What the panel says, in markdown: who is where, and what is to be known of it."""
    rows = people_rows(placement)
    table = ['| person | height | distance |', '|---|---|---|', *(
        f'| {row.person} | {row.height_text or "unknown"} | {row.distance_text} |' for row in rows)]
    left_out = [f'{row.person} {row.note}' for row in rows if row.note]
    said = [*placement.notes, *left_out, *([] if has_depth else [NO_DEPTH])]
    return '\n\n'.join([f'**{_plain(scene.title)}**', '\n'.join(table) if rows else NOBODY, *map(_plain, said),
                        'Grid: 1 m, stronger every 5 m. Distance: along the camera\'s axis.'])


def _plain(text):
    """Text that markdown leaves as it is."""
    return re.sub(r'([\\`*_{}\[\]()#+!|<>~&$-])', r'\\\1', ' '.join(text.split()))
