"""Animations by the rules of the glTF 2.0 specification, on files as they lie on the disk."""
import numpy as np
import pytest
import torch
from glb_files import at_time, bone_places, matrix_of, node_named, read_glb, world_vertices

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.fileio.gltf import Body, continuous
from mmhuman_dto.fileio.gltf_clip import MovingBody, MovingCamera, write_clip_glb
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix

INTRINSICS = np.array([[800., 0, 320], [0, 800, 240], [0, 0, 1]])
TIMES = np.array([0, .1, .25, .3])


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


@pytest.fixture
def turning(body_model):
    """Somebody whose root turns by 100 degrees from frame to frame, past half a turn, and whose elbow bends."""
    pose = torch.zeros(4, 24, 3)
    pose[:, 18, 0] = torch.linspace(0, 1.5, 4)
    pose[:, 0, 1] = torch.deg2rad(torch.tensor([0., 100, 200, 300]))
    skin = body_model.skin(pose, torch.zeros(body_model.num_betas), torch.rand(4, 3))
    normals = np.tile(np.float32([0, 0, 1]), (len(skin.vertices), 1))
    body = Body('person_3', skin.vertices, normals, (255, 128, 0), {}, skin, normals)
    return MovingBody(body, TIMES, skin.skeleton, [(0., np.inf)])


def still(**more):
    return MovingCamera(INTRINSICS, (480, 640), np.zeros(1), np.eye(4)[None], **more)


def written(tmp_path, body_model, people, camera):
    write_clip_glb(tmp_path / 'a.glb', people, body_model.faces.numpy(), camera, dict(units='metres'))
    return read_glb(tmp_path / 'a.glb')


def test_bones_are_where_they_are_at_every_time(turning, body_model, tmp_path):
    document, arrays = written(tmp_path, body_model, [turning], still())
    skeleton = turning.skeleton
    for time in (*TIMES, .05, .2, 1.):
        moved = at_time(document, arrays, time)
        now = skeleton.at(TIMES, [time])
        np.testing.assert_allclose(bone_places(moved, 'person_3'), now.world()[1][0], atol=2e-6)
        posed = turning.body.skin._replace(skeleton=now).posed()[0]
        np.testing.assert_allclose(world_vertices(moved, arrays, 'person_3'), posed, atol=5e-6)
    # Turned by 100 degrees each, so that halfway it is 50: 310 and not 130 between the last two.
    root = matrix_of(node_named(at_time(document, arrays, .275), 'pelvis'))[:3, :3]
    np.testing.assert_allclose(root @ [0, 0, 1], [np.sin(np.radians(250)), 0, np.cos(np.radians(250))], atol=1e-6)


def test_only_what_moves_has_samplers_and_they_share_their_times(turning, body_model, tmp_path):
    document, arrays = written(tmp_path, body_model, [turning], still())
    animation, = document['animations']
    names = {(document['nodes'][channel['target']['node']]['name'], channel['target']['path'])
             for channel in animation['channels']}
    assert names == {('pelvis', 'rotation'), ('pelvis', 'translation'), ('left_elbow', 'rotation')}
    inputs = {sampler['input'] for sampler in animation['samplers']}
    accessor = document['accessors'][inputs.pop()]
    assert not inputs and accessor['min'] == [0.] and accessor['max'] == pytest.approx([.3])


def test_who_is_away_has_no_size(turning, body_model, tmp_path):
    person = turning._replace(spans=[(.1, .2), (.3, np.inf)])
    document, arrays = written(tmp_path, body_model, [person], still())
    for time, shown in ((0, 0), (.05, 0), (.11, 1), (.19, 1), (.21, 0), (.29, 0), (.31, 1), (9, 1)):
        moved = at_time(document, arrays, time)
        assert node_named(moved, 'person_3_skeleton')['scale'] == [shown] * 3
        vertices = world_vertices(moved, arrays, 'person_3')
        assert np.ptp(vertices[:, 1]) > 1.5 if shown else not np.ptp(vertices)


def test_a_camera_moves_and_a_cut_jumps(turning, body_model, tmp_path):
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[0, :3, :3], poses[1, :3, :3] = np.diag([1, -1, -1]), axis_angle_to_matrix(
        torch.tensor([0, 1., 0], dtype=torch.float64)).numpy() @ np.diag([1, -1, -1])
    poses[1, :3, 3] = 1, 2, 3
    for cuts, share in ((False, .5), (True, 0)):
        camera = still(cuts=cuts)._replace(times=np.array([0, 1.]), poses=poses)
        document, arrays = written(tmp_path, body_model, [turning], camera)
        for time, done in ((0, 0), (.5, share), (1, 1)):
            matrix = matrix_of(node_named(at_time(document, arrays, time), 'camera'))
            np.testing.assert_allclose(matrix[:3, 3], done * np.array([1, 2, 3]), atol=1e-6)
            # glTF's cameras look along -z.
            np.testing.assert_allclose(-matrix[:3, 2], [-np.sin(done), 0, -np.cos(done)], atol=1e-6)


def test_nobody_and_stillness_are_files_without_an_animation(turning, body_model, tmp_path):
    document, _ = written(tmp_path, body_model, [], still())
    assert 'animations' not in document and node_named(document, 'camera')['camera'] == 0
    skeleton = turning.skeleton._replace(rotations=turning.skeleton.rotations[:1], root=turning.skeleton.root[:1])
    person = turning._replace(skeleton=skeleton, times=TIMES[:1])
    assert 'animations' not in written(tmp_path, body_model, [person], still())[0]


def test_signs_are_those_of_the_short_way():
    turns = np.array([[[0, 0, 0, 1.]], [[0, 0, 0, -1]], [[0, 0, .1, -.99]], [[0, 0, -.2, .97]]])
    assert continuous(turns)[:, 0, 3].tolist() == [1, 1, .99, .97]
    assert continuous(turns)[:, 0, 2].tolist() == [0, 0, -.1, -.2]
