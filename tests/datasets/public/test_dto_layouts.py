"""Layouts of DTO's inputs and outputs: what each key becomes, what a wrong one says; writing mirrors reading."""
import numpy as np
import pytest
import torch

from mmhuman_dto.datasets.public import LayoutError, write_dto_humans, write_dto_raw
from mmhuman_dto.datasets.public.camerahmr import CameraHMRRelease
from mmhuman_dto.datasets.public.dto_humans import DTOHumans, DTORaw
from mmhuman_dto.datasets.public.initial_meshes import InitialMeshes
from mmhuman_dto.structures import Camera, HumanDataSample, People

K = np.array([[900., 0, 320], [0, 910, 240], [0, 0, 1]], np.float32)


def meshes(count, seed=0, betas=10):
    rng = np.random.default_rng(seed)
    record = {key: rng.normal(size=(count, size)).astype(np.float32)
              for key, size in (('trans_cam', 3), ('pose_cam', 72), ('shape', betas))}
    return dict(record, cam_int=np.repeat(K[None], count, 0))


def write_annots(path, annots):
    np.savez(path, annots=np.array(annots, dtype=object))


def assert_people(sample, record):
    people = sample.pred_instances
    np.testing.assert_array_equal(people.transl, record['trans_cam'])
    np.testing.assert_array_equal(people.pose.reshape(-1, 72), record['pose_cam'])
    np.testing.assert_array_equal(people.betas, record['shape'])
    np.testing.assert_array_equal(sample.pred_camera.intrinsics, record['cam_int'][0])


def test_initial_meshes(tmp_path):
    records = {'train/ä 1.jpg': meshes(3), 'b.jpg': meshes(1, 1), 'empty.jpg': meshes(0)}
    write_annots(tmp_path / 'm.npz', records)
    reader = InitialMeshes('m.npz', img_prefix='images', data_root=tmp_path)
    assert reader.ids == list(records) and len(reader) == 3
    assert reader[0].img_path == str(tmp_path / 'images' / 'train' / 'ä 1.jpg')
    for index in range(2):
        assert_people(reader[index], records[reader.ids[index]])
        assert not reader[index].pred_instances.is_released.any()
    assert len(reader[2].pred_instances) == 0 and 'pred_camera' not in reader[2]
    with pytest.raises(FileNotFoundError, match=r'gone\.npz'):
        InitialMeshes('gone.npz', data_root=tmp_path)


def release(imgname, **arrays):
    count = len(imgname)
    record = meshes(count)
    return {**dict(imgname=np.array(imgname), center=np.full((count, 2), 100.), scale=np.arange(1., count + 1) / 2,
                   cam_int=record['cam_int'], shape=record['shape'], pose_cam=record['pose_cam'],
                   trans_cam=record['trans_cam'], gtkps=np.ones((count, 44, 3))), **arrays}


def test_release_rows_are_grouped_by_image(tmp_path):
    arrays = release(['b.jpg', 'a.jpg', 'b.jpg', 'b.jpg', 'a.jpg'])
    arrays['gtkps'][3, 7, 2] = 0
    np.savez(tmp_path / 'coco-release.npz', **arrays)
    reader = CameraHMRRelease('coco-release.npz', data_root=tmp_path)
    assert reader.ids == ['b.jpg', 'a.jpg']
    for index, rows in ((0, [0, 2, 3]), (1, [1, 4])):
        assert_people(reader[index], {key: value[rows] for key, value in arrays.items()})
        assert reader[index].pred_instances.is_released.all()
    people = reader[0].pred_instances
    np.testing.assert_array_equal(people.bboxes[1], [100 - 150, 100 - 150, 100 + 150, 100 + 150])
    assert people.keypoints_2d.shape == (3, 44, 2)
    assert not people.keypoints_2d_valid[2, 7] and people.keypoints_2d_valid.sum() == 3 * 44 - 1


@pytest.mark.parametrize('names', [np.array([b'x.jpg', b'x.jpg']), np.array(['x.jpg', 'x.jpg'], dtype=object)])
def test_release_takes_other_spellings(tmp_path, names):
    arrays = release(names)
    want = dict(arrays)
    arrays['pose'] = arrays.pop('pose_cam').reshape(2, 24, 3)
    arrays['cam_t'] = arrays.pop('trans_cam')
    arrays['cam_ext'] = np.tile(np.eye(4), (2, 1, 1))
    arrays['cam_ext'][:, :3, 3] = [1, 2, 3]
    want['trans_cam'] = arrays['cam_t'] + np.array([1, 2, 3], np.float32)
    np.savez(tmp_path / 'r.npz', **arrays)
    reader = CameraHMRRelease('r.npz', data_root=tmp_path)
    assert reader.ids == ['x.jpg']
    assert_people(reader[0], want)


def test_release_with_missing_or_short_arrays_is_refused(tmp_path):
    arrays = release(['a.jpg', 'b.jpg'])
    del arrays['pose_cam'], arrays['shape']
    np.savez(tmp_path / 'r.npz', **arrays)
    with pytest.raises(LayoutError, match=r'r\.npz: lacks shape and pose_cam/pose'):
        CameraHMRRelease('r.npz', data_root=tmp_path)
    np.savez(tmp_path / 'r.npz', **release(['a.jpg', 'b.jpg'], shape=np.zeros((1, 10))))
    with pytest.raises(LayoutError, match=r'r\.npz: shape has shape \(1, 10\), imgname 2 rows'):
        CameraHMRRelease('r.npz', data_root=tmp_path)


def placed_samples():
    samples = []
    for seed, (name, count) in enumerate((('train/a.jpg', 2), ('b.jpg', 3))):
        record = meshes(count, seed, betas=11)
        pose = torch.from_numpy(record['pose_cam']).reshape(count, 24, 3)
        sample = HumanDataSample(metainfo=dict(img_id=name, optimised=seed == 0))
        sample.pred_instances = People(
            global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.from_numpy(record['shape']),
            transl=torch.from_numpy(record['trans_cam']), is_released=torch.arange(count) == 1)
        sample.pred_camera = Camera(intrinsics=torch.from_numpy(K))
        samples.append(sample)
    return samples


@pytest.mark.parametrize('write, reader', [(write_dto_raw, DTORaw), (write_dto_humans, DTOHumans)])
def test_written_layouts_read_back(tmp_path, write, reader):
    samples = placed_samples()
    write(tmp_path / 'x.npz', samples)
    write(tmp_path / 'y.npz', samples)
    assert (tmp_path / 'x.npz').read_bytes() == (tmp_path / 'y.npz').read_bytes()
    read = reader('x.npz', data_root=tmp_path)
    assert read.ids == ['train/a.jpg', 'b.jpg']
    for index, sample in enumerate(samples):
        for name in ('global_orient', 'body_pose', 'betas', 'transl'):
            assert torch.equal(read[index].pred_instances[name], sample.pred_instances[name])
        assert torch.equal(read[index].pred_camera.intrinsics, sample.pred_camera.intrinsics)


def test_dto_raw_has_the_public_keys_and_pads_shapes(tmp_path):
    samples = placed_samples()
    for sample in samples:
        sample.pred_instances.betas = sample.pred_instances.betas[:, :10]
    write_dto_raw(tmp_path / 'x_opt.npz', samples)
    content = np.load(tmp_path / 'x_opt.npz', allow_pickle=True)
    assert content.files == ['train/a.jpg', 'b.jpg']
    record = content['b.jpg'].item()
    shapes = {key: np.shape(value) for key, value in record.items()}
    assert shapes == dict(pose_cam=(3, 72), shape=(3, 11), trans_cam=(3, 3), cam_int=(3, 3, 3), is_released=(3, ),
                          is_optimize=())
    assert record['is_optimize'] is False and (record['shape'][:, 10] == 0).all()
    read = DTORaw('x_opt.npz', data_root=tmp_path)
    assert read[0].optimised is True and read[1].optimised is False
    assert read[1].pred_instances.is_released.tolist() == [False, True, False]


def test_dto_humans_has_the_public_structure(tmp_path):
    write_dto_humans(tmp_path / 'COCO_CHMR_SMPL_OPT.npz', placed_samples())
    annots = np.load(tmp_path / 'COCO_CHMR_SMPL_OPT.npz', allow_pickle=True)['annots'].item()
    person = annots['b.jpg'][2]
    shapes = {key: value.shape for key, value in person['smpl_param'].items()}
    assert shapes == dict(shape=(11, ), pose=(72, ), trans=(3, ))
    np.testing.assert_array_equal(person['cam_param']['focal'], [900, 910])
    np.testing.assert_array_equal(person['cam_param']['princpt'], [320, 240])
