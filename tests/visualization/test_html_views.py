"""What the page's cameras see: their numbers in Node.js, their pictures in a Chromium."""
import io
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from chromium import NEEDS_BROWSER, chromium_page, settle
from PIL import Image
from scipy.ndimage import binary_dilation

from mmhuman_dto.geometry import project, rasterize
from mmhuman_dto.synthetic.layout import BOX_FACES
from mmhuman_dto.visualization import Placement, Scene
from mmhuman_dto.visualization.html_page import DATA, write_html

NEEDS_NODE = pytest.mark.skipif(shutil.which('node') is None, reason='needs Node.js')
#: A camera with square pixels nowhere near its middle, and a slanted axis.
INTRINSICS = np.array([[310., 6, 90], [0, 290, 170], [0, 0, 1]])
PHOTO, SHARE = (320, 240), .96


def answers(*expressions):
    """Values of JavaScript expressions over the page's cameras.js."""
    code = f'{(DATA / "cameras.js").read_text()}\nconsole.log(JSON.stringify([{", ".join(expressions)}]))'
    done = subprocess.run(['node', '-e', code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def on_view(size):
    """(3, 3) px of a view of ``size`` (W, H): intrinsics of the photo that fills ``SHARE`` of it, in its middle."""
    scale = SHARE * min(size[0] / PHOTO[0], size[1] / PHOTO[1])
    fitted = INTRINSICS * [[scale], [scale], [1]]
    fitted[:2, 2] += (np.array(size) - scale * np.array(PHOTO)) / 2
    return fitted


def view_pixels(clip, size):
    """Clip coordinates (N, 4) -> px (N, 2) of a view of ``size`` (W, H)."""
    x, y = (clip[:, :2] / clip[:, 3:]).T
    return np.stack([(x + 1) / 2 * size[0], (1 - y) / 2 * size[1]], 1)


@NEEDS_NODE
@pytest.mark.parametrize('size', [(800, 600), (300, 900)])
def test_the_pinhole_is_projected_as_it_is(size):
    view = json.dumps(dict(width=size[0], height=size[1]))
    matrix, = answers(f'pinholeProjection(fittedIntrinsics({INTRINSICS.tolist()}, {{width: {PHOTO[0]}, height: '
                      f'{PHOTO[1]}}}, {view}), {view}, .02, 2000)')
    points = np.random.default_rng(0).uniform([-2, -2, .1], [2, 2, 9], (50, 3))
    webgl = np.append(points * [1, -1, -1], np.ones((50, 1)), 1)
    clip = webgl @ np.reshape(matrix, (4, 4)).T
    wanted = project(torch.tensor(points), torch.tensor(on_view(size))).numpy()
    np.testing.assert_allclose(view_pixels(clip, size), wanted, atol=1e-9)
    depth = clip[:, 2] / clip[:, 3]
    assert (abs(depth) < 1).all() and (np.diff(depth[np.argsort(points[:, 2])]) > 0).all()


@NEEDS_NODE
def test_metres_of_the_grid():
    small, large = answers('gridOf([-1.2, 2.5, 0, -7.4])', 'gridOf([-60, 60, 0, -90])')
    assert (small['unit'], small['step']) == (1, 1)
    assert small['x'] == list(range(-2, 4)) and small['z'] == list(range(-8, 1))
    assert (large['unit'], large['step']) == (10, 20) and large['z'] == list(range(-90, 1, 10))


@pytest.fixture(scope='module')
def seen_from_a_hill(tmp_path_factory):
    """Three boxes as tall as people on a ground that the camera sees from a tilt of 20 and a roll of 12 degrees."""
    pitch, roll = np.radians([-20, 12])
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    roll = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    corners = np.array([[x, y, z] for x in (-.25, .25) for y in (-1.7, 0) for z in (-.15, .15)])
    places = np.array([[-1, 1.9, 4], [.6, 1.9, 5], [.9, 1.9, 7.5]])
    vertices = np.float32((places[:, None] + corners) @ (roll @ tilt).T)
    placement = Placement(vertices, np.full(3, 1.7), np.arange(3), INTRINSICS)
    moved = placement._replace(vertices=vertices * 1.3, ids=np.arange(3))
    scene = Scene('hill', np.full((PHOTO[1], PHOTO[0], 3), (40, 160, 60), np.uint8), BOX_FACES, moved, placement)
    path, = write_html(scene, tmp_path_factory.mktemp('views') / 'hill')
    return path, scene


#: Nothing is left but people, who are black.
ONLY_PEOPLE = """() => {
    world.ground.group.visible = false;
    world.scene.traverse((one) => {
        if (one.isLineSegments || one.geometry?.type === 'RingGeometry') one.visible = false;
        if (one.isLight) one.intensity = 0;
    });
    world.render(world.sharp);
}"""
#: World points -> clip coordinates of the camera that is looked through.
CLIP = """(points) => {
    world.eye.updateMatrixWorld();
    return points.map((point) => {
        const place = new THREE.Vector3(...point).applyMatrix4(world.space.matrixWorld);
        const clip = [world.eye.matrixWorldInverse, world.eye.projectionMatrix].reduce((values, { elements }) => (
            [0, 1, 2, 3].map((row) => values.reduce((sum, value, i) => sum + elements[4 * i + row] * value, 0))),
            [...place.toArray(), 1]);
        return clip;
    });
}"""


def silhouette(browser):
    """(H, W) bool of the view: where it is black."""
    box = browser.evaluate('[world.view.clientWidth, world.view.clientHeight]')
    picture = np.array(Image.open(io.BytesIO(browser.screenshot(
        clip=dict(x=0, y=0, width=box[0], height=box[1])))).convert('L'))
    return picture < 25


@pytest.fixture(scope='module')
def open_browser():
    with chromium_page() as page:
        yield page


@pytest.fixture
def browser(open_browser, seen_from_a_hill):
    """The scene's page as it opens, with all pixels on slow machines too."""
    open_browser.goto(seen_from_a_hill[0].as_uri())
    settle(open_browser)
    open_browser.evaluate('() => { world.adapt = () => {}; }')
    yield open_browser
    assert not open_browser.complaints


def look(browser, view):
    browser.check('#photo')
    browser.click(f'[data-view={view}]')
    settle(browser)
    return browser.evaluate('[world.view.clientWidth, world.view.clientHeight]')


@pytest.mark.slow
@NEEDS_BROWSER
def test_from_the_camera_people_lie_on_the_photo(browser, seen_from_a_hill):
    scene = seen_from_a_hill[1]
    for index, placement in enumerate((scene.before, scene.after)):
        browser.click(f'[data-placement="{index}"]')
        size = look(browser, 'camera')
        points = placement.vertices.reshape(-1, 3)
        fitted = torch.tensor(on_view(size))
        clip = np.array(browser.evaluate(CLIP, points.tolist()))
        wanted = project(torch.tensor(points, dtype=torch.float64), fitted).numpy()
        np.testing.assert_allclose(view_pixels(clip, size), wanted, atol=.01)
        browser.evaluate(ONLY_PEOPLE)
        browser.uncheck('#photo')
        settle(browser)
        drawn = silhouette(browser)
        ids = rasterize(torch.tensor(placement.vertices), torch.tensor(scene.faces), fitted.float(), size[::-1]).id_map
        expected = ids.numpy() > 0
        near = np.ones((3, 3), bool)
        assert expected.sum() > 5000
        assert not (drawn & ~binary_dilation(expected, near)).any()
        assert not (expected & ~binary_dilation(drawn, near)).any()
        browser.check('#photo')


@pytest.mark.slow
@NEEDS_BROWSER
def test_from_above_all_heights_have_one_scale(browser, seen_from_a_hill):
    size = look(browser, 'above')
    to_world = np.array(browser.evaluate('page.camera_to_world'))
    ground = np.array([[x, y, z] for y in (0, 1, 2.) for x in (0, 1.) for z in (-3, -4.)])
    inside = (ground - to_world[:3, 3]) @ to_world[:3, :3]
    pixels = view_pixels(np.array(browser.evaluate(CLIP, inside.tolist())), size).reshape(3, 2, 2, 2)
    np.testing.assert_allclose(pixels, np.broadcast_to(pixels[:1], pixels.shape), atol=1e-6)
    metre = pixels[0, 1, 0] - pixels[0, 0, 0]
    assert metre[0] > 30 and abs(metre[1]) < 1e-6
    np.testing.assert_allclose(pixels[0, 0, 1] - pixels[0, 0, 0], [0, -metre[0]], atol=1e-6)  # far is up


@pytest.mark.slow
@NEEDS_BROWSER
def test_rings_lie_under_people_and_labels_count_metres(browser, seen_from_a_hill):
    scene = seen_from_a_hill[1]
    look(browser, 'overview')
    marks = browser.evaluate('world.placements.map(({ marks }) => marks.map(({ position, visible, children }) => '
                             '[position.toArray(), visible, children[0].material.color.getHexString()]))')
    shown = browser.evaluate('page.placements.map(({ people }) => people.map(({ colours }) => colours.person))')
    to_world = np.array(browser.evaluate('page.camera_to_world'))
    for placement, rings, colours, visible in zip((scene.before, scene.after), marks, shown, (False, True)):
        middle = placement.vertices.mean(1) @ to_world[:3, :3].T + to_world[:3, 3]
        np.testing.assert_allclose([place for place, *_ in rings], middle * [1, 0, 1], atol=.01)
        assert [[on, f'#{colour}'] for _, on, colour in rings] == [[visible, colour] for colour in colours]
    labels = browser.evaluate(
        'world.ground.labels.map(({ userData, position }) => [userData.text, ...position.toArray()])')
    ahead = {text: z for text, x, _, z in labels if x == min(label[1] for label in labels)}
    assert len(ahead) > 5 and all(float(text.split(' ')[0]) == -z for text, z in ahead.items())


@pytest.mark.slow
@NEEDS_BROWSER
def test_the_photo_hides_nobody(browser):
    """From behind the camera, with the photo between the viewer and everybody."""
    look(browser, 'camera')
    browser.evaluate(ONLY_PEOPLE)
    browser.evaluate("""() => {
        const back = world.eye.position.clone().sub(world.controls.target).setLength(.4);
        world.eye.position.add(back);
        world.controls.update();
    }""")
    seen = []
    for photo in (False, True):
        browser.set_checked('#photo', photo)
        settle(browser)
        seen.append(silhouette(browser))
    shot = np.array(Image.open(io.BytesIO(browser.screenshot())).convert('RGB'), int)
    assert (abs(shot - (40, 160, 60)).max(-1) < 12).sum() > 1e4  # it is there
    assert seen[0].sum() > 3000 and (seen[0] != seen[1]).sum() < 20


@pytest.mark.slow
@NEEDS_BROWSER
def test_an_empty_scene_says_so(browser, boxes, faces, tmp_path):
    photo = np.full((200, 240, 3), 90, np.uint8)
    nobody, somebody = boxes([]), boxes([(0, 0, 4)])
    for scene, words in ((Scene('a', photo, faces, nobody), 'Nobody found'),
                         (Scene('b', photo, faces, somebody, nobody), 'Nobody after DTO')):
        path, = write_html(scene, tmp_path / scene.title)
        browser.goto(path.as_uri())
        settle(browser)
        for view in ('camera', 'above', 'overview'):
            look(browser, view)
            assert browser.is_visible('#nobody') and browser.inner_text('#nobody') == words
    browser.click('[data-placement="0"]')
    assert browser.is_hidden('#nobody') and browser.inner_text('#summary').startswith('1 person')
