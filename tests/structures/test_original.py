import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.datasets.transforms import Resize
from mmhuman_dto.datasets.transforms.warp import Warp, warp_sample
from mmhuman_dto.geometry import project
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People, to_original

ORI_SHAPE = (480, 640)


def original():
    """Two people in front of a camera, with truth and predictions in the pixels of one image."""
    joints = torch.tensor([[[-1., .5, 4], [.2, -.3, 5]], [[.4, .1, 3], [-.2, -.6, 7]]])
    intrinsics = torch.tensor([[500., 0, 310], [0, 510, 250], [0, 0, 1]])
    pixels = project(joints, intrinsics)
    people = dict(keypoints_3d=joints, keypoints_2d=pixels, transl=joints[:, 0].clone(),
                  bboxes=torch.cat([pixels.amin(1), pixels.amax(1)], -1), areas=torch.tensor([2000., 300]))
    fov = 2 * torch.atan(torch.tensor(240 / 510))
    sample = HumanDataSample(metainfo=dict(ori_shape=ORI_SHAPE, img_shape=ORI_SHAPE, joint_set=('a', 'b')))
    sample.gt_instances, sample.pred_instances = People(**people), People(**people, scores=torch.tensor([.9, .5]))
    sample.gt_camera, sample.pred_camera = Camera(intrinsics=intrinsics, fov=fov), Camera(intrinsics=intrinsics.clone())
    return sample


def seen_in(sample, warp, size):
    """The sample after its picture became ``warp`` of itself, predictions along with the truth."""
    predicted, camera = sample.pred_instances, sample.pred_camera
    del sample.pred_instances, sample.pred_camera
    sample = warp_sample(sample, Warp(np.eye(3), warp, size))
    matrix = torch.tensor(warp, dtype=torch.float32)
    predicted.keypoints_2d = predicted.keypoints_2d @ matrix[:2, :2].T + matrix[:2, 2]
    corners = predicted.bboxes.view(-1, 2, 2) @ matrix[:2, :2].T + matrix[:2, 2]
    predicted.bboxes = corners.flatten(1)
    predicted.areas = predicted.areas * matrix[:2, :2].det()
    sample.pred_instances, sample.pred_camera = predicted, Camera(intrinsics=matrix @ camera.intrinsics)
    return sample


@given(scale=st.tuples(st.floats(.1, 4), st.floats(.1, 4)), shift=st.tuples(st.floats(0, 300), st.floats(0, 300)))
def test_scaling_cutting_and_padding_are_undone(scale, shift):
    warp = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]], [0, 0, 1]])
    size = 2000, 3000  # nothing is cut off, so boxes come back whole
    want, sample = original(), seen_in(original(), warp, size)
    back = to_original(sample)
    for side in ('gt', 'pred'):
        people, true = back.get(f'{side}_instances'), want.get(f'{side}_instances')
        for name in ('keypoints_2d', 'bboxes', 'areas'):
            torch.testing.assert_close(people[name], true[name], atol=1e-2, rtol=1e-5)
        for name in ('keypoints_3d', 'transl'):
            assert torch.equal(people[name], true[name])
        intrinsics = back.get(f'{side}_camera').intrinsics
        torch.testing.assert_close(intrinsics, want.get(f'{side}_camera').intrinsics, atol=1e-2, rtol=1e-5)
        torch.testing.assert_close(project(people.keypoints_3d, intrinsics), people.keypoints_2d, atol=2e-2, rtol=1e-5)
    torch.testing.assert_close(back.gt_camera.fov, want.gt_camera.fov, atol=1e-4, rtol=0)
    assert back.img_shape == ORI_SHAPE and back.input_shape == size
    np.testing.assert_allclose(back.input_warp, warp, atol=1e-9)
    np.testing.assert_array_equal(back.warp, np.eye(3))


def test_after_the_test_pipeline_s_resize():
    sample = original()
    del sample.pred_instances, sample.pred_camera
    back = to_original(Resize(224)(sample))
    assert back.input_shape == (168, 224) and back.img_shape == ORI_SHAPE
    torch.testing.assert_close(back.gt_instances.keypoints_2d, original().gt_instances.keypoints_2d, atol=1e-3, rtol=0)


def test_an_image_as_it_was_stays():
    want, back = original(), to_original(original())
    assert torch.equal(back.pred_instances.bboxes, want.pred_instances.bboxes)
    assert torch.equal(back.pred_camera.intrinsics, want.pred_camera.intrinsics)
    twice = to_original(back)
    assert torch.equal(twice.pred_instances.keypoints_2d, want.pred_instances.keypoints_2d)


def test_nobody():
    sample = HumanDataSample(metainfo=dict(ori_shape=ORI_SHAPE, img_shape=(240, 320), warp=np.diag([.5, .5, 1])))
    sample.pred_instances = People(bboxes=torch.zeros(0, 4), keypoints_2d=torch.zeros(0, 5, 2))
    assert to_original(sample).pred_instances.bboxes.shape == (0, 4)


@pytest.mark.parametrize('warp', [
    [[0, -1, 480], [1, 0, 0], [0, 0, 1]], [[-1, 0, 640], [0, 1, 0], [0, 0, 1]], [[1, .1, 0], [0, 1, 0], [0, 0, 1]]],
    ids=['turned', 'mirrored', 'sheared'])
def test_what_pixels_alone_cannot_undo_is_refused(warp):
    sample = original()
    sample.set_metainfo(dict(warp=np.array(warp), img_id='a.jpg'))
    with pytest.raises(ValueError, match='a.jpg: its warp .* rolls or mirrors'):
        to_original(sample)


def test_pictures_are_refused():
    sample = original()
    sample.gt_maps = Maps(depth=torch.zeros(4, 4))
    with pytest.raises(ValueError, match='gt_maps cannot be moved back'):
        to_original(sample)
    sample = original()
    sample.gt_instances.masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match='gt_instances.masks cannot'):
        to_original(sample)
