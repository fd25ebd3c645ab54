"""Other programs' people are placed: where depth and heights put them, written back, drawn and told in numbers."""
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from bvh_files import read_bvh
from glb_files import read_glb, world_vertices

from mmhuman_dto.apis.placing import place
from mmhuman_dto.apis.placing.cameras import refocused
from mmhuman_dto.body_models import JOINT_SETS
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS, RESULTS
from mmhuman_dto.results import ImageResult, ResultReader, Results
from mmhuman_dto.structures import People
from mmhuman_dto.synthetic import CrowdConfig, InitialErrors, Renderer, sample_scene
from mmhuman_dto.synthetic.corruption import initial_meshes
from mmhuman_dto.visualization.writers import KindError

SEEDS, NAMES = range(3), JOINT_SETS['smpl24'].names


@pytest.fixture(scope='module')
def openbody():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def crowds(openbody, tmp_path_factory):
    """A folder with pictures, exact depth maps in m and, in the layout of the toy reader, children as far adults."""
    root, renderer, scenes = tmp_path_factory.mktemp('crowds'), Renderer(openbody), []
    for seed in SEEDS:
        scene = sample_scene(seed, openbody, CrowdConfig(people=(4, 5), size=(240, 320), child_share=.5))
        picture = renderer(scene)
        write_image(root / 'images' / f'{seed}.png', picture.image)
        (root / 'depth').mkdir(exist_ok=True)
        np.save(root / 'depth' / f'{seed}.npy', picture.depth.astype(np.float32))
        (root / 'masks').mkdir(exist_ok=True)
        write_image(root / 'masks' / f'{seed}.png', picture.id_map.astype(np.uint8))
        errors = InitialErrors(**{**vars(InitialErrors.none()), 'height_shrinkage': .8, 'child_shrinkage': 1.})
        scenes.append((scene, initial_meshes(scene, openbody, errors)))
    return root, scenes


@pytest.fixture
def toy(crowds, openbody, monkeypatch):
    """The kind 'toy' of results: meshes in memory; what is written back is kept in ``toy.written``."""
    _, scenes = crowds

    class Toy(ResultReader):
        kind, program = 'toy', 'Toy'
        written, focal_is_guess = None, False

        @classmethod
        def sniff(cls, path):
            return False

        def read(self):
            return Results([self.image(seed, *scene) for seed, scene in zip(SEEDS, scenes)], openbody.faces, 'OpenBody',
                           notes=('toys only',), focal_is_guess=self.focal_is_guess)

        def image(self, seed, scene, initial):
            pose, betas, transl = (torch.as_tensor(values).float()
                                   for values in (initial.pose, initial.betas, initial.transl))
            joints, count = openbody.skeleton(pose, betas, transl), len(pose)
            people = People(vertices=openbody(pose, betas, transl).vertices, pelvis=joints[:, 0], smpl_joints=joints,
                            heights=openbody.height(betas), heights_std=torch.zeros(count),
                            global_orient=pose[:, 0], body_pose=pose[:, 1:], track_ids=torch.arange(count) + 10)
            return ImageResult(f'{seed}', people, torch.as_tensor(initial.intrinsics), scene.size)

        def write(self, out, moves):
            type(self).written = moves
            return [out / 'toy']

    monkeypatch.setitem(RESULTS.module_dict, 'Toy', Toy)
    return Toy


def errors_of(placed, scenes):
    """Relative errors of the depths of all people."""
    pairs = [(scene.sample.pred_instances.pelvis[:, 2].numpy(), truth.joints[:, 0, 2])
             for scene, (truth, _) in zip(placed, scenes)]
    return np.concatenate([found / true - 1 for found, true in pairs])


def test_depth_in_metres_brings_far_adults_back_to_where_the_children_are(crowds, toy):
    root, scenes = crowds
    before = errors_of(place(root, root / 'images', 'toy', dto=False), scenes)
    placed = place(root, root / 'images', 'toy', depth=root / 'depth', depth_kind='metres')
    after = errors_of(placed, scenes)
    assert np.abs(before).max() > .25
    assert np.median(np.abs(after)) < .05 and np.median(np.abs(after)) < np.median(np.abs(before))
    assert len(placed) == len(SEEDS)


def test_moves_tell_what_became_of_each_person(crowds, toy, tmp_path):
    root, _ = crowds
    placed = place(root, root / 'images', 'toy')
    scenes = list(placed)
    placed.write_back(tmp_path)
    for moves, scene, image in zip(toy.written, scenes, placed.results.images):
        people = scene.sample.pred_instances
        mesh = image.people.vertices
        found = torch.stack([moves.points(i, mesh[i], image.people.pelvis[i]) for i in range(len(people))])
        torch.testing.assert_close(found, people.vertices, rtol=1e-5, atol=1e-5)
        assert moves.intrinsics is None
        # About the camera, so that the picture stays.
        torch.testing.assert_close(project(found, image.intrinsics.float()),
                                   project(mesh, image.intrinsics.float()), rtol=1e-3, atol=.05)


def test_bones_and_meshes_of_placed_people_stand_together(crowds, toy, tmp_path):
    """Results tell joints and rotations: a BVH has bones as large as the mesh was placed."""
    root, _ = crowds
    scene = next(iter(place(root, root / 'images', 'toy')))
    scene.save(tmp_path, ['glb', 'bvh_m', 'trc'], 'a')
    people = scene.sample.pred_instances
    assert people.mesh_scales.sub(1).abs().max() > .01
    joints = scene.scene.ground.level(people.smpl_joints.double().numpy()) * [1, -1, -1]
    document, arrays = read_glb(tmp_path / 'glb/a.glb')
    for number, truth in enumerate(joints):
        places, *_ = read_bvh(tmp_path / f'bvh_m/a/person_{10 + number}.bvh')
        np.testing.assert_allclose(np.stack(list(places.values()))[:, 0], truth[[NAMES.index(name) for name in places]],
                                   atol=1e-4)
        mesh = world_vertices(document, arrays, f'person_{10 + number}')
        assert (mesh.min(0) - .01 < truth).all() and (truth < mesh.max(0) + .01).all()
    with pytest.raises(KindError, match='no amass of 0.png: it needs people by parameters'):
        scene.save(tmp_path, ['amass'], 'a')


@pytest.mark.parametrize(('body', 'size'), [('OpenBody in the pose of SMPL', 156), ('SMPL-X', 165)])
def test_placed_people_with_parameters_are_motions_of_amass(crowds, toy, tmp_path, monkeypatch, body, size):
    rest, betas, read = torch.tensor([.01, -.3, .02]), torch.arange(10.) / 10, toy.image

    def image(self, *given):
        found = read(self, *given)
        found.people.transl = found.people.pelvis - rest
        found.people.betas = betas.expand(len(found.people), -1)
        return found

    root, _ = crowds
    monkeypatch.setattr(toy, 'image', image)
    placed = place(root, root / 'images', 'toy')
    placed.results.body = body
    scene = next(iter(placed))
    scene.save(tmp_path, ['amass'], 'a')
    people = scene.sample.pred_instances
    pelvises = (scene.scene.ground.level(people.pelvis[:, None].double().numpy()) * [1, -1, -1])[:, 0]
    for number, (x, y, z) in enumerate(pelvises):
        with np.load(tmp_path / f'amass/a/person_{10 + number}.npz') as motion:
            np.testing.assert_allclose(motion['trans'][0] + rest.numpy(), [x, -z, y], atol=1e-4)
            np.testing.assert_allclose(motion['betas'][:10], betas)
            assert motion['poses'].shape == (1, size) and float(motion['scale']) == people.mesh_scales[number]
            body = motion['poses'][0, 3:66].reshape(21, 3)
            np.testing.assert_allclose(body, people.body_pose[number, :21], atol=1e-4)


def test_without_dto_nobody_moves_and_numbers_stay_the_same_bits(crowds, toy, tmp_path):
    root, _ = crowds
    place(root, None, 'toy', dto=False).write_back(tmp_path)
    for moves in toy.written:
        assert (moves.shift == 0).all() and (moves.scale == 1).all() and moves.intrinsics is None
        points = torch.randn(7, 3)
        assert torch.equal(moves.points(0, points, torch.randn(3)), points)


def test_another_focal_length_moves_depths_and_says_the_camera(crowds, toy, tmp_path):
    root, scenes = crowds
    longer = 1.5 * float(scenes[0][1].intrinsics[1, 1])
    place(root, None, 'toy', focal=longer, dto=False).write_back(tmp_path)
    moves, image = toy.written[0], toy(root, None).read().images[0]
    assert float(moves.intrinsics[1, 1]) == pytest.approx(longer)
    torch.testing.assert_close(moves.shift[:, 2].float(), .5 * image.people.pelvis[:, 2], rtol=1e-4, atol=1e-4)
    moved = image.people.pelvis + moves.shift.float()
    torch.testing.assert_close(project(moved[None], moves.intrinsics.float()),
                               project(image.people.pelvis[None], image.intrinsics.float()), rtol=1e-4, atol=.01)


def test_the_report_says_who_is_where_and_how_much_meshes_grew(crowds, toy, tmp_path):
    root, _ = crowds
    placed = place(root, root / 'images', 'toy')
    scenes = list(placed)
    placed.write_report(tmp_path / 'placement.json')
    report = json.loads((tmp_path / 'placement.json').read_text())
    assert report['kind'] == 'toy' and report['notes'] == ['toys only']
    for image, scene in zip(report['images'], scenes):
        people = scene.sample.pred_instances
        assert [person['track_id'] for person in image['people']] == list(range(10, 10 + len(people)))
        np.testing.assert_allclose([person['scale'] for person in image['people']], people.mesh_scales, rtol=1e-5)
        np.testing.assert_allclose([person['height'] for person in image['people']], people.heights, rtol=1e-5)
        assert all(person['height_std'] > .01 for person in image['people'] if person['placed'])
        assert image['unsure_order'] == [list(pair) for pair in scene.sample.unsure_order]
    assert any(image['unsure_order'] for image in report['images'])


def test_whoever_is_not_placed_is_reported_so(crowds, toy, tmp_path, monkeypatch):
    root, _ = crowds
    read = toy.image

    def image(self, *given):
        found = read(self, *given)
        found.people.vertices[0, :, 2] -= 100  # behind the camera
        found.people.pelvis[0, 2] -= 100
        found.people.smpl_joints[0, :, 2] -= 100
        return replace(found, image_size=None)

    monkeypatch.setattr(toy, 'image', image)
    placed = place(root, None, 'toy')
    placed.write_report(tmp_path / 'placement.json')
    for image in json.loads((tmp_path / 'placement.json').read_text())['images']:
        first, *others = image['people']
        assert not first['placed'] and 'behind the camera' in first['note'] and first['scale'] == 1
        assert all(person['placed'] and not person['note'] for person in others)
        assert image['image_size'] == [240, 320]  # by the camera, whose axis goes through the middle


def test_ages_that_are_told_make_children_small(crowds, toy, tmp_path):
    root, scenes = crowds
    table = {f'{seed}': dict(ages=scene.ages.tolist(), male_probs=[.5] * len(scene))
             for seed, (scene, _) in zip(SEEDS, scenes)}
    (tmp_path / 'ages.json').write_text(json.dumps(table))
    untold, told = (np.concatenate([scene.sample.pred_instances.heights.numpy() for scene in place(
        root, root / 'images', 'toy', ages=ages)]) for ages in (None, tmp_path / 'ages.json'))
    truth = np.concatenate([scene.heights for scene, _ in scenes])
    assert np.abs(told - truth).mean() < .045 < np.abs(untold - truth).mean()


def test_frames_that_results_count_have_the_maps_of_their_pictures(crowds, toy, tmp_path, monkeypatch):
    root, _ = crowds
    for folder, suffix in (('images', '.png'), ('depth', '.npy')):
        (tmp_path / folder).mkdir()
        for seed in SEEDS:
            (tmp_path / folder / f'frame_{seed}{suffix}').write_bytes((root / folder / f'{seed}{suffix}').read_bytes())
    (tmp_path / 'focal.json').write_text(json.dumps({'frame_0.png': 500., 'frame_1': 600.}))
    unnumbered = toy.image
    monkeypatch.setattr(toy, 'image', lambda *given: replace(unnumbered(*given), frame=given[1]))
    placed = list(place(root, tmp_path / 'images', 'toy', depth=str(tmp_path / 'depth'), depth_kind='metres',
                        focal=str(tmp_path / 'focal.json'), through_time=False))
    assert [scene.img_id for scene in placed] == ['frame_0.png', 'frame_1.png', 'frame_2.png']
    assert all('pred_maps' in scene.sample and 'not found' not in scene.note for scene in placed)
    assert [float(scene.intrinsics[1, 1]) for scene in placed[:2]] == [500, 600]


def test_pictures_are_drawn_and_files_of_ours_are_written(crowds, toy, tmp_path):
    root, _ = crowds
    scene = next(iter(place(root, root / 'images', 'toy')))
    paths = scene.save(tmp_path, ['overlay', 'birdseye', 'side', 'params', 'glb', 'obj'])
    assert all(path.is_file() for path in paths) and len(paths) >= 6
    assert scene.is_placed and 'OpenBody' in scene.sample.body_model


def test_the_focal_length_that_comes_with_depth_maps(crowds, toy, tmp_path):
    root, scenes = crowds
    for seed, (scene, _) in zip(SEEDS, scenes):
        camera = scene.intrinsics * [[1.2, 1, 1], [1, 1.2, 1], [1, 1, 1]]
        np.savez(tmp_path / f'{seed}.npz', depth=np.load(root / 'depth' / f'{seed}.npy'), intrinsics=camera)
    source = dict(type='PrecomputedDepth', folder=str(tmp_path), suffix='.npz', kind='metres')
    for scene, (truth, _) in zip(place(root, root / 'images', 'toy', depth=source, focal='depth'), scenes):
        assert float(scene.intrinsics[1, 1]) == pytest.approx(1.2 * truth.intrinsics[1, 1], rel=1e-5)
    with pytest.raises(ValueError, match='give depth too'):
        place(root, root / 'images', 'toy', focal='depth')


def test_metres_of_a_depth_map_tell_a_focal_length_that_was_made_up(crowds, toy, tmp_path, monkeypatch):
    """Distances that an absurd focal length has made too large by a factor of 1.5 become those of the map."""
    root, scenes = crowds
    longer = {seed: float(1.5 * scene.intrinsics[1, 1]) for seed, (scene, _) in zip(SEEDS, scenes)}
    read = toy.image

    def image(self, seed, scene, initial):
        found = read(self, seed, scene, initial)
        camera = found.intrinsics.clone()
        camera[0, 0] = camera[1, 1] = longer[seed]
        people = refocused(found.people, found.intrinsics, camera)
        return ImageResult(found.name, people, camera, scene.size)

    monkeypatch.setattr(toy, 'image', image)
    depth = dict(type='PrecomputedDepth', folder=str(root / 'depth'), suffix='.npy', kind='metres')
    errors, focals = {}, {}
    for guess in (False, True):
        monkeypatch.setattr(toy, 'focal_is_guess', guess)
        placed = place(root, root / 'images', 'toy', depth=depth)
        found = list(placed)
        errors[guess] = np.median(np.abs(errors_of(found, scenes)))
        focals[guess] = [float(scene.intrinsics[1, 1]) / float(truth.intrinsics[1, 1])
                         for scene, (truth, _) in zip(found, scenes)]
        placed.write_back(tmp_path)
        assert all((moves.intrinsics is not None) == guess for moves in toy.written)
    np.testing.assert_allclose(focals[False], 1.5, rtol=1e-5)
    np.testing.assert_allclose(focals[True], 1, atol=.15)
    assert errors[True] < .06 < errors[False]
    assert all('focal length guessed (±' in scene.scene.last.notes[0] for scene in found)


@pytest.mark.parametrize(('kind', 'factor', 'said'), [
    ('metres', 1000., 'as far away as their meshes are'), ('disparity', 1., 'inverted')])
def test_people_stay_where_a_depth_map_cannot_be_what_it_is_taken_for(crowds, toy, tmp_path, kind, factor, said):
    root, _ = crowds
    for path in (root / 'depth').iterdir():
        np.save(tmp_path / path.name, factor * np.load(path))
    depth = dict(type='PrecomputedDepth', folder=str(tmp_path), suffix='.npy', kind=kind)
    placed = place(root, root / 'images', 'toy', depth=depth)
    refused = [scene for scene in placed if not scene.is_placed]
    assert refused and all(said in scene.note for scene in refused)
    placed.write_back(tmp_path)
    assert sum(bool((moves.scale == 1).all() and (moves.shift == 0).all()) for moves in toy.written) == len(refused)


def test_meshes_without_triangles_are_placed_all_the_same(crowds, tmp_path, openbody):
    root, scenes = crowds
    (tmp_path / 'in').mkdir()
    rows = np.arange(1, openbody.num_vertices)  # of no known body
    for seed, (_, initial) in zip(SEEDS, scenes):
        parameters = (torch.as_tensor(values).float() for values in (initial.pose, initial.betas, initial.transl))
        vertices = openbody(*parameters).vertices[:, rows].numpy()
        np.savez(tmp_path / 'in' / f'{seed}.npz', vertices=vertices, K=initial.intrinsics)
    depth = dict(type='PrecomputedDepth', folder=str(root / 'depth'), suffix='.npy', kind='metres')
    placed = place(tmp_path / 'in', root / 'images', depth=depth)
    assert 'nobody told the triangles' in placed.results.notes[0]
    before = np.concatenate([initial.transl[:, 2] / scene.joints[:, 0, 2] - 1 for scene, initial in scenes])
    after = errors_of(placed, scenes)
    assert np.median(np.abs(after)) < .08 and np.abs(after).max() < np.abs(before).max()
    assert all(np.isfinite(scene.scene.last.heights).all() for scene in [next(iter(place(tmp_path / 'in')))])


def test_each_picture_is_asked_for_once(crowds, toy, tmp_path):
    """Results read or pose a picture when it is asked for."""
    class Counted(list):
        asked = 0

        def __getitem__(self, index):
            self.asked += len(range(*index.indices(len(self))))
            return super().__getitem__(index)

        __iter__ = None

    placed = place(crowds[0], None, 'toy')
    placed.results.images = Counted(placed.results.images)
    next(iter(placed))
    placed.finish()
    again = placed.results.images.asked
    placed.write_back(tmp_path)
    placed.write_report(tmp_path / 'placement.json')
    assert placed.results.images.asked == again <= 2 * len(SEEDS)
    assert len(toy.written) == len(SEEDS) and not list(placed)
