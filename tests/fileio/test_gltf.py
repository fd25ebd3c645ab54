"""The rules of the glTF 2.0 specification, checked on files as they lie on the disk."""
import numpy as np
import pytest
from glb_files import matrix_of, node_named, read_glb, world_matrices, world_vertices
from rigged_people import rigged
from smplx.joint_names import JOINT_NAMES
from smplx_files import write_smplx

from mmhuman_dto.body_models import SMPL, SMPLX, OpenBody
from mmhuman_dto.fileio.gltf import Body, strongest_bones, write_glb
from mmhuman_dto.fileio.obj import write_obj
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

# A tetrahedron, counterclockwise from outside in a right-handed frame.
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32) * .5
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
INTRINSICS = np.array([[800., 0, 320], [0, 800, 240], [0, 0, 1]])
SIZE = 480, 640


def body(name, shift):
    vertices = CORNERS + np.float32(shift)
    return Body(name, vertices, np.tile(np.float32([0, 0, 1]), (4, 1)), (255, 128, 0), dict(height_m=1.7))


def positions(document, arrays, node):
    primitive, = document['meshes'][node['mesh']]['primitives']
    return arrays[primitive['attributes']['POSITION']]


def test_structure_follows_the_specification(tmp_path):
    write_glb(tmp_path / 'a.glb', [body('a', (0, 0, 3)), body('b', (1, 0, 4))], FACES, INTRINSICS, SIZE,
              extras=dict(units='metres'))
    document, arrays = read_glb(tmp_path / 'a.glb')
    assert document['asset']['version'] == '2.0' and document['asset']['extras'] == dict(units='metres')
    root, *others = document['nodes']
    assert document['scenes'][document['scene']]['nodes'] == [0] and root['children'] == [1, 2, 3]
    assert [node['name'] for node in others] == ['a', 'b', 'camera']
    for mesh in document['meshes']:
        primitive, = mesh['primitives']
        vertices, normals, indices = (arrays[i] for i in (
            primitive['attributes']['POSITION'], primitive['attributes']['NORMAL'], primitive['indices']))
        assert len(vertices) == len(normals) and indices.max() < len(vertices) and len(indices) % 3 == 0
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
        assert primitive['material'] < len(document['materials'])
    targets = [view['target'] for view in document['bufferViews']]
    assert targets.count(34963) == 1 and targets.count(34962) == 4


def test_the_camera_sees_what_the_photo_shows(tmp_path):
    thing = body('a', (.4, -.3, 3))
    write_glb(tmp_path / 'a.glb', [thing], FACES, INTRINSICS, SIZE)
    document, arrays = read_glb(tmp_path / 'a.glb')
    perspective = document['cameras'][0]['perspective']
    assert document['cameras'][0]['type'] == 'perspective' and perspective['yfov'] < np.pi
    assert perspective['znear'] > 0 and perspective['aspectRatio'] == pytest.approx(640 / 480)
    x, y, z = positions(document, arrays, document['nodes'][1]).T  # glTF cameras look along -z, y up
    assert (z < 0).all()
    reach = np.tan(perspective['yfov'] / 2)
    clip = np.stack([x / -z / (reach * perspective['aspectRatio']), y / -z / reach], -1)
    pixels = (clip * [1, -1] + 1) / 2 * [640, 480]
    projected = thing.vertices @ INTRINSICS.T
    np.testing.assert_allclose(pixels, projected[:, :2] / projected[:, 2:], atol=1e-3)


def test_faces_keep_their_outer_side(tmp_path):
    write_glb(tmp_path / 'a.glb', [body('a', (0, 0, 3))], FACES, INTRINSICS, SIZE)
    _, arrays = read_glb(tmp_path / 'a.glb')
    indices, vertices = arrays[0].reshape(-1, 3), arrays[1]
    a, b, c = np.moveaxis(vertices[indices], 1, 0)
    assert np.einsum('ij,ij->', a, np.cross(b, c)) / 6 == pytest.approx(.5**3 / 6, rel=1e-4)


def test_the_ground_becomes_the_plane_y_0(tmp_path):
    pitch = np.radians(25)  # the camera looks down: its level frame is turned about x
    cos, sin = np.cos(pitch), np.sin(pitch)
    rotation = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    level = np.array([[0, 2, 4], [1, 2, 6], [-2, 2, 3], [0, .3, 4]])  # x right, y down, z away, from the camera
    thing = body('a', (0, 0, 0))._replace(vertices=(level @ rotation).astype(np.float32))
    write_glb(tmp_path / 'a.glb', [thing], FACES, INTRINSICS, SIZE, ground=(rotation, 2.))
    document, arrays = read_glb(tmp_path / 'a.glb')
    world = positions(document, arrays, document['nodes'][1]) @ matrix_of(document['nodes'][0])[:3, :3].T
    world = world + matrix_of(document['nodes'][0])[:3, 3]
    np.testing.assert_allclose(world, level * [1, -1, -1] + [0, 2, 0], atol=1e-5)
    assert 'rotation' not in document['nodes'][2] and document['nodes'][2]['camera'] == 0


def test_nobody_leaves_a_scene_with_a_camera(tmp_path):
    write_glb(tmp_path / 'a.glb', [], FACES, INTRINSICS, SIZE)
    document, arrays = read_glb(tmp_path / 'a.glb')
    assert arrays == [] and 'meshes' not in document
    assert document['nodes'][document['nodes'][0]['children'][0]]['camera'] == 0


def test_obj_numbers_vertices_through_all_objects(tmp_path):
    write_obj(tmp_path / 'a.obj', [body('a', (0, 0, 3)), body('b', (1, 2, 4))], FACES, ['metres'])
    lines = (tmp_path / 'a.obj').read_text().splitlines()
    assert lines[0] == '# metres' and [line for line in lines if line.startswith('o ')] == ['o a', 'o b']
    vertices = np.array([line.split()[1:] for line in lines if line.startswith('v ')], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith('f ')], int)
    np.testing.assert_allclose(vertices[4:], (CORNERS + [1, 2, 4]) * [1, -1, -1], atol=1e-5)
    assert faces.min() == 1 and faces.max() == 8 and np.array_equal(faces[4:] - 5, FACES)


@pytest.mark.parametrize('kind', ['OpenBody', 'SMPL'])
def test_skins_give_the_vertices_of_the_body_model(kind, tmp_path):
    """SMPL's with the correctives of the pose, which are a morph target."""
    body_model = OpenBody() if kind == 'OpenBody' else SMPL(write_synthetic_smpl(tmp_path))
    bodies, vertices, joints = rigged(body_model)
    cos, sin = np.cos(.3), np.sin(.3)
    rotation = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    write_glb(tmp_path / 'a.glb', bodies, body_model.faces.numpy(), INTRINSICS, SIZE, ground=(rotation, 2.))
    document, arrays = read_glb(tmp_path / 'a.glb')
    matrices = world_matrices(document)
    assert len(document['skins']) == 2
    for body, mesh, bones, skin in zip(bodies, vertices, joints, document['skins']):
        np.testing.assert_allclose(world_vertices(document, arrays, body.name),
                                   mesh @ rotation.T * [1, -1, -1] + [0, 2, 0], atol=2e-5)
        places = np.stack([matrices[bone][:3, 3] for bone in skin['joints']])
        np.testing.assert_allclose(places, bones @ rotation.T * [1, -1, -1] + [0, 2, 0], atol=2e-5)
        assert [document['nodes'][bone]['name'] for bone in skin['joints']] == list(body_model.joint_names[:24])
        assert document['nodes'][skin['skeleton']]['name'] == f'{body.name}_skeleton'
        assert node_named(document, body.name)['extras'] == body.extras
        # At rest the mesh stands upright and is as tall as this person.
        primitive, = document['meshes'][node_named(document, body.name)['mesh']]['primitives']
        rest = arrays[primitive['attributes']['POSITION']]
        assert np.ptp(rest[:, 1]) == pytest.approx(body.extras['height_m'], abs=1e-5)
    # Who moves which vertex is written once for all.
    assert len({mesh['primitives'][0]['attributes']['JOINTS_0'] for mesh in document['meshes']}) == 1
    assert [len(mesh['primitives'][0].get('targets', ())) for mesh in document['meshes']] == [kind == 'SMPL'] * 2


def test_skinned_meshes_are_roots_and_bones_stand_below_camera_space(tmp_path):
    """A skinned mesh is where its bones are: what its own node is below of does not count."""
    bodies, *_ = rigged(OpenBody())
    write_glb(tmp_path / 'a.glb', [*bodies, body('person_2', (0, 0, 3))], FACES, INTRINSICS, SIZE)
    document, _ = read_glb(tmp_path / 'a.glb')
    names = [document['nodes'][index]['name'] for index in document['scenes'][0]['nodes']]
    assert names == ['camera_space', 'person_0', 'person_1']
    below = [document['nodes'][index]['name'] for index in document['nodes'][0]['children']]
    assert below == ['person_0_skeleton', 'person_1_skeleton', 'person_2', 'camera']
    assert not {'rotation', 'translation'} & set(node_named(document, 'person_0'))


def test_more_than_four_bones_fill_a_second_set(tmp_path):
    bodies, vertices, _ = rigged(OpenBody(), 1)
    rng = np.random.default_rng(0)
    weights = np.zeros((len(vertices[0]), 24))
    np.put_along_axis(weights, rng.random(weights.shape).argsort(1)[:, :6], rng.random((len(weights), 6)) + .1, 1)
    weights /= weights.sum(1, keepdims=True)
    skin = bodies[0].skin._replace(weights=weights)
    write_glb(tmp_path / 'a.glb', [bodies[0]._replace(skin=skin)], FACES, INTRINSICS, SIZE)
    document, arrays = read_glb(tmp_path / 'a.glb')
    attributes = document['meshes'][0]['primitives'][0]['attributes']
    assert set(attributes) == {'POSITION', 'NORMAL', 'JOINTS_0', 'WEIGHTS_0', 'JOINTS_1', 'WEIGHTS_1'}
    turned, joints = skin.skeleton.world()
    points = np.einsum('kij,vkj->vki', turned[0], skin.vertices[:, None] - skin.skeleton.rest) + joints[0]
    np.testing.assert_allclose(world_vertices(document, arrays, 'person_0'),
                               np.einsum('vk,vki->vi', weights, points) * [1, -1, -1], atol=2e-5)


def test_the_strongest_bones_are_kept():
    bones, shares = strongest_bones(np.array([[.1, .2, .3, .25, .15], [0, 0, 0, 0, 1]]), 4)
    assert bones.tolist() == [[2, 3, 1, 4], [4, 0, 0, 0]]
    np.testing.assert_allclose(shares, [[.3 / .9, .25 / .9, .2 / .9, .15 / .9], [1, 0, 0, 0]])
    bones, shares = strongest_bones(np.array([[.1, .2, .3, .25, .15]]), 8)
    assert bones.tolist() == [[2, 3, 1, 4, 0, 0, 0, 0]] and shares.tolist() == [[.3, .25, .2, .15, .1, 0, 0, 0]]


def test_smplx_has_all_its_bones(tmp_path):
    body_model = SMPLX(write_smplx(tmp_path))
    bodies, vertices, _ = rigged(body_model, 1)
    write_glb(tmp_path / 'a.glb', bodies, body_model.faces.numpy(), INTRINSICS, SIZE)
    document, _ = read_glb(tmp_path / 'a.glb')
    names = [document['nodes'][bone]['name'] for bone in document['skins'][0]['joints']]
    assert len(names) == 55 and names == JOINT_NAMES[:55]
