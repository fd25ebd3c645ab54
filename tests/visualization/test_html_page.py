import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
import torch
from chromium import NEEDS_BROWSER, chromium_page, settle
from scipy.spatial import cKDTree
from scripts import ROOT

from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.tables.people_table import PeopleTable
from mmhuman_dto.visualization import Placement, Scene, html_page, people_rows, person_colors
from mmhuman_dto.visualization.mesh_render import FAINT
from mmhuman_dto.visualization.writers import save_scene

CROWD = ROOT / 'demo/resources/crowd'
EVIL = '</script><script>document.title="caught"</script><img src=x onerror=alert(1)>&"$page\'.jpg'


class Page(HTMLParser):
    """Scripts, styles, title, attributes and policy of a page, as a browser reads them."""

    def __init__(self, text):
        super().__init__()
        self.attributes, self.content, self.stack = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.stack.append(tag)
        if tag in ('script', 'style', 'title', 'h1'):
            self.content.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        if tag in self.stack:
            del self.stack[len(self.stack) - 1 - self.stack[::-1].index(tag):]

    def handle_data(self, data):
        if self.stack and self.stack[-1] in ('script', 'style', 'title', 'h1'):
            self.content[-1][2].append(data)

    def texts(self, tag):
        return [''.join(parts) for kind, _, parts in self.content if kind == tag]

    @property
    def json(self):
        return json.loads(self.texts('script')[0])


def decoded(page):
    """Meshes of a page: faces (F, 3), vertices (N, V, 3) of each placement, m, camera frame."""
    faces = np.frombuffer(base64.b64decode(page['faces']), '<u4').reshape(-1, 3)
    meshes = [[np.add(mesh['origin'], mesh['step'] * np.frombuffer(
        base64.b64decode(mesh['steps']), '<u2').reshape(-1, 3)) for mesh in (p['mesh'] for p in placement['people'])]
        for placement in page['placements']]
    return faces, [np.array(people) for people in meshes]


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def crowd(body_model):
    """A bundled picture: everybody moved before, one without evidence after, whose people the solver is sure of."""
    sample = PeopleTable(CROWD / 'truth')[5]
    count = len(sample.pred_instances)
    before, after = sample.new(), sample.new()
    before.pred_instances = sample.pred_instances[torch.arange(count)]
    before.pred_instances.transl = sample.pred_instances.transl * torch.linspace(.8, 1.3, count)[:, None]
    after.pred_instances = sample.pred_instances[torch.arange(count) != 2]
    for name, value in (('person_index', [i for i in range(count) if i != 2]),
                        ('heights_std', [.01 * i for i in range(1, count)]),
                        ('depths_std', [.1 * i for i in range(1, count)])):
        after.pred_instances.set_field(torch.tensor(value), name)
    image = read_image(CROWD / f'images/{sample.img_id}')
    return Scene(sample.img_id, image, body_model.faces.numpy(), *(
        Placement.from_sample(one, body_model) for one in (before, after)))


@pytest.fixture(scope='module')
def written(crowd, tmp_path_factory):
    """Files of the crowd: page, parameters after and before."""
    scene = crowd._replace(title=EVIL)
    paths = save_scene(scene, tmp_path_factory.mktemp('page'), 'crowd', ['html', 'params'])
    return paths[0], *(json.loads(path.read_text()) for path in paths if path.suffix == '.json')


def test_meshes_come_back(crowd, written):
    page = Page(written[0].read_text()).json
    faces, meshes = decoded(page)
    np.testing.assert_array_equal(faces, crowd.faces)
    for mesh, placement in zip(meshes, (crowd.before, crowd.after)):
        np.testing.assert_allclose(mesh[:, :faces.max() + 1], placement.vertices, rtol=0, atol=1e-4)
    matrix = np.array(page['camera_to_world'])
    world = meshes[1] @ matrix[:3, :3].T + matrix[:3, 3]
    # They stand on the ground, in front of the camera, which is above it.
    assert abs(np.median(world[..., 1].min(1))) < .1 and np.ptp(world[..., 1], axis=1).max() > 1.4
    assert world[..., 2].max() < 0 < matrix[1, 3] and np.linalg.det(matrix[:3, :3]) == pytest.approx(1)


def test_numbers_are_those_of_the_parameters(crowd, written):
    path, after, before = written
    page = Page(path.read_text()).json
    assert [placement['name'] for placement in page['placements']] == ['before', 'after DTO']
    assert abs(crowd.before.depths[crowd.after.ids] - crowd.after.depths).max() > 1
    for shown, params, placement in zip(page['placements'], (before, after), (crowd.before, crowd.after)):
        assert shown['focal'] == pytest.approx(params['image']['intrinsics'][1][1])
        assert len(shown['people']) == len(params['people'])
        for row, (person, said) in enumerate(zip(shown['people'], params['people'])):
            assert person['id'] == said.get('person_index', row)
            assert person['height'] == pytest.approx(said['heights'], abs=1e-4)
            assert person['distance'] == pytest.approx(placement.depths[row])
            np.testing.assert_allclose(person['transl'], said['transl'], atol=1e-6)
            assert person['height_std'] == pytest.approx(said.get('heights_std'))
            assert person['distance_std'] == pytest.approx(said.get('depths_std'))
            assert f'{said["ages"]:.0f} years' in person['age_class']


def test_a_placement_of_some_people_says_what_is_theirs(crowd):
    for placement in (crowd.before, crowd.after):
        chosen = placement.only([1, 5])
        page = html_page.describe(crowd._replace(before=chosen, after=None))['placements'][0]
        whole = html_page.describe(crowd._replace(before=placement, after=None))['placements'][0]
        assert [person['transl'] for person in page['people']] == [
            person['transl'] for person in whole['people'] if person['id'] in (1, 5)]


@pytest.mark.parametrize('age, male, is_child, words', [
    (None, None, None, 'unknown'), (None, .9, None, 'unknown'), (None, None, 1., 'child, by annotation'),
    (2., None, None, 'baby, 2 years'), (5., .9, None, 'kid, 5 years'), (14.9, None, None, 'teen, 15 years'),
    (15., None, None, 'adult, 15 years'), (40., .1, None, 'adult, female, 40 years'),
    (40., .5, None, 'adult, 40 years')])
def test_unknown_ages_are_no_guess(age, male, is_child, words):
    assert html_page._age_class(age, male, is_child) == words


def test_what_no_seen_joint_tells_is_fainter_and_who_was_left_out_is_named(crowd, monkeypatch):
    count = len(crowd.before.ids)
    monkeypatch.setattr(html_page, 'MOST_TRIANGLES', 2000 * count)
    monkeypatch.setattr(html_page, 'MOST_MOVING_TRIANGLES', 1000 * count)
    support = np.zeros(crowd.before.vertices.shape[:2], np.float32)
    low = crowd.before.vertices[..., 1] > crowd.before.vertices[..., 1].mean(1, keepdims=True)
    support[low] = 1
    people = crowd.before.people[torch.arange(count)]
    people.drop_reasons = torch.tensor([5] + [0] * (count - 1))
    people.keypoint_scores = torch.ones(count, 17)
    placement = crowd.before._replace(support=support, people=people, notes=('</script>', ))
    page = html_page.describe(crowd._replace(before=placement, after=None))
    shown, (meshes, ) = page['placements'][0], decoded(page)[1]
    assert shown['notes'] == ('</script>', )
    for person, mesh, whole, told in zip(shown['people'], meshes, placement.vertices, support):
        opacity = np.frombuffer(base64.b64decode(person['mesh']['opacity']), np.uint8)
        assert set(opacity) == {round(255 * FAINT), 255}
        assert ((opacity == 255) == (told[cKDTree(whole).query(mesh)[1]] == 1)).mean() > .97
    assert [person['said']['note'] for person in shown['people'][:2]] == ['not placed: depth too scattered', '']
    assert shown['people'][0]['said']['joints'] == '17 of 17'
    red, green, blue = (int(shown['people'][0]['colours']['person'][i:i + 2], 16) for i in (1, 3, 5))
    assert np.ptp([red, green, blue]) < 20
    plain = html_page.describe(crowd)['placements'][0]
    assert plain['notes'] == () and plain['people'][0]['mesh']['opacity'] is None


def test_names_are_text(written):
    page = Page(written[0].read_text())
    assert page.texts('h1') == [EVIL] and page.texts('title') == [f'{EVIL}: people in metres']
    assert [dict(attrs) for tag, attrs, _ in page.content if tag == 'script'] == [
        {'type': 'application/json', 'id': 'page'}, {}, {}]
    assert not [name for _, name, _ in page.attributes if name.startswith('on') or name == 'style']


def test_text_of_the_data_cannot_close_its_script(crowd):
    named = crowd._replace(before=crowd.before._replace(sample=None), after=crowd.after.only([]))
    text = html_page.html_page(named)
    start = text.index('<script type="application/json"')
    data = text[text.index('>', start) + 1:text.index('</script>', start)]
    assert '<' not in data and json.loads(data)['placements'][1]['people'] == []


def test_nothing_is_asked_of_a_network_and_only_our_programs_run(written):
    text = written[0].read_text()
    page = Page(text)
    for tag, name, value in page.attributes:
        assert name not in ('src', 'href', 'action', 'srcset') or value.startswith('data:'), (tag, name, value)
    assert not re.findall(r'url\(|@import', page.texts('style')[0])
    policy = next(value for tag, name, value in page.attributes if tag == 'meta' and "default-src" in (value or ''))
    rules = dict(rule.strip().split(' ', 1) for rule in policy.split(';'))
    assert set(rules) == {'default-src', 'img-src', 'style-src', 'script-src', 'base-uri', 'form-action'}
    assert rules['default-src'] == "'none'" and rules['img-src'] == 'data:'

    def hashes(texts):
        return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in texts]

    assert rules['script-src'].split() == hashes(page.texts('script')[1:])
    assert rules['style-src'].split() == hashes(page.texts('style'))
    assert 'innerHTML' not in page.texts('script')[2] and 'eval(' not in text and len(text) < 2.5e6


def test_crowds_are_simplified(crowd, monkeypatch):
    monkeypatch.setattr(html_page, 'MOST_TRIANGLES', 2000 * len(crowd.before.ids))
    monkeypatch.setattr(html_page, 'MOST_MOVING_TRIANGLES', 1000 * len(crowd.before.ids))
    page = html_page.describe(crowd)
    triangles, meshes = decoded(page)
    coarse = np.frombuffer(base64.b64decode(page['coarse']), '<u4').reshape(-1, 3)
    assert len(coarse) < 1003 and coarse.min() == triangles.max() + 1 and coarse.max() == meshes[0].shape[1] - 1
    assert len(triangles) == 2000 and page['share'] == pytest.approx(2000 / len(crowd.faces))
    for people, placement in zip(meshes, (crowd.before, crowd.after)):
        for mesh, whole in zip(people, placement.vertices, strict=True):
            near = cKDTree(whole)  # a corner is 2 cm from the next
            assert all(near.query(mesh[np.unique(faces)])[0].mean() < .008 for faces in (triangles, coarse))
            assert all(near.query(mesh[faces].mean(1))[0].max() < .05 for faces in (triangles, coarse))


def test_colours_photo_and_camera(boxes, faces):
    photo = np.full((2160, 240, 3), (200, 30, 90), np.uint8)
    page = html_page.describe(Scene('a', photo, faces, boxes([(0, .5, 4), (1, .5, 8)], ids=[3, 1]),
                                    boxes([(0, .5, 6)], ids=[3])))
    before, after = ([person['colours'] for person in placement['people']] for placement in page['placements'])
    violet, yellow, middle = '#440154', '#fde725', page['depth_scale'][4]  # viridis: near is light
    assert page['depths'] == [4, 8] and page['depth_scale'][0] == yellow and page['depth_scale'][-1] == violet
    assert [person['depth'] for person in before + after] == [yellow, violet, middle]
    assert [person['person'] for person in before + after] == [
        '#{:02x}{:02x}{:02x}'.format(*person_colors([number])[0]) for number in (3, 1, 3)]
    jpeg = cv2.imdecode(np.frombuffer(base64.b64decode(page['image']['jpeg'].split(',')[1]), np.uint8), 1)
    assert (page['image']['width'], page['image']['height'], jpeg.shape) == (240, 2160, (1080, 120, 3))
    np.testing.assert_allclose(jpeg[..., ::-1].mean((0, 1)), (200, 30, 90), atol=3)
    assert page['placements'][0]['intrinsics'] == [[100, 0, 120], [0, 100, 100], [0, 0, 1]]
    # Who stands 1 m below a level camera and 6 m away is at y = 0 and z = -6 of the world.
    np.testing.assert_allclose(np.array(page['camera_to_world']) @ [.5, 1, 6, 1], [.5, 0, -6, 1], atol=.3)


def test_nobody(boxes, faces, tmp_path):
    photo = np.full((200, 240, 3), 90, np.uint8)
    path, = save_scene(Scene('empty.jpg', photo, faces, boxes([])), tmp_path, 'deep/empty', ['html'])
    page = Page(path.read_text()).json
    assert page['placements'][0]['people'] == [] and page['depths'] is None and path.name == 'empty.html'
    assert Page(html_page.html_page(Scene('\udcff.jpg', photo, faces, boxes([(0, 0, 4)])))).json['depths'] == [4, 4]


def test_a_camera_that_is_not_known(boxes, faces):
    photo = np.full((200, 240, 3), 90, np.uint8)
    unknown = boxes([(0, 0, 4)])._replace(intrinsics=None)
    placement, = html_page.describe(Scene('a', photo, faces, unknown))['placements']
    assert placement['intrinsics'] is None and placement['focal'] is None and placement['people'][0]['distance'] == 4


def test_the_vendored_library_is_the_one_described():
    said = re.search(r'SHA-256 of `three.min.js`: `(\w+)`', (html_page.DATA / 'README.md').read_text()).group(1)
    library = (html_page.DATA / 'three.min.js').read_bytes()
    assert hashlib.sha256(library).hexdigest() == said
    assert (html_page.DATA / 'three.LICENSE').read_bytes().strip() in library


@pytest.mark.slow
@NEEDS_BROWSER
def test_in_a_browser(crowd, written, tmp_path):
    path, after, before = written
    with chromium_page() as browser:
        browser.goto(path.as_uri())
        settle(browser)
        assert browser.evaluate('document.title') == f'{EVIL}: people in metres'
        assert browser.evaluate('world.placements.map(({ group }) => group.visible)') == [False, True]
        # A click on somebody, seen from the camera, shows that person's numbers. The nearest one hides nobody's middle.
        browser.click('[data-view=camera]')
        settle(browser)
        row = int(crowd.after.depths.argmin())
        number = int(crowd.after.ids[row])
        browser.mouse.click(*browser.evaluate(f"""(() => {{
            const mesh = world.placements[1].meshes[{row}];
            const place = world.boxOf(mesh).getCenter(world.eye.position.clone()).project(world.eye);
            const {{ clientWidth, clientHeight }} = world.view;
            return [(place.x + 1) / 2 * clientWidth, (1 - place.y) / 2 * clientHeight];
        }})()"""))
        shown = details(browser)
        said = after['people'][row]
        assert browser.evaluate("document.querySelector('#details h2').textContent") == f'Person {number}'
        was, now = people_rows(crowd.before)[number], people_rows(crowd.after)[row]
        assert shown['Height'] == f'{now.height_text}{was.height_text} before' and '±' in now.height_text
        assert shown['Distance'] == f'{now.distance_text}{was.distance_text} before' and '±' in now.distance_text
        assert f'{said["ages"]:.0f} years' in shown['Age class']
        assert shown['Translation'].startswith('  '.join(f'{value:.2f}' for value in said['transl']))
        browser.screenshot(path=tmp_path / 'camera.png')
        # The same person before, coloured by depth.
        browser.click('[data-placement="0"]')
        browser.click('[data-colour=depth]')
        assert browser.evaluate('world.placements.map(({ group }) => group.visible)') == [True, False]
        assert details(browser)['Distance'].startswith(f'{crowd.before.depths[number]:.1f} m')
        assert details(browser)['Uncertainty'] == 'not stated'
        rows = browser.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.innerText.split(/\\s+/))")
        assert {int(row[0]) for row in rows} == set(range(len(before['people'])))
        browser.click('[data-view=overview]')
        browser.mouse.move(500, 300)
        browser.mouse.down()
        browser.mouse.move(560, 310, steps=3)
        browser.mouse.up()
        settle(browser)
        browser.screenshot(path=tmp_path / 'overview.png')
        assert not browser.complaints and browser.requested == [path.as_uri()]
    assert all(np.ptp(read_image(tmp_path / f'{name}.png')) > 200 for name in ('camera', 'overview'))


#: Turns the scene for some seconds and gives what became of each frame: time (ms), decimated or not, share of pixels.
TURN = """(async () => {
    const frames = [];
    const end = performance.now() + 4000;
    while (performance.now() < end) {
        await new Promise(requestAnimationFrame);
        world.eye.position.applyAxisAngle(world.eye.up, .01);
        world.controls.update();
        frames.push([performance.now(), world.faces === COARSE, world.ratio]);
    }
    return frames;
})()"""


def frames_per_second(frames):
    """Rate of the last two seconds."""
    last = frames[-1][0]
    return sum(time > last - 2000 for time, *_ in frames) / 2


@pytest.mark.slow
@NEEDS_BROWSER
def test_fifty_people_turn_smoothly_or_of_fewer_triangles(crowd, body_model, tmp_path):
    """In software rendering; the rate of a page with one person says what the machine has left."""
    first, sample = crowd.before.sample.new(), crowd.before.sample.new()
    first.pred_instances = crowd.before.sample.pred_instances[:1]
    rows = torch.arange(50)
    sample.pred_instances = crowd.before.sample.pred_instances[rows % len(crowd.before.ids)]
    sample.pred_instances.transl = torch.stack(
        [1.2 * (rows % 10 - 4.5), torch.ones(50), 6 + 1.8 * (rows // 10)], -1)
    pages = [save_scene(Scene(title, crowd.image, crowd.faces, Placement.from_sample(one, body_model)),
                        tmp_path, title, ['html'])[0]
             for title, one in (('one', first), ('fifty', sample))]
    rates, seen = [], []
    with chromium_page() as browser:
        for path in pages:
            browser.goto(path.as_uri())
            settle(browser)
            seen.append(browser.evaluate(TURN))
            rates.append(frames_per_second(seen[-1]))
        browser.evaluate('new Promise((done) => setTimeout(done, 400))')
        settle(browser)
        browser.screenshot(path=tmp_path / 'fifty.png')
        still = browser.evaluate('world.placements[0].meshes[0].geometry.index === FACES && '
                                 'world.renderer.getPixelRatio() === world.sharp')
        triangles = browser.evaluate('[FACES.count / 3, COARSE.count / 3]')
    print('frames a second with one person, with fifty, then decimated?, share of pixels:', *rates, *seen[1][-1][1:])
    assert 400 <= triangles[1] < 600 < triangles[0] <= 3000
    assert rates[1] >= 30 or seen[1][-1][1]
    assert still and np.ptp(read_image(tmp_path / 'fifty.png')) > 200


def details(browser):
    return browser.evaluate("Object.fromEntries([...document.querySelectorAll('#details dd')]"
                            '.map((cell) => [cell.dataset.field, cell.textContent]))')
