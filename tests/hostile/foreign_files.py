"""A small valid file of every format that is read from outside, and its reader: what the hostile tests damage."""

import json
import pickle
import struct
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import scipy.sparse
import torch
from mesh_files import glb, ply
from PIL import Image
from safetensors.torch import save_file

from mmhuman_dto.apis.inference.inputs import open_photos
from mmhuman_dto.body_models.assets import read_body, read_matrix
from mmhuman_dto.body_models.openbody import ASSET, OpenBody
from mmhuman_dto.datasets.public.camerahmr import CameraHMRRelease
from mmhuman_dto.datasets.public.coco_keypoints import COCOKeypoints
from mmhuman_dto.datasets.public.dto_humans import DTOHumans, DTORaw, write_dto_humans, write_dto_raw
from mmhuman_dto.datasets.public.mupots import MuPoTS
from mmhuman_dto.datasets.public.relative_human import RelativeHuman
from mmhuman_dto.engine.checkpoint import read_state
from mmhuman_dto.engine.hooks.plain_checkpoint import load_local
from mmhuman_dto.fileio import load_joblib, load_json, load_npy, load_npz, load_pickle
from mmhuman_dto.fileio.camera_poses import read_camera_poses
from mmhuman_dto.fileio.glb_mesh import GlbMesh
from mmhuman_dto.fileio.image_header import image_size
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.fileio.obj import ObjMesh
from mmhuman_dto.fileio.ply_mesh import PlyMesh
from mmhuman_dto.fileio.video import VideoReader
from mmhuman_dto.generation.manifest import prepare_folder, read_manifest
from mmhuman_dto.models.heads.people_head import PeopleHead
from mmhuman_dto.perception import ExifFocal, GivenFocal, PrecomputedAges, PrecomputedDepth, PrecomputedMasks
from mmhuman_dto.results.base import ReaderContext
from mmhuman_dto.results.nlf import NLF
from mmhuman_dto.results.romp import ROMP
from mmhuman_dto.results.sam3d_body import Sam3DBody
from mmhuman_dto.results.smpl_family import SmplFamily
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.tables.people_file import read_people, write_people
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder

SIZE = 6, 8
_MESH = np.float32([[0, 0, 4], [1, 0, 4], [0, 1.5, 4]])
_RAMP = np.arange(1, 49).reshape(SIZE).astype(np.uint16)


class Case(NamedTuple):
    """A format: ``write(path)`` a valid file, ``read(path)`` all of it; ``pickled`` where objects may be in it."""
    name: str
    write: callable
    read: callable
    pickled: str = ''


class Call:
    """Pickles as a call of ``function(*args)``, with an optional state."""

    def __init__(self, function, *args, state=None):
        self.reduced = function, args, state

    def __reduce__(self):
        return self.reduced


def npy_bytes(descr, shape, content=b'', version=1, length=None):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = (length or len(header)).to_bytes(2 * version, 'little')
    return b'\x93NUMPY' + bytes([version, 0]) + length + header + content


def sample_of(img_id='a.jpg'):
    rng = np.random.default_rng(0)
    rows = {name: torch.from_numpy(rng.normal(0, .3, (2, *shape)).astype(np.float32)) for name, shape in (
        ('global_orient', (3, )), ('body_pose', (23, 3)), ('betas', (11, )), ('transl', (3, )))}
    return HumanDataSample(
        metainfo=dict(img_id=img_id, ori_shape=SIZE, body_model='OpenBody'), pred_instances=People(**rows),
        pred_camera=Camera(intrinsics=torch.tensor([[9., 0, 4], [0, 9, 3], [0, 0, 1]])))


def everything():
    """Plain data of all kinds that pickles may hold."""
    return dict(
        array=np.arange(6.).reshape(2, 3), objects=np.array([1, 'x', [np.ones(2)]], object), text='é' * 5, kinds={1, 2},
        tensor=torch.arange(3.), sparse=scipy.sparse.csr_matrix(np.eye(3)), raw=bytearray(b'xy'), number=2**70,
        nested=(1, (2., [{'a': None}])), scalar=np.float32(3))


def body():
    rng = np.random.default_rng(0)
    return dict(
        v_template=rng.normal(size=(8, 3)), shapedirs=rng.normal(size=(8, 3, 2)), posedirs=rng.normal(size=(8, 3, 207)),
        weights=rng.random((8, 24)), J_regressor=scipy.sparse.csc_matrix(np.eye(24, 8)), f=np.array([[0, 1, 2]]),
        kintree_table=np.stack([np.arange(24) - 1, np.arange(24)]).astype(np.uint32))


def pickled(value, protocol=4):
    return lambda path: path.write_bytes(pickle.dumps(value, protocol=protocol))


def dumped(value, **options):
    def write(path):
        import joblib  # here, so that its absence costs its own tests alone
        joblib.dump(value, path, **options)
    return write


def saved(**arrays):
    return lambda path: np.savez_compressed(path, **arrays)


def text(value):
    return lambda path: path.write_text(json.dumps(value))


def picture(**options):
    def write(path):
        exif = Image.Exif()
        exif[0x0112], exif[0xA405] = 6, 35
        noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
        Image.fromarray(noise).save(path, exif=exif, **options)
    return write


def drawn(values):
    return lambda path: cv2.imwrite(str(path), values)


def checkpoint(legacy):
    state = dict(state_dict=dict(weight=torch.arange(6.).reshape(2, 3), bias=torch.ones(2)), meta=dict(epoch=1))
    return lambda path: torch.save(state, path, _use_new_zipfile_serialization=not legacy)


def video(codec):
    def write(path):
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 5, (32, 24))
        for value in range(3):
            writer.write(np.full((24, 32, 3), 80 * value, np.uint8))
        writer.release()
    return write


def table(path):
    builder = PeopleTableBuilder('OpenBody')
    for number in range(2):
        builder.add(sample_of(f'{number}.jpg'))
    builder.write(path.parent / 't')
    (path.parent / 't' / path.name).replace(path)


def items(found):
    return [found[index] for index in range(len(found))]


def read_table(path):
    (path.parent / 't' / path.name).write_bytes(path.read_bytes())
    return items(PeopleTable(path.parent / 't'))


def annots(**person):
    return saved(annots=np.array({'a.jpg': [person]}, object))


def manifest(path):
    prepare_folder(path.parent / 'run', False, dict(a=1), ['a.jpg'])
    (path.parent / 'run' / 'manifest.json').replace(path)


def whole(reader):
    return lambda path: items(reader(path.name, data_root=str(path.parent)))


def source(build):
    """A source that finds ``a.*`` in the folder."""
    return lambda path: build(path)([sample_of(f'a{path.suffix}')])


def photos(path):
    for photo in open_photos(path):
        if photo.error:
            raise ValueError(photo.error)


def frames_by_number(path):
    video = VideoReader(path)
    return video.times, video[1], list(video.frames(2))


def look(path):
    focal, = ExifFocal()([HumanDataSample(metainfo=dict(img_path=str(path), ori_shape=SIZE))])
    assert focal > 0 or np.isnan(focal)
    return image_size(path), read_image(path)


def all_of(path):
    with load_npz(path) as arrays:
        return dict(arrays)


def depth_of(path):
    return PrecomputedDepth('', path.suffix, 'disparity', data_root=path.parent)


def views_of(path):
    return PrecomputedDepth('', kind='depth', layout=dict(type='DepthAnything3'), data_root=path.parent)


def exr(path):
    openexr = pytest.importorskip('OpenEXR', reason='extra [exr] is not installed')
    openexr.File({}, {'Y': np.float32(_RAMP)}).write(str(path))


def pfm(path):
    path.write_bytes(b'Pf\n8 6\n-1.0\n' + _RAMP.astype('<f4').tobytes())


def small_openbody(path):
    """OpenBody's asset with 2 of its faces and no shapes."""
    data = dict(np.load(ASSET))
    np.savez_compressed(path, **{**data, 'faces': data['faces'][:2], 'shape_dirs': data['shape_dirs'] * 0})


def camera_poses(path):
    poses = read_camera_poses(path)
    assert torch.isfinite(poses.poses).all() and torch.isfinite(poses.stamps).all()


def colmap_text(path):
    path.write_text('# pictures\n1 1 0 0 0 .5 0 4 1 f_0.png\n\n2 .6 .8 0 0 0 0 4 1 f_1.png\n3 4 -1\n')


def colmap_binary(path):
    images = [struct.pack('<i7di', number, 1, 0, 0, 0, .5, 0, 4, 1) + b'f_%d.png\0' % number
              + struct.pack('<Qddq', 1, 3, 4, -1) for number in range(2)]
    path.write_bytes(struct.pack('<Q', 2) + b''.join(images))


def results(reader):
    return lambda path: reader(path, ReaderContext(bodies=SmplFamily())).read()


CASES = [
    Case('a.pkl', pickled(everything()), load_pickle, 'pickle'),
    Case('python2.pkl', pickled(everything(), 2), load_pickle),
    Case('tracks.pkl', dumped(everything()), load_joblib, 'pickle'),
    Case('compressed.pkl', dumped(everything(), compress='zlib'), load_joblib),
    Case('SMPL_NEUTRAL.pkl', pickled(body()), lambda path: read_body(path, 24), 'pickle'),
    Case('SMPLX_NEUTRAL.npz', saved(**{**body(), 'J_regressor': np.eye(24, 8)}), lambda path: read_body(path, 24),
         'npz:weights'),
    Case('J_regressor_extra.npy', lambda path: np.save(path, np.ones((9, 8))), lambda path: read_matrix(path, (9, 8)),
         'npy'),
    Case('a.npz', saved(a=np.arange(3), b=np.array(everything(), object)), all_of, 'npz:b'),
    Case('a.npy', lambda path: np.save(path, np.array([{}, 'x'], object)), load_npy, 'npy'),
    Case('smpl_mean_params.npz', saved(pose=np.zeros(144), shape=np.zeros(10)),
         lambda path: PeopleHead(8, 1, mean_params=path), 'npz:pose'),
    Case('DTO.npz', lambda path: write_dto_humans(path, [sample_of()]), whole(DTOHumans), 'npz:annots'),
    Case('opt.npz', lambda path: write_dto_raw(path, [sample_of(), sample_of('b.jpg')]), whole(DTORaw), 'npz:a.jpg'),
    Case('release.npz', saved(
        imgname=np.array(['a.jpg', 'b.jpg'], object), center=np.ones((2, 2)), scale=np.ones(2), shape=np.zeros((2, 10)),
        cam_int=np.stack([np.eye(3)] * 2), pose_cam=np.zeros((2, 72)), trans_cam=np.ones((2, 3)),
        gtkps=np.ones((2, 44, 3))), whole(CameraHMRRelease), 'npz:shape'),
    Case('val_annots.npz', annots(bbox=[0, 0, 3, 4], kp2d=[[1., 2, 1]] * 14, depth_id=0, age=-1, gender=1),
         whole(RelativeHuman), 'npz:annots'),
    Case('mupots_annots.npz', annots(annot_2d=np.ones((17, 2)), annot_3d=torch.ones(17, 3), vis=np.ones(17),
                                     annot_3d_univ=np.ones((17, 3))), whole(MuPoTS), 'npz:annots'),
    Case('coco.json', text(dict(
        images=[dict(id=1, file_name='a.jpg', width=8, height=6)], annotations=[dict(
            image_id=1, category_id=1, keypoints=[1, 2, 2] * 17, bbox=[0, 0, 3, 4], area=9.5, iscrowd=0)])),
         whole(COCOKeypoints)),
    Case('a.json', text({'a': [1, 2.5, None, 'é']}), load_json),
    Case('people.json', lambda path: write_people(path, sample_of()), read_people),
    Case('people.npz', lambda path: write_people(path, sample_of()), read_people, 'npz:people.betas'),
    Case('schema.json', table, read_table),
    *(Case(f'{name}.npy', table, read_table, 'npy') for name in ('people.transl', 'people.offsets', 'image.id.bytes')),
    Case('manifest.json', manifest, lambda path: read_manifest(path.parent)),
    Case('ages.json', text({'a.json': dict(ages=[3, None], male_probs=[.5, 1])}),
         source(lambda path: PrecomputedAges(path.name, data_root=path.parent))),
    Case('focal.json', text({'a.json': 900.5}), source(lambda path: GivenFocal(path.name, data_root=path.parent))),
    Case('a.npz', saved(ages=np.ones(2), male_probs=np.ones(2)),
         source(lambda path: PrecomputedAges('', data_root=path.parent)), 'npz:ages'),
    Case('a.npz', saved(disparity=_RAMP * .5), source(depth_of), 'npz:disparity'),
    Case('a.npy', lambda path: np.save(path, _RAMP), source(depth_of), 'npy'),
    Case('a.png', drawn(_RAMP), source(depth_of)),
    Case('a.pfm', pfm, source(depth_of)),
    Case('a.exr', exr, source(depth_of)),
    Case('a.pt', lambda path: torch.save(dict(disparity=torch.from_numpy(_RAMP * .5)), path), source(depth_of),
         'torch'),
    Case('results.npz', saved(depth=_RAMP[None] * .5, intrinsics=np.eye(3)[None] + 2), source(views_of), 'npz:depth'),
    Case('a.png', drawn((_RAMP % 3).astype(np.uint8)),
         source(lambda path: PrecomputedMasks('', data_root=path.parent))),
    *(Case(f'picture.{suffix}', picture(), look)
      for suffix in ('png', 'jpg', 'webp', 'gif', 'bmp', 'ppm', 'jp2', 'avif')),
    Case('picture.tiff', picture(compression='tiff_lzw'), look),
    Case('video.avi', video('MJPG'), photos),
    Case('video.mp4', video('mp4v'), photos),
    Case('video.mkv', video('VP90'), frames_by_number),
    Case('weights.pth', checkpoint(False), read_state, 'torch'),
    Case('old.pth', checkpoint(True), read_state, 'legacy'),
    Case('load_from.pth', checkpoint(False), load_local, 'torch'),
    Case('weights.safetensors', lambda path: save_file(dict(weight=torch.ones(2, 3), bias=torch.ones(2)), path),
         read_state),
    Case('openbody.npz', small_openbody, OpenBody, 'npz:faces'),
    Case('mesh.ply', lambda path: path.write_bytes(ply(_MESH, [[0, 1, 2]], 'binary')), PlyMesh),
    Case('text.ply', lambda path: path.write_bytes(ply(_MESH, [[0, 1, 2]], 'ascii')), PlyMesh),
    Case('mesh.obj', lambda path: path.write_text('v 0 0 0 1 1 1\nv 1 0 0\nv 0 1 2e-1\nf 1/1 2/2 3/3\n'), ObjMesh),
    Case('mesh.glb', lambda path: path.write_bytes(glb(_MESH, [[0, 1, 2]])), GlbMesh),
    Case('images.txt', colmap_text, camera_poses),
    Case('images.bin', colmap_binary, camera_poses),
    Case('trajectory.txt', lambda path: path.write_text('# DPVO\n0 1 2 3 0 0 0 1\n1 1 2 3.5 .6 0 .8 0\n'),
         camera_poses),
    Case('poses.npz', saved(world_to_camera=np.stack([np.eye(4)] * 2), times=np.arange(2.)), camera_poses,
         'npz:world_to_camera'),
    Case('poses.json', text(dict(world_to_camera=[np.eye(4).tolist()] * 2, metric=False)), camera_poses),
    Case('photo.pkl', pickled({'faces': np.array([[0, 1, 2]]), 'a.jpg': [dict(
        pred_vertices=_MESH, pred_cam_t=np.float32([0, 0, 3]), focal_length=9., bbox=np.ones(4), mask=None,
        pred_keypoints_3d=np.ones((70, 3)), pred_keypoints_2d=np.ones((70, 2)))]}), results(Sam3DBody), 'pickle'),
    Case('photo.npz', saved(results=dict(
        smpl_thetas=np.ones((1, 72)), smpl_betas=np.ones((1, 10)), cam_trans=np.ones((1, 3)),
        joints=np.zeros((1, 24, 3)))), results(ROMP), 'npz:results'),
    Case('photo.pt', lambda path: torch.save(dict(
        pose=[torch.ones(1, 72)], betas=[torch.ones(1, 10)], trans=[torch.ones(1, 3)],
        vertices3d=[1000 * torch.from_numpy(_MESH)[None]]), path), results(NLF), 'torch')]


def named(case):
    """For messages: the file's name, and the number of the case where names repeat."""
    return f'{CASES.index(case):02d}-{case.name}'


def in_folder(case, folder):
    """A valid file of the case, in a new folder."""
    path = Path(folder) / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    case.write(path)
    return path
