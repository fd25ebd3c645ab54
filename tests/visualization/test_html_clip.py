"""The page of a clip: what its JSON says, what its program makes of that in Node.js, and what a Chromium shows."""
import base64
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from chromium import NEEDS_BROWSER, chromium_page, settle
from moving_people import mesh_clip, true_joints, walking_clip
from scipy.spatial import cKDTree

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.geometry.surfaces import vertex_normals
from mmhuman_dto.structures import Clip
from mmhuman_dto.visualization.clip_motion import camera_to_world, motions_of
from mmhuman_dto.visualization.clip_writers import save_clip, write_html
from mmhuman_dto.visualization.html_page import DATA
from mmhuman_dto.visualization.rigs import KindError

NEEDS_NODE = pytest.mark.skipif(shutil.which('node') is None, reason='needs Node.js')
#: The page's program without what draws.
PARTS = ('three.min.js', 'page.js', 'clip_panel.js', 'things.js', 'bodies.js')


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


@pytest.fixture(scope='module')
def clip(body_model):
    return walking_clip(body_model)


@pytest.fixture(scope='module')
def path(clip, body_model, tmp_path_factory):
    path, = save_clip(clip, body_model, tmp_path_factory.mktemp('clip'), 'a', ['html'])
    return path


def described(path):
    text = path.read_text()
    start = text.index('>', text.index('<script type="application/json"')) + 1
    return json.loads(text[start:text.index('</script>', start)])


def answers(path, *expressions):
    """Values of JavaScript expressions over the page's bodies at the time 1.55 s."""
    program = '\n'.join((DATA / name).read_text() for name in PARTS)
    text = json.dumps(json.dumps(described(path)))
    code = (f'const document = {{ getElementById: () => ({{ textContent: {text} }}) }};\nlet world = null;\n{program}\n'
            f'const bodies = page.people.map((person) => new Body(person));\n'
            f'bodies.forEach((body) => body.pose(1.55));\nconsole.log(JSON.stringify([{", ".join(expressions)}]))')
    (path.parent / 'program.js').write_text(code)
    done = subprocess.run(['node', path.parent / 'program.js'], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@NEEDS_NODE
def test_its_program_has_people_where_they_are(path, clip, body_model):
    places, middles, vertices, normals, there, lengths = answers(
        path, 'bodies.map(({ places }) => [...places])', 'bodies.map((body) => body.middle())',
        "bodies.map(({ geometry }) => [...geometry.getAttribute('position').array])",
        "bodies.map(({ geometry }) => [...geometry.getAttribute('normal').array])",
        'bodies.map((body) => [0, .45, .6, 1.05, 1.95, 2.05, 2.95, 3.05, 9].map((time) => body.isThere(time)))',
        'bodies.map(({ trail }) => [trail.geometry.drawRange.start, trail.geometry.drawRange.count])')
    page = described(path)
    faces = np.frombuffer(base64.b64decode(page['faces']), '<u4').astype(int).reshape(-1, 3)
    for row, motion in enumerate(motions_of(clip, body_model)[:2]):
        skeleton = motion.skeleton.at(motion.times, [1.55])
        np.testing.assert_allclose(np.reshape(places[row], (-1, 3)), skeleton.world()[1][0], atol=3e-4)
        whole = motion.skin._replace(skeleton=skeleton).posed()[0]
        np.testing.assert_allclose(middles[row], whole.mean(0), atol=3e-4)
        mesh = np.reshape(vertices[row], (-1, 3))
        away, _ = cKDTree(whole).query(mesh)
        assert away.mean() < .01 and abs(np.ptp(mesh, axis=0) - np.ptp(whole, axis=0)).max() < .02
        # Normals are those of the mesh as it is posed, but where it is bent.
        out = vertex_normals(torch.tensor(mesh)[None], torch.tensor(faces).long())[0].numpy()
        turned = np.einsum('vi,vi->v', np.reshape(normals[row], (-1, 3)), out)
        assert turned.mean() > .97 and (turned > .8).mean() > .95
    assert there == [[True] * 9, [False] * 3 + [True] * 2 + [False] * 4,
                     [True, True, False, False, False, False, False, True, True]]
    assert lengths[1] == [0, 6 * 5]  # person 5 came at 1 s: rows 10 to 15
    assert [person['id'] for person in page['people']] == [2, 5, 7]


def test_what_it_says_of_people(path, clip, body_model):
    page = described(path)
    for person, track in zip(page['people'], clip.tracks):
        assert person['height'] == pytest.approx(float(track.people.heights[0]), abs=1e-5)
        assert person['said']['height'] == f'{person["height"]:.2f} ± .02 m'
    assert page['moves'] is False and page['image'] == dict(width=640, height=480)
    assert page['people'][1]['spans'] == [[1, 2]] and page['people'][0]['spans'] == [[0, None]]
    assert .2 < page['share'] < .5 and path.stat().st_size < 1.2e6


def test_a_longer_clip_of_three_people_stays_small(body_model, tmp_path):
    path, = save_clip(walking_clip(body_model, 10., 30), body_model, tmp_path, 'a', ['html'])
    assert path.stat().st_size < 1.2e6
    assert 'innerHTML' not in path.read_text() and 'eval(' not in path.read_text()


def test_rotations_are_said_by_the_sign_that_is_near(body_model, tmp_path):
    """Person 2 turns by a whole turn."""
    path, = save_clip(walking_clip(body_model, 12., 10), body_model, tmp_path, 'a', ['html'])
    turns = np.frombuffer(base64.b64decode(described(path)['people'][0]['turns']), '<i2').reshape(-1, 24, 4) / 32767
    assert ((turns[1:] * turns[:-1]).sum(-1) > .9).all()
    assert (turns[0, 0] @ turns[-1, 0]) < 0


def test_more_people_have_fewer_triangles_each(clip, body_model, tmp_path):
    crowd = Clip(**{**vars(clip), 'tracks': [
        type(track)(track.track_id + 10 * copy, track.frames, track.people) for copy in range(6)
        for track in clip.tracks]})
    path, = save_clip(crowd, body_model, tmp_path, 'a', ['html'])
    # At most 12 are there at once.
    assert described(path)['share'] * len(body_model.faces) == pytest.approx(2000, abs=5)


def test_names_are_text_and_long_clips_are_parts(clip, body_model, tmp_path):
    named = Clip(**{**vars(clip), 'name': '</script><b>$page'})
    path, = save_clip(named, body_model, tmp_path, 'a', ['html'])
    assert '<title>&lt;/script&gt;&lt;b&gt;$page: people in metres</title>' in path.read_text()
    paths = write_html(named, body_model, tmp_path / 'b', most=50)
    assert [path.name for path in paths] == ['b_part1.html', 'b_part2.html']
    first = np.frombuffer(base64.b64decode(described(paths[1])['times']), '<f4')[0]
    assert first == 0


def test_meshes_alone_and_nobody(body_model, tmp_path):
    with pytest.raises(KindError, match='no html of walk: it needs a body model'):
        save_clip(mesh_clip(body_model), MeshBodies(body_model.faces), tmp_path, 'a', ['html'])
    empty = Clip('empty', torch.arange(3, dtype=torch.float64), (480, 640), torch.eye(3).repeat(3, 1, 1), [])
    path, = save_clip(empty, body_model, tmp_path, 'b', ['html'])
    assert described(path)['people'] == []


@pytest.mark.slow
@NEEDS_BROWSER
def test_in_a_browser(clip, body_model, tmp_path):
    moving = Clip(**vars(clip))
    moving.camera_poses = torch.eye(4, dtype=torch.float64).repeat(len(clip), 1, 1)
    moving.camera_poses[:, 0, 3] = -.2 * clip.times
    empty = Clip('empty', clip.times, clip.image_size, clip.intrinsics, [])
    with chromium_page() as browser:
        for name, one in (('still', clip), ('moving', moving), ('empty', empty)):
            path, = save_clip(one, body_model, tmp_path, name, ['html'])
            browser.goto(path.as_uri())
            settle(browser)
            browser.evaluate('seek(1.5)')
            browser.click('[data-view=camera]')
            settle(browser)
            browser.screenshot(path=tmp_path / f'{name}.png')
            if name == 'empty':
                assert browser.inner_text('#nobody') == 'Nobody found'
                continue
            # The head of each person is where the camera sees it.
            for track in one.tracks[:2]:
                head = true_joints(one, track.track_id, 15, body_model)[15]
                if name == 'moving':  # poses are those of the still camera's people, seen from where it is
                    to_world = camera_to_world(one, body_model)
                    assert to_world[15, 0, 3] == pytest.approx(.3, abs=.01)
                pixel = one.intrinsics[15].numpy() @ head
                size = browser.evaluate('[world.view.clientWidth, world.view.clientHeight]')
                scale = .96 * min(size[0] / 640, size[1] / 480)
                wanted = (pixel[:2] / pixel[2] - [320, 240]) * scale + np.array(size) / 2
                seen = browser.evaluate(f"""(() => {{
                    const body = world.bodies.find(({{ person }}) => person.id === {track.track_id});
                    const place = new THREE.Vector3(...body.places.slice(45, 48)).project(world.eye);
                    return [(place.x + 1) / 2 * world.view.clientWidth, (1 - place.y) / 2 * world.view.clientHeight];
                }})()""")
                np.testing.assert_allclose(seen, wanted, atol=1.)
            assert browser.inner_text('tr[data-person="7"]').split() == ['7', '1.62', '±', '.02', 'm', 'away']
            browser.click('tr[data-person="2"]')
            settle(browser)
            assert browser.inner_text('#label') == f'1.78 ± .02 m tall, {4.0:.1f} m away'
            browser.click('[data-view=overview]')
            browser.check('#follow')
            before = browser.evaluate('[world.eye.position.x, world.bodies[0].root[0]]')
            browser.keyboard.press('Escape')
            browser.click('h1')
            browser.keyboard.press('ArrowRight')
            assert browser.evaluate('state.time') == pytest.approx(1.6, abs=1e-3)
            after = browser.evaluate('[world.eye.position.x, world.bodies[0].root[0]]')
            assert after[0] - before[0] == pytest.approx(after[1] - before[1], abs=1e-3)
            browser.keyboard.press(' ')
            browser.evaluate('new Promise((done) => setTimeout(done, 500))')
            browser.keyboard.press(' ')
            now = browser.evaluate('[state.time, state.playing, Number(byId("scrub").value)]')
            assert 1.7 < now[0] < 3.5 and not now[1] and -.01 < 10 * now[0] - now[2] < 1.01
        assert not browser.complaints
        assert all(address.startswith('file:') for address in browser.requested)
    assert all(np.ptp(read_image(tmp_path / f'{name}.png')) > 200 for name in ('still', 'moving'))
