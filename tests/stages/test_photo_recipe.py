"""What the recipe for photos adds to stages: fits row by row, refits, DTO without a map, and those it leaves out."""
from pathlib import Path

import pytest
import torch
from bound_stage import bound
from mmengine.config import Config

from mmhuman_dto.dto import DropReason
from mmhuman_dto.geometry import project
from mmhuman_dto.stages import ConfigError, Context, check_needs, checked_config
from mmhuman_dto.stages.dto import OptimiseTranslations
from mmhuman_dto.stages.photos import AddMeshes, RefitMeshes
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People

RECIPE = Path(__file__).parents[2] / 'configs/photo/photo.py'
#: What fits state of people; no two values alike, so that a swap of rows or of fields shows.
STATED = dict(depths_std=[.31, .32, .33], heights_std=[.11, .12, .13], sizes_std=[.021, .022, .023])


class Fits:
    """Meshes that are given, one for each detection."""
    focal_source, per_detection, caveat = 'guess', True, 'stick to it'

    def __init__(self, people, camera, body_model):
        self.people, self.camera, self.body_model = people, camera, body_model

    def __call__(self, samples):
        return [(self.people, self.camera)] * len(samples)


def detected(scene):
    """A sample of those who were found in a scene, whose meshes are still to come."""
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    sample.detected_instances = scene.detected_instances[:]
    sample.detected_instances.keypoints_2d_valid = torch.arange(51.).reshape(3, 17) / 51
    return sample


def add_fits(scene, sample, body_model, **kind):
    stated = {name: torch.tensor(values) for name, values in STATED.items()}
    source = Fits(People(**dict(scene.pred_instances.items()), **stated), scene.pred_camera, body_model)
    for name, value in kind.items():
        setattr(source, name, value)
    return bound(AddMeshes(None), body_model, source)([sample])[0]


def test_a_mesh_for_each_detection_takes_what_was_found_of_it(scene, body_model):
    sample = add_fits(scene, detected(scene), body_model)
    people, found = sample.pred_instances, scene.detected_instances
    assert torch.equal(people.transl, scene.pred_instances.transl)
    assert torch.equal(people.bboxes, found.bboxes) and torch.equal(people.scores, found.scores)
    assert torch.equal(people.keypoint_scores, torch.arange(51.).reshape(3, 17) / 51)
    for name, values in STATED.items():
        assert people[name].tolist() == pytest.approx(values), name
    ids = sample.pred_maps.segmentation  # the masks do not overlap
    assert all(torch.equal(ids == i + 1, mask) for i, mask in enumerate(found.masks))
    assert (sample.focal_source, sample.caveat) == ('guess', 'stick to it')


def test_without_masks_there_is_no_segmentation(scene, body_model):
    sample = detected(scene)
    del sample.detected_instances.masks
    assert 'pred_maps' not in add_fits(scene, sample, body_model)


def test_a_networks_meshes_are_nobodys_in_particular(scene, body_model):
    sample = add_fits(scene, detected(scene), body_model, per_detection=False, caveat='')
    assert not {'bboxes', 'keypoint_scores'} & set(sample.pred_instances.keys())
    assert 'pred_maps' not in sample and 'caveat' not in sample


def test_a_known_camera_stays_and_says_how_sure_it_is(scene, body_model):
    sample = detected(scene)
    sample.pred_camera = Camera(intrinsics=torch.tensor([[1000., 0, 320], [0, 1000, 240], [0, 0, 1]]),
                                focal_std=torch.tensor(.02))
    sample.set_metainfo(dict(focal_source='ExifFocal'))
    scene.pred_camera.focal_std = torch.tensor(.3)
    add_fits(scene, sample, body_model)
    assert sample.focal_source == 'ExifFocal' and sample.pred_camera.focal_std == pytest.approx(.02)
    torch.testing.assert_close(sample.pred_instances.transl[:, 2], torch.tensor([10., 12, 14]))
    unknown = add_fits(scene, detected(scene), body_model)
    assert unknown.pred_camera.focal_std == pytest.approx(.3)


def test_refits_find_the_joints_again_where_people_are(scene, body_model):
    """They have moved away, another shape has grown them about as much, and one has moved an arm a little."""
    people, true = scene.pred_instances, scene.detected_instances.keypoints_2d
    joints = body_model.skeleton(people.pose, people.betas)
    people.transl = 1.15 * (people.transl + joints[:, 0]) - joints[:, 0]
    people.betas[:, 0] += torch.tensor([3., 2.5, 2.])
    people.body_pose[1, 15, 2] += .1
    people.scores, people.heights = torch.tensor([.9, .8, .7]), torch.zeros(3)
    stage = RefitMeshes(dict(type='KeypointFitMeshes'))
    stage.name = 'refit'
    stage.bind(Context(body_model, Path(), torch.device('cpu')))
    assert stage.source.body_model is body_model

    def pelvis_and_error():
        people = scene.pred_instances
        output = body_model(people.pose, people.betas, people.transl)
        pixels = project(body_model.select_joints(output, 'coco17'), scene.pred_camera.intrinsics)
        pelvis = body_model.skeleton(people.pose, people.betas, people.transl)[:, 0, 2]
        return pelvis, (pixels - true).norm(dim=-1).mean(1)

    depth_before, error_before = pelvis_and_error()
    stage([scene])
    depth, error = pelvis_and_error()
    torch.testing.assert_close(depth, depth_before, rtol=.01, atol=0)
    assert (error < 1).all() and (error_before > 1.4).all(), (error, error_before)
    people = scene.pred_instances
    torch.testing.assert_close(people.heights, body_model.height(people.betas))
    assert people.scores.tolist() == pytest.approx([.9, .8, .7])


@pytest.mark.parametrize('solver, refused', [
    (dict(type='PosteriorDTO', needs_depth=False), False), (dict(type='PosteriorDTO'), True),
    (dict(type='PaperDTO'), True)])
def test_which_solvers_go_without_a_depth_map(solver, refused):
    config = Config.fromfile(RECIPE).to_dict()
    config['stages']['dto']['solver'] = solver
    stages = checked_config(config)['stages']
    assert 'AddDepth' not in {stage['type'] for stage in stages.values()}
    if not refused:
        check_needs(stages, (), ('pred_instances', 'pred_camera'))
        return
    with pytest.raises(ConfigError, match=r'stages.dto \(OptimiseTranslations\) needs pred_maps.disparity, which no '
                                          r'stage before sets; these would: AddDepth'):
        check_needs(stages, (), ())


def test_those_without_evidence_stay_and_are_no_labels(scene, body_model):
    """The middle one's mesh lies behind the camera."""
    people = scene.pred_instances
    people.transl[1, 2] = -6
    scene.pred_maps = Maps(id_map=torch.zeros(480, 640, dtype=torch.int32))
    before = people.transl.clone()
    options = dict(solver=dict(type='PosteriorDTO', needs_depth=False, terms=dict(initial=None)))
    kept, = bound(OptimiseTranslations(**options, keep_dropped=True), body_model)([scene])
    dropped, = bound(OptimiseTranslations(**options), body_model)([scene])
    people = kept.pred_instances
    assert people.has_mesh.tolist() == [True, False, True]
    assert people.drop_reasons.tolist() == [DropReason.KEPT, DropReason.BAD_MESH, DropReason.KEPT]
    assert torch.equal(people.transl[1], before[1]) and not torch.equal(people.transl[0], before[0])
    assert people.heights_std.isnan().tolist() == [False, True, False]
    assert torch.equal(kept.initial_instances.transl, before)
    assert dropped.pred_instances.person_index.tolist() == [0, 2] and 'has_mesh' not in dropped.pred_instances
    torch.testing.assert_close(dropped.pred_instances.transl, people.transl[[0, 2]])


def test_evidence_is_kept_of_those_who_have_it_only():
    with pytest.raises(ValueError, match='keep_evidence=True needs keep_dropped=False'):
        OptimiseTranslations(dict(type='PosteriorDTO'), keep_evidence=True, keep_dropped=True)
