import pytest
import torch

from mmhuman_dto.body_models.base import BodyOutput
from mmhuman_dto.geometry.morton import morton_order
from mmhuman_dto.models.task_modules import TargetEncoder
from mmhuman_dto.structures import Camera, HumanDataSample, People


class Bar(torch.nn.Module):
    """A body that is an upright bar of four vertices and three joints around transl, 1 m tall, 0.2 m wide."""
    faces = torch.tensor([[0, 1, 2], [1, 3, 2]])
    num_betas = 11

    def forward(self, pose, betas, transl):
        x, y = torch.tensor([-.1, .1, -.1, .1]), torch.tensor([-.5, -.5, .5, .5])
        corners = torch.stack([x, y, torch.zeros(4)], -1)
        return BodyOutput(corners + transl[:, None], corners[[0, 3, 1]] + transl[:, None])

    def joint_set(self, output, name):
        return output.joints[..., {'smpl45': [0, 1, 2], 'crowdpose14': [1]}[name], :]


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
    torch.testing.assert_close(targets.j2ds[0], torch.tensor([[79., 31.], [89., 81.], [89., 31.]]))
    torch.testing.assert_close(targets.boxes[0] * 168, torch.tensor([84., 56., 12., 60.]))
    torch.testing.assert_close(targets.depths[0], torch.tensor([2., .02]))
    assert targets.focals.tolist() == [100.] and targets.counts == [1] and targets.input_size == 168
    assert targets.valid_3d == targets.detect_all == [True] and targets.depth_ids is None


def test_joints_are_those_of_the_named_set():
    targets = encode(sample([[0., 0., 2.]]), joint_set='crowdpose14')
    torch.testing.assert_close(targets.j3ds[0], torch.tensor([[.1, .5, 2.]]))
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


def test_scale_is_capped_and_people_behind_the_camera_show_nowhere():
    targets = encode(sample([[0., 0., .6]]), sample([[0., 0., -2.]]))
    first, second = targets.scale_map.split(targets.map_cells)
    assert first[:, 1].max() == pytest.approx(min(1., targets.boxes[0, 2:].norm().item()))
    assert second.sum() == 0


def test_images_of_a_batch_do_not_mix():
    one, two = sample([[0., 0., 2.]]), sample([[.3, 0., 3.], [-.4, 0., 2.5]], size=(168, 112), focal=80.)
    nobody = sample([])
    together = encode(one, nobody, two)
    alone = [encode(s) for s in (one, nobody, two)]
    for name in ('boxes', 'j2ds', 'j3ds', 'depths', 'poses', 'betas', 'scale_map', 'focals'):
        torch.testing.assert_close(getattr(together, name), torch.cat([getattr(t, name) for t in alone]))
    assert together.counts == [1, 0, 2] and together.map_cells == [24, 24, 24]


def test_what_a_set_says_about_itself_is_kept():
    targets = encode(sample([[0., 0., 2.]], has_3d=False, detect_all=False), sample([[0., 0., 2.]]))
    assert targets.valid_3d == targets.detect_all == [False, True] and targets.num_people_3d == 1


def test_a_set_without_meshes():
    one = HumanDataSample(metainfo=dict(img_shape=(112, 168)))
    visible = torch.tensor([[True] * 10 + [False] * 4])
    one.gt_instances = People(bboxes=torch.tensor([[10., 20., 50., 100.]]), keypoints_2d=torch.rand(1, 14, 2),
                              keypoints_2d_valid=visible, depth_layers=torch.tensor([2]))
    targets = encode(one, scale_map=False)
    torch.testing.assert_close(targets.boxes[0] * 168, torch.tensor([30., 60., 40., 80.]))
    assert targets.valid_3d == [False] and targets.focals.isnan().all() and targets.depth_ids.tolist() == [2]
    assert targets.j2ds_mask.shape == (1, 14, 2) and targets.j2ds_mask.sum() == 20
    assert targets.scale_map is None
