"""From photos to placed people: who is who is found again, and DTO gives what it gives with everything known."""
from pathlib import Path

import known_crowd
import pytest
import torch
from bound_stage import bound
from mmengine.config import Config

from mmhuman_dto.generation import Generator
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.stages import ConfigError, Context, MatchDetections, SkipImage, StageError, check_needs
from mmhuman_dto.stages.dto import RasteriseMeshes
from mmhuman_dto.stages.isolation import apply_stage
from mmhuman_dto.stages.photos import AddDetections, AddFocal, AddKeypoints, AddMeshes, seen_by
from mmhuman_dto.structures import HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.people_table import PeopleTable

HERE = Path(__file__).parent
CROWD = HERE.parents[1] / 'demo/resources/crowd'
CONFIGS = HERE.parents[1] / 'configs'


def known(**kwargs):
    return dict(type='KnownCrowd', root=str(CROWD), **kwargs)


PHOTOS = dict(data_root=str(CROWD), source=dict(type='Photos', folder='images'), batch_size=4)
SOURCES_OF = {
    'detect': known(part='people'), 'pose': known(part='keypoints'), 'meshes': known(part='meshes'),
    'depth': dict(type='PrecomputedDepth', folder='disparity', kind='disparity', scale='disparity/scale.json'),
    'ages': known(part='ages')}


def photo_config(recipe='_base_/dto/photos.py', **options):
    config = Config.fromfile(CONFIGS / recipe)
    config.merge_from_dict(PHOTOS)
    config.merge_from_dict({f'stages.{name}.source': source for name, source in SOURCES_OF.items()})
    config.merge_from_dict(options)
    return config.to_dict()


def test_photos_give_what_known_meshes_masks_and_ages_give(tmp_path):
    """The sources know the truth, but shuffle people, find some twice, and miss one of each image."""
    counts = Generator(photo_config(), tmp_path / 'photos', limit=5).run()
    assert counts['failed'] == 0 and counts['kept'] >= 3
    plain = Config.fromfile(CONFIGS / 'dto/paper_synthetic-crowd.py')
    plain.merge_from_dict({'data_root': str(CROWD), 'contact_sheets.every': 0})
    Generator(plain.to_dict(), tmp_path / 'plain', limit=5).run()
    ours, theirs = (PeopleTable(tmp_path / name / 'people_table') for name in ('photos', 'plain'))
    images = {theirs.image_id(i): theirs[i].pred_instances for i in range(len(theirs))}
    compared = 0
    for i in range(len(ours)):
        people = ours[i].pred_instances
        assert not people.is_released.any() and people.bboxes.shape == (len(people), 4)
        for one in range(len(people)):
            other = images.get(ours.image_id(i))
            if other is None:
                continue
            distance = (other.body_pose - people.body_pose[one]).flatten(1).norm(dim=1)
            assert distance.min() == 0
            row = distance.argmin()
            # One person fewer in the image changes the scene's scale a little.
            assert people.transl[one, 2] == pytest.approx(other.transl[row, 2].item(), rel=.15)
            compared += 1
    assert compared >= 8


def test_the_recipe_of_the_hub_places_people_by_boxes_joints_and_depth(tmp_path):
    """Focal lengths are guesses here: up to one factor an image, distances are those of the truth."""
    recipe = Config.fromfile(CONFIGS / 'photo/photo-hub.py')
    recipe.merge_from_dict({**PHOTOS, **{f'stages.{name}.source': dict(SOURCES_OF[name], _delete_=True)
                                         for name in ('detect', 'pose', 'depth')}})
    assert Generator(recipe.to_dict(), tmp_path, limit=3).run()['failed'] == 0
    table, truth = PeopleTable(tmp_path / 'people_table'), PeopleTable(CROWD / 'truth')
    assert len(table) == 3
    for sample, true in zip(table, truth):
        people, everybody = sample.pred_instances, true.pred_instances
        rays = [found.transl[:, :2] / found.transl[:, 2:] * camera.intrinsics[0, 0] for found, camera in (
            (people, sample.pred_camera), (everybody, true.pred_camera))]
        row = torch.cdist(*rays).argmin(1)
        assert sample.img_id == true.img_id and len(row) == len(everybody) - 1
        error = (people.transl[:, 2] / everybody.transl[row, 2]).log()
        assert (error - error.median()).abs().mean() < .08


def test_meshes_and_detections_in_any_order_are_paired(scene, body_model):
    scene.pred_instances = scene.pred_instances[[2, 0, 1]]
    scene.detected_instances = scene.detected_instances[[1, 2]]
    sample, = bound(MatchDetections(), body_model)([scene])
    assert sample.pred_instances.transl[:, 2].tolist() == [6, 7]
    assert sample.pred_instances.scores.tolist() == pytest.approx([.8, .7])
    ids = sample.pred_maps.segmentation
    assert ids.dtype == torch.int32 and ids.unique().tolist() == [0, 1, 2]
    assert torch.equal(ids == 2, sample.detected_instances.masks[1])
    again, = bound(MatchDetections(), body_model)([sample])
    assert torch.equal(again.pred_instances.transl, sample.pred_instances.transl)


def test_people_who_come_with_joints_and_without_masks(scene, body_model):
    """What MoveNetJoints gives: joints of low scores say nothing of who is who, and no segmentation hides meshes."""
    people = scene.detected_instances
    found = People(bboxes=people.bboxes, scores=people.scores, keypoints_2d=people.keypoints_2d.clone(),
                   keypoints_2d_valid=torch.full((3, 17), .3))
    found.keypoints_2d[:, 5:] += 300
    found.keypoints_2d_valid[:, 5:] = .19
    source = lambda samples: [found]  # noqa: E731
    source.joint_set = 'coco17'
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    sample.pred_instances, sample.pred_camera = scene.pred_instances[[2, 0, 1]], scene.pred_camera
    bound(AddDetections(None), body_model, source)([sample])
    assert sample.keypoint_set == 'coco17'
    bound(MatchDetections(), body_model)([sample])
    assert sample.pred_instances.transl[:, 2].tolist() == [5, 6, 7] and 'pred_maps' not in sample
    torch.testing.assert_close(sample.detected_instances.keypoints_2d_valid, found.keypoints_2d_valid)
    bound(RasteriseMeshes(), body_model)([sample])
    assert (sample.pred_maps.id_map.unique() == torch.arange(4)).all()
    sample.detected_instances.keypoints_2d_valid[:, 5:] = .2
    with pytest.raises(SkipImage, match='no mesh fits'):
        bound(MatchDetections(), body_model)([sample])


def test_a_recipe_needs_a_stage_or_a_source_for_joints():
    stages = dict(image=dict(type='LoadImage'), detect=dict(type='AddDetections', source=dict(type='MoveNetJoints')),
                  meshes=dict(type='AddMeshes', source=dict(type='KeypointFitMeshes')),
                  match=dict(type='MatchDetections'))
    check_needs(stages, (), ('pred_instances', ))
    for source in (dict(type='MMDetPeople'), dict(type='TransformersPeople')):
        stages['detect']['source'] = source
        with pytest.raises(ConfigError, match=r'stages.meshes.source \(KeypointFitMeshes\) needs detected_instances.'
                                              'keypoints_2d, .*: AddKeypoints, .*MoveNetJoints'):
            check_needs(stages, (), ())


def test_released_meshes_win_and_the_networks_fill_in(scene, body_model):
    network = scene.pred_instances[:]
    released = network[[1]]
    network.transl = network.transl + .01  # fits better or worse, it does not matter
    released.is_released = torch.ones(1, dtype=torch.bool)
    released.betas = released.betas[:, :10]
    scene.pred_instances = released
    source = lambda samples: [(network, scene.pred_camera)] * len(samples)  # noqa: E731
    source.body_model = body_model
    stage = bound(AddMeshes(None), body_model, source)
    sample, = stage(stage([scene]))  # twice: a failed batch is asked again
    assert len(sample.pred_instances) == 4 and sample.pred_instances.betas.shape == (4, 11)
    sample, = bound(MatchDetections(), body_model)([sample])
    assert sample.pred_instances.is_released.tolist() == [False, True, False]
    assert sample.pred_instances.transl[1].tolist() == released.transl[0].tolist()


def test_nobody_fits(scene, body_model):
    scene.pred_instances.transl = scene.pred_instances.transl + torch.tensor([20., 0, 0])
    with pytest.raises(SkipImage, match='no mesh fits a detected person'):
        bound(MatchDetections(), body_model)([scene])
    scene.detected_instances = People(bboxes=torch.zeros(1, 4))
    with pytest.raises(StageError, match='no keypoints_2d'):
        bound(MatchDetections(), body_model)([scene])


def test_another_focal_length_moves_people_in_depth_only(scene, body_model):
    before, transl = scene.pred_camera.intrinsics, scene.pred_instances.transl
    known_camera = torch.tensor([[1000., 0, 300], [0, 1000, 250], [0, 0, 1]])
    moved = seen_by(known_camera, transl, before)
    torch.testing.assert_close(moved[:, 2], 2 * transl[:, 2])
    torch.testing.assert_close(project(moved, known_camera), project(transl, before))
    torch.testing.assert_close(seen_by(before, transl, before), transl)


def test_a_known_focal_length_wins_over_the_networks(scene, body_model):
    network, camera = scene.pred_instances[:], scene.pred_camera
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    unknown = HumanDataSample(metainfo=dict(img_id='b.jpg', ori_shape=(480, 640)))
    bound(AddFocal(None), body_model, lambda samples: [750., float('nan')])([sample, unknown])
    assert 'pred_camera' not in unknown
    assert sample.pred_camera.intrinsics.tolist() == [[750, 0, 320], [0, 750, 240], [0, 0, 1]]
    source = lambda samples: [(network, camera)] * len(samples)  # noqa: E731
    bound(AddMeshes(None), body_model, source)([sample, unknown])
    torch.testing.assert_close(sample.pred_instances.transl[:, 2], 1.5 * network.transl[:, 2])
    torch.testing.assert_close(unknown.pred_instances.transl, network.transl)
    assert sample.pred_camera.intrinsics[0, 0] == 750 and unknown.pred_camera.intrinsics[0, 0] == 500


@pytest.mark.parametrize('theirs, ours, fits', [
    (dict(type='SMPL'), dict(type='SMPL+A'), True), (dict(type='SMPL+A'), dict(type='SMPL+A'), True),
    (dict(type='SMPL', num_betas=4), dict(type='SMPL+A', num_betas=6), True),
    (dict(type='SMPL', num_betas=7), dict(type='SMPL+A', num_betas=6), False),  # the 7th would become the blend
    (dict(type='SMPL+A', num_betas=4), dict(type='SMPL+A', num_betas=6), False),  # the blend would be the 5th
    (dict(type='SMPL+A'), dict(type='SMPL'), False),
])
def test_a_blend_to_a_child_stays_where_it_belongs(theirs, ours, fits, tmp_path):
    folder = str(write_synthetic_smpl(tmp_path))
    stage = AddMeshes(known(part='meshes', body_model=dict(theirs, model_path=folder)))
    context = Context(BODY_MODELS.build(dict(ours, model_path=folder)), Path(), torch.device('cpu'))
    if fits:
        stage.bind(context)
    else:
        with pytest.raises(ValueError, match='the meshes are of SMPL'):
            stage.bind(context)


def test_meshes_of_another_body_model_are_refused(body_model):
    stage = AddMeshes(dict(type='KnownCrowd', root=str(CROWD), part='meshes', body_model=dict(type='ToyBody')))
    import toy_plugin  # noqa: F401
    stage.name = 'meshes'
    with pytest.raises(ValueError, match='meshes: the meshes are of ToyBody with 11 .*body_model OpenBody with 11'):
        stage.bind(Context(body_model, Path(), torch.device('cpu')))


def test_who_has_too_few_keypoints_or_is_there_twice_goes(scene, body_model):
    people = scene.detected_instances[[0, 1, 1, 2]]
    keypoints, scores = people.keypoints_2d.clone(), torch.full((4, 17), .9)
    scores[1] = .8  # the same as the next one, less certain
    scores[3, 4:] = .4
    source = lambda samples: [(keypoints, scores)]  # noqa: E731
    source.joint_set = 'coco17'
    scene.detected_instances = people
    sample, = bound(AddKeypoints(None), body_model, source)([scene])
    assert sample.detected_instances.bboxes[:, 0].tolist() == people.bboxes[[0, 2], 0].tolist()
    scores[3, 4] = 1.1
    scene.detected_instances = people
    sample, = bound(AddKeypoints(None), body_model, source)([scene])
    assert len(sample.detected_instances) == 3 and sample.keypoint_set == 'coco17'
    kept = sample.detected_instances.keypoints_2d_valid  # scores, 0 where nothing is seen
    torch.testing.assert_close(kept[0], torch.tensor([.9] * 4 + [1.] + [0.] * 12))
    scores[:] = .1
    scene.detected_instances = people
    skipped, = bound(AddKeypoints(None), body_model, source)([scene])
    assert isinstance(skipped, SkipImage) and str(skipped) == 'nobody with enough keypoints'
    for stage, nobody, reason in ((AddDetections(None), People(num_people=0), 'nobody detected'),
                                  (AddMeshes(None), (scene.pred_instances[:0], scene.pred_camera), 'no meshes')):
        skipped, = bound(stage, body_model, lambda samples, nobody=nobody: [nobody])([scene])
        assert isinstance(skipped, SkipImage) and str(skipped) == reason


def test_a_picture_of_nobody_costs_its_batch_no_second_run(scene, body_model):
    asked = []

    def source(samples):
        asked.append(len(samples))
        return [scene.detected_instances, People(num_people=0)]

    source.joint_set = 'coco17'
    samples = [HumanDataSample(metainfo=dict(img_id=name)) for name in 'ab']
    found, skipped = apply_stage(bound(AddDetections(None), body_model, source), samples)
    assert len(found.detected_instances) > 0 and isinstance(skipped, SkipImage) and asked == [2]


def test_a_source_gets_the_runs_device_only_if_it_takes_one(body_model):
    stage = AddDetections(known(part='people'))
    stage.bind(Context(body_model, CROWD, torch.device('meta')))
    assert isinstance(stage.source, known_crowd.KnownCrowd) and stage.source.device == torch.device('meta')
    stage = AddFocal(dict(type='ExifFocal'))
    stage.bind(Context(body_model, CROWD, torch.device('meta')))
