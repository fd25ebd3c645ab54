import numpy as np
import pytest
import torch
from glb_files import read_glb, world_vertices

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_file import read_people
from mmhuman_dto.visualization import Placement, Scene
from mmhuman_dto.visualization.writers import WRITERS, save_scene

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
    paths = save_scene(scene, tmp_path, 'deep/a', WRITERS)
    written = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert written == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*') if path.is_file()}
    assert written >= {'overlay/deep/a.jpg', 'side/deep/a.png', 'birdseye/deep/a.png', 'params/deep/a.json',
                       'params/deep/a_before.npz', 'glb/deep/a.glb', 'glb/deep/a_before.glb', 'obj/deep/a.obj'}
    assert read_image(tmp_path / 'overlay/deep/a.jpg').shape == (200, 480, 3)


def test_without_dto_there_is_one_version(scene, tmp_path):
    paths = save_scene(scene._replace(after=None), tmp_path, 'a', WRITERS)
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
    assert len(paths) == 8 and all(path.stat().st_size for path in paths)
    assert len(read_people(tmp_path / 'params/b.json').pred_instances) == 0


def test_large_photos_are_drawn_smaller_and_unknown_kinds_refused(scene, tmp_path):
    large = np.full((3000, 600, 3), 90, np.uint8)
    wide = scene._replace(image=large, after=None)
    save_scene(wide, tmp_path, 'a', ['overlay'])
    assert read_image(tmp_path / 'overlay/a.jpg').shape == (1600, 320, 3)
    with pytest.raises(ValueError, match='cannot save hologram; known: overlay'):
        save_scene(scene, tmp_path, 'a', ['overlay', 'hologram'])
    with pytest.raises(ValueError, match='a.jpg: made from meshes'):
        save_scene(scene._replace(after=scene.after._replace(sample=None)), tmp_path, 'a', ['params'])


def test_writers_can_be_added(scene, tmp_path, monkeypatch):
    def write_title(scene, path):
        path.parent.mkdir(parents=True)
        path.write_text(scene.title)
        return [path]

    monkeypatch.setitem(WRITERS, 'title', write_title)
    path, = save_scene(scene, tmp_path, 'a', ['title'])
    assert path.read_text() == 'a.jpg' and path == tmp_path / 'title/a'
