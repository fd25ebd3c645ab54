import sys

import numpy as np
import pytest
import torch
from bvh_files import read_bvh
from glb_files import read_glb, world_vertices
from smplx_files import write_smplx

from mmhuman_dto.body_models import SMPLA, SMPLX, OpenBody
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_file import read_people
from mmhuman_dto.visualization import Placement, Scene
from mmhuman_dto.visualization.writers import WRITERS, KindError, save_scene

#: Kinds that need people of a body model, and those that meshes alone do for.
OF_BODIES = ['bvh', 'bvh_m', 'amass', 'trc']
OF_MESHES = [kind for kind in WRITERS if kind not in OF_BODIES]
PHOTO = np.full((200, 240, 3), 90, np.uint8)


def with_sample(placement):
    count = len(placement.ids)
    people = People(num_people=count, transl=torch.zeros(count, 3), heights=torch.as_tensor(placement.heights).float())
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(200, 240)), pred_instances=people,
                             pred_camera=Camera(intrinsics=torch.as_tensor(placement.intrinsics)))
    return placement._replace(sample=sample)


@pytest.fixture
def scene(boxes, faces):
    before, after = (with_sample(boxes([(-.5, .6, z), (.6, .6, 5)], half=(.2, .9, .2))) for z in (6, 4))
    return Scene('a.jpg', PHOTO, faces, before, after)


@pytest.fixture
def posed():
    """Two people of a body model: a scene as it comes of a sample."""
    body_model, generator = OpenBody(), torch.Generator().manual_seed(1)
    pose = torch.randn(2, 24, 3, generator=generator) * .2
    pose[:, 0] += torch.tensor([np.pi, 0, 0])  # upright in the camera's frame, seen from the front
    betas = torch.zeros(2, body_model.num_betas)
    betas[:, 0], betas[1, -1] = torch.tensor([1., -1]), .5
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas,
                    transl=torch.tensor([[-.5, .3, 4], [.6, .2, 5]]), person_index=torch.tensor([0, 2]))
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(200, 240)), pred_instances=people,
                             pred_camera=Camera(intrinsics=torch.tensor([[200., 0, 120], [0, 200, 100], [0, 0, 1]])))
    return Scene('a.jpg', PHOTO, body_model.faces.numpy(), Placement.from_sample(sample, body_model))


def test_every_kind_before_and_after(scene, tmp_path):
    paths = save_scene(scene, tmp_path, 'deep/a', OF_MESHES)
    written = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert written == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*') if path.is_file()}
    assert written >= {'overlay/deep/a.jpg', 'side/deep/a.png', 'birdseye/deep/a.png', 'params/deep/a.json',
                       'params/deep/a_before.npz', 'glb/deep/a.glb', 'glb/deep/a_before.glb', 'obj/deep/a.obj'}
    assert read_image(tmp_path / 'overlay/deep/a.jpg').shape == (200, 480, 3)


def test_without_dto_there_is_one_version(scene, tmp_path):
    paths = save_scene(scene._replace(after=None), tmp_path, 'a', OF_MESHES)
    assert not [path for path in paths if 'before' in path.name]
    assert read_image(tmp_path / 'overlay/a.jpg').shape == (200, 240, 3)


def test_meshes_say_where_everything_is(scene, tmp_path):
    save_scene(scene, tmp_path, 'a', ['glb', 'obj', 'params'])
    document = read_glb(tmp_path / 'glb/a.glb')[0]
    people = {node['name']: node['extras'] for node in document['nodes'] if 'mesh' in node}
    assert people == dict(person_0=dict(height_m=1.7, distance_m=4.), person_1=dict(height_m=1.7, distance_m=5.))
    about = document['asset']['extras']
    assert about['units'] == 'metres' and about['focal_px'] == [100, 100] and 'y up' in about['coordinates']
    before = read_glb(tmp_path / 'glb/a_before.glb')[0]
    assert before['nodes'][1]['extras']['distance_m'] == 6
    # Both stand on the ground, 1.5 m below the camera.
    assert document['nodes'][0]['translation'][1] == pytest.approx(1.5, abs=.02)
    text = (tmp_path / 'obj/a.obj').read_text()
    assert 'metres' in text and 'focal length 100.00 100.00 px' in text and 'image 240 x 200 px' in text
    np.testing.assert_allclose(read_people(tmp_path / 'params/a.npz').pred_instances.heights, 1.7, atol=1e-6)


def test_people_of_a_body_model_have_bones_and_stand_where_they_stood(posed, tmp_path):
    save_scene(posed, tmp_path, 'a', ['glb'])
    document, arrays = read_glb(tmp_path / 'glb/a.glb')
    assert [skin['name'] for skin in document['skins']] == ['person_0', 'person_2']
    level = posed.ground.level(posed.before.vertices.astype(float)) * [1, -1, -1]
    for name, vertices in zip(('person_0', 'person_2'), level):
        np.testing.assert_allclose(world_vertices(document, arrays, name), vertices, atol=2e-5)
    assert abs(level[..., 1].min()) < .1


def test_bones_and_joints_are_a_file_a_person(posed, tmp_path):
    scene = posed._replace(after=posed.before)
    paths = save_scene(scene, tmp_path, 'deep/a', [*OF_BODIES, 'ply'])
    files, suffixes = {path.relative_to(tmp_path).as_posix() for path in paths}, dict(amass='npz', bvh_m='bvh')
    assert files == {f'{kind}/deep/a{version}/person_{number}.{suffixes.get(kind, kind)}' for number in (0, 2)
                     for kind in (*OF_BODIES, 'ply') for version in ('', '_before')}
    assert files == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*') if path.is_file()}


def test_all_kinds_put_people_where_the_glb_does(posed, tmp_path):
    """x right, y up from the ground, z towards the viewer; AMASS z up."""
    save_scene(posed, tmp_path, 'a', ['bvh', 'bvh_m', 'trc', 'amass', 'ply', 'glb'])
    placement, body_model = posed.before, posed.before.body_model
    joints = body_model(*(torch.as_tensor(values).float() for values in (
        placement.people.pose, placement.people.betas, placement.people.transl))).joints.double().numpy()
    joints = posed.ground.level(joints) * [1, -1, -1]
    document, arrays = read_glb(tmp_path / 'glb/a.glb')
    for number, truth in zip((0, 2), joints):
        for kind, scale in (('bvh', 100), ('bvh_m', 1)):
            lines = (tmp_path / kind / f'a/person_{number}.bvh').read_text().split('MOTION\n')[1].splitlines()
            assert lines[:2] == ['Frames: 1', 'Frame Time: 0.03333333']
            np.testing.assert_allclose(np.array(lines[2].split()[:3], float), truth[0] * scale, atol=2e-5 * scale)
        lines = (tmp_path / f'trc/a/person_{number}.trc').read_text().splitlines()
        assert lines[3].split('\t')[2::3] == list(body_model.joint_names)
        np.testing.assert_allclose(np.array(lines[6].split('\t')[2:], float).reshape(-1, 3), truth, atol=2e-5)
        file = np.load(tmp_path / f'amass/a/person_{number}.npz')
        posed_again = body_model(
            torch.from_numpy(np.concatenate([file['poses'][:, :66], np.zeros((1, 6))], 1)),
            torch.from_numpy(file['body_betas'])[None], torch.from_numpy(file['trans'])).joints[0, :22].numpy()
        np.testing.assert_allclose(posed_again, truth[:22, [0, 2, 1]] * [1, -1, 1], atol=2e-5)
        assert not file['betas'].any() and str(file['body_model']) == 'OpenBody'
        mesh = (tmp_path / f'ply/a/person_{number}.ply').read_bytes().split(b'\nend_header\n', 1)[1]
        points = np.frombuffer(mesh, [('place', '<f4', 3), ('normal', '<f4', 3), ('color', 'u1', 3)], 6900)
        np.testing.assert_allclose(points['place'], world_vertices(document, arrays, f'person_{number}'), atol=2e-5)
        assert face_outwards(points['place'], points['normal'], posed.faces)
    for mesh in document['meshes']:
        attributes = mesh['primitives'][0]['attributes']
        assert face_outwards(arrays[attributes['POSITION']], arrays[attributes['NORMAL']], posed.faces)


def face_outwards(vertices, normals, faces):
    """Whether normals (V, 3) of almost all vertices are those of the triangles around them."""
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return np.median(np.einsum('fci,fi->fc', normals[faces], across)) > .95


def test_meshes_with_known_joints_and_rotations_have_bones(posed, tmp_path):
    """As results of other programs have them, placed larger than they were: bones grew with the mesh."""
    given, body_model, rows = posed.before.people, posed.before.body_model, slice(0, 24)
    output, pelvis = body_model(given.pose, given.betas, given.transl), torch.tensor([[0, 0, 4.], [1, 0, 6]])
    vertices, joints = ((points - output.joints[:, :1]) * 1.2 + pelvis[:, None] for points in output)
    people = People(vertices=vertices, smpl_joints=joints[:, rows], pelvis=pelvis, heights=torch.full((2, ), 1.8),
                    global_orient=given.global_orient, body_pose=given.body_pose, betas=given.betas)
    sample = HumanDataSample(pred_instances=people, pred_camera=posed.before.sample.pred_camera)
    scene = Scene('a.jpg', PHOTO, posed.faces, Placement.from_sample(sample, MeshBodies(posed.faces)))
    save_scene(scene, tmp_path, 'a', ['bvh_m', 'trc', 'glb'])
    truth = scene.ground.level(joints.double().numpy()) * [1, -1, -1]
    for number in (0, 1):
        places, bones, *_ = read_bvh(tmp_path / f'bvh_m/a/person_{number}.bvh')
        for row, name in enumerate(body_model.joint_names[rows]):
            np.testing.assert_allclose(places[name][0], truth[number, row], atol=2e-5)
        offsets = {name: offset for name, _, offset, _ in bones}
        at_rest = body_model.skeleton(torch.zeros(24, 3), given.betas[number]).numpy()
        np.testing.assert_allclose(offsets['left_knee'], 1.2 * (at_rest[4] - at_rest[1]), atol=2e-5)
        lines = (tmp_path / f'trc/a/person_{number}.trc').read_text().splitlines()
        markers = np.array(lines[6].split('\t')[2:], float).reshape(-1, 3)
        np.testing.assert_allclose(markers, truth[number, rows], atol=2e-5)
    assert 'skins' not in read_glb(tmp_path / 'glb/a.glb')[0]
    scene.before.people.smpl_joints[0, 22] = np.nan
    with pytest.raises(KindError, match='no bvh of a.jpg: it needs joints and rotations of its people'):
        save_scene(scene, tmp_path, 'b', ['bvh', 'trc'])
    assert (tmp_path / 'trc/b/person_0.trc').read_text().splitlines()[3].count('hand') == 1


def test_shapes_as_amass_has_them(tmp_path):
    """SMPL's are its own, without the blend to a child; SMPL-X's also without the expression."""
    smpl, smplx = write_synthetic_smpl(tmp_path / 'smpl'), write_smplx(tmp_path / 'smplx')
    child = smplx / 'smplx/smplx_kid_template.npy'
    whole = SMPLX(smplx, whole_body=True, kid_template_path=child)
    for body_model, expression in ((SMPLA(smpl, 'female'), 0), (whole, 10)):
        bones, count = body_model.num_body_joints, body_model.num_betas
        people = People(global_orient=torch.zeros(1, 3), body_pose=torch.zeros(1, bones, 3),
                        betas=torch.arange(1., count + 1)[None] / 10, transl=torch.tensor([[0, 0, 4.]]))
        sample = HumanDataSample(pred_instances=people, pred_camera=Camera(intrinsics=torch.eye(3)))
        placement = Placement.from_sample(sample, body_model)
        save_scene(Scene('a.jpg', PHOTO, body_model.faces.numpy(), placement), tmp_path, 'a', ['amass'])
        file = np.load(tmp_path / 'amass/a/person_0.npz')
        np.testing.assert_allclose(file['betas'], [*people.betas[0, :10], *np.zeros(6)], atol=1e-6)
        np.testing.assert_allclose(file['child_blend'], count / 10, atol=1e-6)
        assert 'body_betas' not in file and str(file['gender']) == body_model.gender
        if expression:
            np.testing.assert_allclose(file['expression'], people.betas[0, 10:20], atol=1e-6)
        else:
            assert body_model.gender == 'female' and 'expression' not in file


def test_meshes_say_how_sure_their_numbers_are(boxes, faces, tmp_path):
    people = boxes([(0, .6, 4), (1, .6, 5)])._replace(notes=('focal length guessed', ), people=People(
        heights_std=torch.tensor([.05, np.nan]), depths_std=torch.tensor([.25, np.nan]), scores=torch.tensor([.5, .75]),
        keypoint_scores=torch.tensor([[.2, .1], [.3, .3]]), drop_reasons=torch.tensor([0, 6])))
    save_scene(Scene('a.jpg', PHOTO, faces, people), tmp_path, 'a', ['glb', 'obj'])
    document = read_glb(tmp_path / 'glb/a.glb')[0]
    first, second = (node['extras'] for node in document['nodes'] if 'mesh' in node)
    assert first == dict(height_m=1.7, height_std_m=.05, distance_m=4., distance_std_m=.25, score=.5,
                         joints_seen='1 of 2')
    assert second == dict(height_m=1.7, distance_m=5., score=.75, joints_seen='2 of 2',
                          note='not placed: depth does not follow the mesh')
    colors = [np.ptp(material['pbrMetallicRoughness']['baseColorFactor'][:3]) for material in document['materials']]
    assert colors[0] > .3 and colors[1] < .1
    assert document['asset']['extras']['notes'] == ['focal length guessed']
    assert '# focal length guessed' in (tmp_path / 'obj/a.obj').read_text()


def test_nobody(boxes, faces, tmp_path):
    paths = save_scene(Scene('b.jpg', PHOTO, faces, with_sample(boxes([]))), tmp_path, 'b', WRITERS)
    assert len(paths) == 9 and all(path.stat().st_size for path in paths)
    assert len(read_people(tmp_path / 'params/b.json').pred_instances) == 0


def test_large_photos_are_drawn_smaller_and_unknown_kinds_refused(scene, tmp_path):
    large = np.full((3000, 600, 3), 90, np.uint8)
    wide = scene._replace(image=large, after=None)
    save_scene(wide, tmp_path, 'a', ['overlay'])
    assert read_image(tmp_path / 'overlay/a.jpg').shape == (1600, 320, 3)
    with pytest.raises(ValueError, match='cannot save hologram; known: overlay'):
        save_scene(scene, tmp_path, 'a', ['overlay', 'hologram'])


def test_what_cannot_be_written_is_said_and_stops_nothing_else(scene, tmp_path, monkeypatch):
    """Meshes without a body model or parameters, and a package that is not there."""
    monkeypatch.setitem(sys.modules, 'pxr', None)
    bare = scene._replace(after=scene.after._replace(sample=None))
    with pytest.raises(KindError) as refused:
        save_scene(bare, tmp_path, 'a', [*OF_BODIES, 'usd', 'params', 'obj'])
    reasons = str(refused.value).split('; no ')
    assert reasons[:4] == [f'{kind} of a.jpg: it needs {what}, and these are only meshes' for kind, what in zip(
        ('no bvh', *OF_BODIES[1:]), (*['joints and rotations of its people'] * 2,
                                     'people by parameters of a body of SMPL\'s family', 'joints of its people'))]
    assert 'usd of a.jpg: pxr cannot be imported' in reasons[4] and 'pip install "mmhuman_dto[usd]"' in reasons[4]
    assert reasons[-1].startswith('params of a.jpg: made from meshes')
    assert {path.name for path in tmp_path.rglob('*') if path.is_file()} == {'a.obj', 'a_before.obj'}


def test_writers_can_be_added(scene, tmp_path, monkeypatch):
    def write_title(scene, path):
        path.parent.mkdir(parents=True)
        path.write_text(scene.title)
        return [path]

    monkeypatch.setitem(WRITERS, 'title', write_title)
    path, = save_scene(scene, tmp_path, 'a', ['title'])
    assert path.read_text() == 'a.jpg' and path == tmp_path / 'title/a'
