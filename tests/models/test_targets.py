import pytest
import torch

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.body_models.base import BodyOutput
from mmhuman_dto.body_models.joint_sets import names_of
from mmhuman_dto.geometry.morton import morton_order
from mmhuman_dto.models.task_modules import TargetEncoder
from mmhuman_dto.structures import Camera, HumanDataSample, People


class Bar(torch.nn.Module):
    """A body that is an upright bar of four vertices around transl, its joints in turn: 1 m tall, 0.2 m wide."""
    faces = torch.tensor([[0, 1, 2], [1, 3, 2]])
    num_betas, num_body_joints = 11, 23

    def forward(self, pose, betas, transl):
        x, y = torch.tensor([-.1, .1, -.1, .1]), torch.tensor([-.5, -.5, .5, .5])
        corners = torch.stack([x, y, torch.zeros(4)], -1)
        return BodyOutput(corners + transl[:, None], corners[[0, 3, 1] * 15] + transl[:, None])

    def select_joints(self, output, name):
        return output.joints[..., {'smpl45': [*range(45)], 'crowdpose14': [1] * 14}[name], :]

    def check_meshes_of(self, name, where):
        assert name == 'Bar', where


def sample(transl, focal=100., size=(112, 168), **meta):
    transl = torch.tensor(transl).reshape(-1, 3)
    n = len(transl)
    result = HumanDataSample(metainfo=dict(img_shape=size, **meta))
    result.gt_instances = People(
        global_orient=torch.rand(n, 3), body_pose=torch.rand(n, 23, 3), betas=torch.rand(n, 11), transl=transl)
    intrinsics = torch.diag(torch.tensor([focal, focal, 1.]))
    intrinsics[0, 2], intrinsics[1, 2] = size[1] / 2, size[0] / 2
    result.gt_camera = Camera(intrinsics=intrinsics)
    return result


def encode(*samples, **kwargs):
    return TargetEncoder(**kwargs)(list(samples), Bar(), 168)


def test_one_person_by_hand():
    targets = encode(sample([[0., 0., 2.]]))
    torch.testing.assert_close(targets.j2ds[0, :3], torch.tensor([[79., 31.], [89., 81.], [89., 31.]]))
    torch.testing.assert_close(targets.boxes[0] * 168, torch.tensor([84., 56., 12., 60.]))
    torch.testing.assert_close(targets.depths[0], torch.tensor([2., .02]))
    assert targets.focals.tolist() == [100.] and targets.counts == [1] and targets.input_size == 168
    assert targets.fully_annotated == targets.map_known == [True] and targets.labels == {}
    assert all(known.tolist() == [True] for known in targets.known.values())


def test_joints_are_those_of_the_named_set():
    targets = encode(sample([[0., 0., 2.]]), joint_set='crowdpose14')
    torch.testing.assert_close(targets.j3ds[0], torch.tensor([[.1, .5, 2.]] * 14))
    torch.testing.assert_close(targets.depths[0], torch.tensor([2., .02]))


def test_boxes_end_at_the_image():
    targets = encode(sample([[0., -.5, 2.], [1.7, 0., 2.]]))  # joints at rows 6..56, and at columns 164..174
    torch.testing.assert_close(targets.boxes[0] * 168, torch.tensor([84., (1 + 61) / 2, 12., 60.]))
    torch.testing.assert_close(targets.boxes[1] * 168, torch.tensor([(163 + 168) / 2, 56., 5., 60.]))


def test_scale_map_in_z_order_nearest_person_wins():
    near, far = [0., 0., 2.], [0., -.1, 4.]
    targets = encode(sample([far, near]))
    # Grid of 4 x 6 cells of 28 px. Near: columns 79 and 89, rows 31 and 81, edges' midpoints at 56 and 84.
    expected = torch.zeros(4, 6, 2)
    scale = {name: targets.boxes[i, 2:].norm() for i, name in enumerate(('far', 'near'))}
    for row, column in [(1, 2), (1, 3), (2, 2), (2, 3)]:
        expected[row, column] = torch.tensor([1., scale['near']])
    assert targets.map_cells == [24]
    torch.testing.assert_close(targets.scale_map, expected.flatten(0, 1)[morton_order(4, 6)])


def test_a_long_edge_marks_the_cell_in_its_middle():
    targets = encode(sample([[-.3, 0., 1.]]))  # columns 44, 64; rows 6 and 106, midpoints at row 56
    shown = torch.zeros(4, 6, dtype=torch.bool)
    for row in (0, 2, 3):
        shown[row, 1:3] = True
    assert torch.equal(targets.scale_map[:, 0] > 0, shown.flatten()[morton_order(4, 6)])


@pytest.mark.parametrize('x, y, cell', [(3., 1., (2, 4)), (-3., -1., (0, 0)), (3., 0., (slice(3), 4))])
def test_points_outside_the_picture_show_in_its_border(x, y, cell):
    """A grid of 4 x 6 cells over 80 x 140 px, which ends in row 2 and column 4."""
    targets = encode(sample([[x, y, 2.], [0., 0., -2.]], size=(80, 140)))  # 10 x 50 px around (70 + 50 x, 40 + 50 y)
    shown = torch.zeros(4, 6, dtype=torch.bool)
    shown[cell] = True
    assert torch.equal(targets.scale_map[:, 0] > 0, shown.flatten()[morton_order(4, 6)])


def test_scale_is_capped_and_people_behind_the_camera_show_nowhere():
    targets = encode(sample([[0., 0., .6]]), sample([[0., 0., -2.]]))
    first, second = targets.scale_map.split(targets.map_cells)
    assert first[:, 1].max() == pytest.approx(min(1., targets.boxes[0, 2:].norm().item()))
    assert second.sum() == 0


def known(targets):
    """Names of what each person has."""
    return [{name for name, who in targets.known.items() if who[i]} for i in range(targets.num_people)]


EVERYTHING = {'boxes', 'poses', 'betas', 'j3ds', 'j2ds', 'depths'}


def test_what_a_set_says_about_itself_is_kept():
    targets = encode(sample([[0., 0., 2.]], has_3d=False, fully_annotated=False), sample([[0., 0., 2.]]))
    assert known(targets) == [{'boxes', 'j2ds'}, EVERYTHING]
    assert targets.fully_annotated == targets.map_known == [False, True]


def keypoints(joint_set='coco17', count=1, **fields):
    """An image with people who have no mesh: joint j at 10 j, 5 j px."""
    joints = torch.arange(float(len(names_of(joint_set))))
    points = torch.stack([10 * joints, 5 * joints], -1).expand(count, -1, -1).clone()
    result = HumanDataSample(metainfo=dict(img_shape=(112, 168), joint_set=joint_set))
    result.gt_instances = People(**{'keypoints_2d': points, **fields})
    return result


def test_joints_alone_go_by_name_to_their_places_and_make_a_box():
    seen = torch.ones(1, 17, dtype=torch.bool)
    seen[0, :5] = seen[0, 16] = False               # the face and an ankle: x 50..150, y 25..75 are left
    targets = encode(keypoints(keypoints_2d_valid=seen))
    there = targets.j2ds_mask[0].all(-1)
    assert known(targets) == [{'boxes', 'j2ds'}] and there.sum() == 11
    names, coco = names_of('smpl45'), names_of('coco17')
    assert all(targets.j2ds[0, names.index(name)].tolist() == [10. * j, 5. * j]
               for j, name in enumerate(coco) if seen[0, j])
    assert not targets.j2ds[0, ~there].any()
    torch.testing.assert_close(targets.boxes[0] * 168, torch.tensor([100., 50., 120., 60.]))
    assert targets.focals.isnan().all() and not targets.scale_map.any() and targets.map_known == [False]


def test_a_given_box_wins_over_the_joints_and_nobody_has_one_from_nothing():
    boxes = torch.tensor([[10., 20., 50., 100.]])
    given, unseen = keypoints(bboxes=boxes), keypoints(keypoints_2d_valid=torch.zeros(1, 17, dtype=torch.bool))
    alone = keypoints(bboxes=boxes)
    del alone.gt_instances.keypoints_2d
    targets = encode(given, unseen, alone, keypoints(bboxes=boxes * torch.nan))
    assert known(targets) == [{'boxes', 'j2ds'}, {'j2ds'}, {'boxes'}, {'boxes', 'j2ds'}]
    torch.testing.assert_close(targets.boxes[:3:2] * 168, torch.tensor([[30., 60., 40., 80.]] * 2))


def test_joints_in_3d_give_the_depth_where_the_pelvis_is_known():
    points = torch.rand(3, 17, 3) + torch.tensor([0, 0, 3.])
    valid = torch.ones(3, 17)
    valid[1, 0] = 0                                  # Human3.6M's first joint is the pelvis too
    points[2, 0] = torch.nan
    joints = keypoints('h36m17', 3, keypoints_3d=points, keypoints_3d_valid=valid)
    joints.set_metainfo(dict(has_3d=False))          # which is said of meshes
    targets = encode(joints)
    assert known(targets) == [{'boxes', 'j2ds', 'j3ds', 'depths'}] + [{'boxes', 'j2ds'}] * 2
    assert targets.depths[0, 0] == points[0, 0, 2] and torch.isfinite(targets.j3ds).all()
    assert targets.j3ds_mask.all(-1).sum(1).tolist() == [14, 13, 13]    # no spine, head top and neck of that meaning
    assert known(encode(keypoints('h36m17', 3, keypoints_3d=points), joint_set='crowdpose14')) == [
        {'boxes', 'j2ds', 'j3ds'}] * 3


def test_some_people_of_an_image_have_meshes():
    mixed = sample([[0., 0., 2.], [.3, 0., 3.]], joint_set='coco17')
    mixed.gt_instances.has_mesh = torch.tensor([False, True])
    mixed.gt_instances.keypoints_2d = keypoints(count=2).gt_instances.keypoints_2d
    targets, mesh, joints = encode(mixed), encode(sample([[.3, 0., 3.]])), encode(keypoints())
    assert known(targets) == [{'boxes', 'j2ds'}, EVERYTHING] and targets.map_known == [False]
    for name in ('boxes', 'j2ds', 'j3ds', 'depths'):
        torch.testing.assert_close(getattr(targets, name), torch.cat([getattr(joints, name), getattr(mesh, name)]))
    torch.testing.assert_close(targets.scale_map, mesh.scale_map)


def test_labels_are_known_where_given_and_finite():
    old, young, joints = sample([[0., 0., 2.]] * 2), sample([[0., 0., 2.]]), keypoints(depth_layers=torch.tensor([2]))
    old.gt_instances.ages = torch.tensor([50., torch.nan])
    targets = TargetEncoder()([old, young, joints], Bar(), 168, ['ages', 'depth_layers', 'visible_vertices'])
    assert targets.labels['ages'].tolist() == [50, 0, 0, 0] and targets.known['ages'].tolist() == [True] + [False] * 3
    assert targets.labels['depth_layers'].tolist() == [0, 0, 0, 2] and targets.known['depth_layers'].tolist() == [
        False] * 3 + [True]
    assert not targets.known['visible_vertices'].any() and targets.labels['visible_vertices'].shape == (4, )


@pytest.mark.parametrize('change, said', [
    (dict(joint_set='crowdpose14'), "a.jpg: keypoints_2d holds 17 joints of joint_set 'crowdpose14', which has 14"),
    (dict(joint_set=('tail', ) * 17), "which has 17, 0 of them in 'smpl45'"),
])
def test_joints_that_nothing_names_are_refused(change, said):
    wrong = keypoints()
    wrong.set_metainfo(dict(change, img_id='a.jpg'))
    with pytest.raises(ValueError, match=said):
        encode(wrong)


@pytest.mark.parametrize('spoil, said', [
    (lambda s: s.set_metainfo(dict(body_model='SMPLX')), 'a.jpg: its meshes are of SMPLX, this body model is OpenBody'),
    (lambda s: s.pop('gt_camera'), 'a.jpg: meshes without gt_camera'),
    (lambda s: setattr(s.gt_instances, 'betas', torch.zeros(1, 10)), 'a.jpg: betas have 10 .* OpenBody takes 11'),
])
def test_meshes_that_the_body_model_cannot_pose_are_refused(spoil, said):
    wrong = sample([[0., 0., 2.]], img_id='a.jpg', body_model='OpenBody')
    spoil(wrong)
    with pytest.raises(ValueError, match=said):
        TargetEncoder()([wrong], OpenBody(), 168)


def test_sizes_and_distances_are_targets_of_those_whose_are_known():
    doubtful = sample([[0., 0., 2.], [.3, 0., 3.], [-.3, 0., 3.]], has_focal=False)
    doubtful.gt_instances.has_mesh = torch.tensor([True, False, True])
    doubtful.gt_instances.has_shape = torch.tensor([False, True, True])
    doubtful.gt_instances.has_depth = torch.tensor([True, True, False])
    targets = encode(doubtful, sample([[0., 0., 2.]]))
    assert known(targets) == [EVERYTHING - {'betas', 'j3ds'}, set(), EVERYTHING - {'depths'}, EVERYTHING]
    assert targets.focals.isnan().tolist() == [True, False]
    torch.testing.assert_close(targets.depths[0], torch.tensor([2., .02]))     # finite all the same
