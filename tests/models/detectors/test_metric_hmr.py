import copy

import pytest
import torch
from tiny_network import LOSSES, build, config, images, prepared, sample

from mmhuman_dto.geometry import project
from mmhuman_dto.models.detectors import MetricHMR
from mmhuman_dto.structures import HumanDataSample, Maps, People


@pytest.fixture(scope='module')
def shared_model():
    return build()


def test_outputs_are_one_consistent_camera(shared_model):
    data = prepared(shared_model, images((112, 80), (60, 112)), [HumanDataSample(), HumanDataSample()])
    out = shared_model(**data)
    assert {k: tuple(v.shape) for k, v in out.items() if k.startswith('pred_')} == dict(
        pred_boxes=(2, 6, 4), pred_confs=(2, 6, 1), pred_poses=(2, 6, 72), pred_betas=(2, 6, 11),
        pred_j3ds=(2, 6, 45, 3), pred_j2ds=(2, 6, 45, 2), pred_transl=(2, 6, 3), pred_depths=(2, 6, 2),
        pred_intrinsics=(2, 1, 3, 3))
    assert all(torch.equal(value[-1], out[name]) and len(value) == 2 for name, value in out['layers'].items())
    assert out['scale_map_lens'] == [16, 16]
    intrinsics = out['pred_intrinsics']
    assert intrinsics[:, 0, :2, 2].tolist() == [[40., 56.], [56., 30.]]
    torch.testing.assert_close(project(out['pred_j3ds'], intrinsics.expand(2, 6, 3, 3)), out['pred_j2ds'],
                               rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(out['pred_depths'][..., 0], out['pred_transl'][..., 2])
    torch.testing.assert_close(out['pred_depths'][..., 1], out['pred_transl'][..., 2] / intrinsics[..., 0, 0])
    body = shared_model.body_model(out['pred_poses'], out['pred_betas'], out['pred_transl'])
    torch.testing.assert_close(out['pred_j3ds'], body.joints, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(shared_model.vertices(out), body.vertices)


@pytest.mark.parametrize('encoder', [
    {}, dict(num_levels=2), dict(patch_embed='conv'), dict(type='VisionTransformer', num_additional_blocks=None)],
    ids=['three levels', 'two', 'convolutions', 'plain'])
@pytest.mark.parametrize('parts', [None, (3, 2)])
def test_images_of_a_batch_do_not_matter_to_each_other(encoder, parts):
    base = config()
    backbone = {name: value for name, value in dict(base['backbone'], **encoder).items() if value is not None}
    model = build(backbone=backbone, decoder=dict(base['decoder'], parts=parts), criterion=None)
    if 'num_additional_blocks' in backbone:  # the scale map varies from cell to cell
        torch.nn.init.normal_(model.backbone.scale_head.layers[-1].weight, std=10.)
    sizes = (112, 112), (60, 112), (112, 50)
    data = prepared(model, images(*sizes), [HumanDataSample() for _ in sizes])
    together = model(**data)
    for i in range(3):
        alone = model(data['inputs'][i:i + 1], data['data_samples'][i:i + 1])
        for name in ('pred_boxes', 'pred_confs', 'pred_betas', 'pred_j3ds', 'pred_transl'):
            torch.testing.assert_close(together[name][i], alone[name][0], rtol=1e-3, atol=1e-4)
    order = [2, 0, 1]
    shuffled = model([data['inputs'][i] for i in order], [data['data_samples'][i] for i in order])
    torch.testing.assert_close(shuffled['pred_j3ds'], together['pred_j3ds'][order], rtol=1e-3, atol=1e-4)


def test_prediction_keeps_who_is_above_the_threshold(shared_model):
    data = prepared(shared_model, images((112, 112), (112, 56)), [HumanDataSample(), HumanDataSample()])
    out = shared_model(**data)
    confs = out['pred_confs'][..., 0]
    model = copy.copy(shared_model)
    model.threshold = confs.flatten().sort(descending=True).values[3].item()
    samples = model(**data, mode='predict')
    assert [len(s.pred_instances) for s in samples] == (confs > model.threshold).sum(1).tolist()
    assert sum(len(s.pred_instances) for s in samples) == 3
    for i, result in enumerate(samples):
        people = result.pred_instances
        best = confs[i].argsort(descending=True)[:len(people)]
        torch.testing.assert_close(people.scores, confs[i][best])
        torch.testing.assert_close(people.pose.flatten(1), out['pred_poses'][i][best])
        torch.testing.assert_close(people.transl, out['pred_transl'][i][best])
        x1, y1, x2, y2 = people.bboxes.unbind(-1)
        cx, cy, w, h = (out['pred_boxes'][i][best] * 112).unbind(-1)
        torch.testing.assert_close(torch.stack([x1 + x2, y1 + y2, x2 - x1, y2 - y1]),
                                   torch.stack([2 * cx, 2 * cy, w, h]))
        assert people.keypoints_2d.shape[1:] == (45, 2) and people.betas.shape[1:] == (11, )
        torch.testing.assert_close(result.pred_camera.intrinsics, out['pred_intrinsics'][i, 0])


def test_predictions_are_in_the_original_image_and_metres_stay(shared_model):
    """An image of 301 x 224 px, of which the network sees 112 x 83: what it finds is seen where it is in the former."""
    model = copy.copy(shared_model)
    model.threshold = 0.
    data = prepared(model, images((301, 224)), [HumanDataSample()])
    out = model(**data)
    result, = model(**data, mode='predict')
    assert (result.ori_shape, result.img_shape, result.input_shape) == ((301, 224), (301, 224), (112, 83))
    people, intrinsics = result.pred_instances, result.pred_camera.intrinsics
    order = out['pred_confs'][0, :, 0].argsort(descending=True)
    assert torch.equal(people.transl, out['pred_transl'][0, order])
    scale = torch.tensor([224 / 83, 301 / 112])
    torch.testing.assert_close(people.keypoints_2d, out['pred_j2ds'][0, order] * scale, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(intrinsics[:2], out['pred_intrinsics'][0, 0, :2] * scale[:, None])
    assert intrinsics[:2, 2].tolist() == pytest.approx([112, 150.5])
    # A vertex of a mesh, through the new camera, against the same vertex through the network's.
    vertices = model.vertices(out)[0, order]
    seen = vertices[..., 2] > .1
    torch.testing.assert_close(project(vertices, intrinsics)[seen],
                               (project(vertices, out['pred_intrinsics'][0]) * scale)[seen], rtol=1e-4, atol=1e-2)
    near = people.keypoints_3d[..., 2] > .1
    torch.testing.assert_close(project(people.keypoints_3d, intrinsics)[near], people.keypoints_2d[near],
                               rtol=1e-4, atol=.05)
    boxes = (out['pred_boxes'][0, order] * 112).unflatten(-1, (2, 2))
    centre = people.bboxes.unflatten(-1, (2, 2)).mean(1)
    torch.testing.assert_close(centre, boxes[:, 0] * scale, rtol=1e-5, atol=1e-3)


def test_nobody_found(shared_model):
    model = copy.copy(shared_model)
    model.threshold = 1.
    data = prepared(model, images((112, 112)), [HumanDataSample()])
    people = model(**data, mode='predict')[0].pred_instances
    assert len(people) == 0 and people.body_pose.shape == (0, 23, 3) and people.keypoints_3d.shape == (0, 45, 3)


@pytest.mark.parametrize('name', ['pred_confs', 'pred_transl', 'pred_poses'])
def test_what_is_not_finite_is_nobody_and_is_said(shared_model, name, monkeypatch, caplog):
    model = copy.copy(shared_model)
    model.threshold = 0.
    data = prepared(model, images((112, 112), (112, 112)), [HumanDataSample(metainfo=dict(img_id=i)) for i in 'ab'])
    out = model.outputs(data['inputs'], [(112, 112)] * 2)
    out[name][1, 2:4] = torch.nan
    monkeypatch.setattr(model, 'outputs', lambda *args: out)
    first, second = model(**data, mode='predict')
    queries = model.decoder.num_queries
    assert (len(first.pred_instances), len(second.pred_instances)) == (queries, queries - 2)
    assert [record.message for record in caplog.records] == [
        f'b: 2 of {queries} predictions are not finite and count as nobody']


def test_nobody_is_found_in_a_picture_that_could_not_be_read(shared_model):
    model = copy.copy(shared_model)
    model.threshold = 0.
    data = prepared(model, images((112, 112), (112, 112)), [
        HumanDataSample(), HumanDataSample(metainfo=dict(unreadable='a.jpg: cut'))])
    assert [len(sample.pred_instances) for sample in model(**data, mode='predict')] == [model.decoder.num_queries, 0]


def with_disparity(size):
    far_above = torch.linspace(50, 300, size[0])[:, None].expand(size).contiguous()
    return HumanDataSample(metainfo=dict(img_id='a.jpg'), pred_maps=Maps(disparity=far_above))


@pytest.mark.parametrize('threshold', [0., 1.])
def test_predictions_placed_together_at_test_time(threshold):
    size = (112, 84)
    model = build(threshold=threshold, test_cfg=dict(dto=dict(
        type='RefineByDTO', solver=dict(type='PosteriorDTO'), evidence=dict(min_visible_vertices=1, min_area=0.))))
    plain = build(threshold=threshold)
    data = prepared(model, images(size, size), [with_disparity(size), with_disparity(size)])
    as_seen = plain(data['inputs'], [HumanDataSample(metainfo=s.metainfo) for s in data['data_samples']], 'predict')
    assert all(s.pred_maps.disparity.shape == size for s in data['data_samples'])
    for before, after in zip(as_seen, model(**data, mode='predict')):
        people = after.pred_instances
        assert 'pred_maps' not in after and 'visible_vertices' not in people
        assert torch.equal(people.scores, before.pred_instances.scores)
        assert torch.equal(people.pose, before.pred_instances.pose)
        assert people.heights.shape == people.depths_std.shape == people.scores.shape
        joints = model.body_model.skeleton(people.pose, people.betas, people.transl)
        torch.testing.assert_close(people.keypoints_3d[:, :24], joints, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(people.keypoints_2d, project(people.keypoints_3d, after.pred_camera.intrinsics))
        if threshold == 0:
            moved = people.depths_std.isfinite()
            assert moved.any()
            assert not torch.isclose(people.transl, before.pred_instances.transl, rtol=1e-3).all(-1)[moved].any()


def test_depth_that_nobody_asks_for_does_no_harm():
    size = (112, 84)
    model = build(threshold=0.)
    result, = model(**prepared(model, images(size), [with_disparity(size)]), mode='predict')
    assert 'pred_maps' not in result and len(result.pred_instances)


def test_placing_together_needs_depth():
    model = build(test_cfg=dict(dto=dict(type='RefineByDTO', solver=dict(type='PaperDTO'))))
    with pytest.raises(ValueError, match='test_cfg.dto needs pred_maps.disparity.*AddDisparity'):
        model(**prepared(model, images((112, 84)), [HumanDataSample()]), mode='predict')


@pytest.mark.parametrize('counts', [(2, 3), (0, 2), (0, 0), (9, 1)])
@pytest.mark.parametrize('changes', [
    {}, dict(denoising=dict(type='Denoising', dims=16, num_betas=11, num_groups=2))], ids=['plain', 'denoising'])
def test_losses_and_gradients_are_finite(counts, changes):
    model = build(**changes).train()
    sizes = (112, 112), (60, 112)
    data = prepared(model, images(*sizes), [sample(size, n, n) for size, n in zip(sizes, counts)])
    losses = model(**data, mode='loss')
    assert ('loss_dn_boxes' in losses) == bool(changes)
    total, _ = model.parse_losses(losses)
    total.backward()
    # Every parameter takes part whoever is there: distributed training waits for all of their gradients.
    assert not [name for name, p in model.named_parameters() if p.grad is None]
    assert torch.isfinite(total) and all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize('others', [0, 1])
def test_joints_in_2d_alone_train(others):
    """Without boxes, camera or anything else, alone and beside meshes."""
    size, model = (112, 112), build(denoising=dict(type='Denoising', dims=16, num_betas=11, num_groups=2)).train()
    joints = HumanDataSample(metainfo=dict(joint_set='coco17'))
    joints.gt_instances = People(keypoints_2d=torch.rand(2, 17, 2) * 112)
    data = prepared(model, images(*[size] * (1 + others)), [joints, sample(size, 2)][:1 + others])
    losses = model(**data, mode='loss')
    learnt = {name for name in LOSSES if losses[f'loss_{name}'] > 0}
    assert learnt == (set(LOSSES) if others else {'confs', 'boxes', 'giou', 'j2ds'})
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_step_along_the_gradient_lowers_the_loss():
    model = build().train()
    data = prepared(model, images((112, 112)), [sample((112, 112), 2)])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    history = []
    for _ in range(20):
        total, _ = model.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < .8 * history[0]


@pytest.mark.parametrize('levels', [0, 2, 3])
@pytest.mark.parametrize('branch', [True, False])
def test_variants(levels, branch):
    base = config()
    backbone, decoder = base['backbone'], dict(base['decoder'], num_levels=levels)
    if levels:
        backbone = dict(backbone, num_levels=levels)
    else:
        backbone = dict(type='VisionTransformer', arch=backbone['arch'], input_size=112)
    camera = base['camera_head'] if branch else dict(type='FixedFoV', input_size=112)
    model = build(backbone=backbone, decoder=decoder, camera_head=camera, joint_set='crowdpose14', criterion=None)
    out = model(**prepared(model, images((112, 84)), [HumanDataSample()]))
    assert out['pred_j3ds'].shape == (1, 6, 14, 3) and ('scale_map' in out) == bool(levels)
    vertices = model.vertices(out)
    expected = model.body_model.regress(vertices, 'crowdpose14')
    torch.testing.assert_close(out['pred_j3ds'], expected, atol=1e-4, rtol=1e-4)


def test_bfloat16_autocast_keeps_geometry_in_float32(shared_model):
    data = prepared(shared_model, images((112, 112)), [HumanDataSample()])
    with torch.autocast('cpu', torch.bfloat16):
        half = shared_model(**data)
    full = shared_model(**data)
    assert all(half[name].dtype == torch.float32 for name in full if name.startswith('pred_'))
    torch.testing.assert_close(half['pred_intrinsics'], full['pred_intrinsics'], rtol=.05, atol=.1)


def test_what_is_missing_is_said(shared_model):
    model = MetricHMR(**{k: v for k, v in config(targets=None).items() if k != 'type'})
    data = prepared(model, images((112, 112)), [sample((112, 112), 1)])
    with pytest.raises(ValueError, match='without criterion and targets'):
        model(**data, mode='loss')
    with pytest.raises(ValueError, match="unknown mode 'test'"):
        model(**data, mode='test')
