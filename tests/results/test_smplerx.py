import json

import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole, shown
from results.videos import SIZE, model_files, npz_of, posed, refuses_pickles, true_tracks

from mmhuman_dto.fileio.obj import ObjMesh
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.smplerx import SmplerX

#: (height, width) is that of the picture; boxes (x, y, width, height) of the two people.
BOXES = ([100., 50, 150, 200], [400., 100, 90, 120])
FOCAL = float(np.hypot(*SIZE))


def crop_camera(person):
    left, top, width, height = BOXES[person]
    return pinhole(5000 * width / 192, left + width / 2, top + height / 2)


def truth():
    """Poses, betas, transl, vertices and joints of two people in one camera; hands relative to the mean."""
    tracks = true_tracks('smplx', True)[:2]
    return tuple(np.concatenate([getattr(track, name)[:1] for track in tracks])
                 for name in ('pose', 'betas', 'transl', 'vertices', 'joints'))


def before_crop(person):
    """transl and vertices before the camera of the box, which shows the pelvis where the picture's camera does."""
    pose, betas, transl, _, joints = (values[person:person + 1] for values in truth())
    camera, pelvis = crop_camera(person), joints[0, 0]
    depth = pelvis[2] * camera[0, 0] / FOCAL
    pixel = shown(pelvis, pinhole(FOCAL, 360, 240))
    place = [*((pixel - camera[:2, 2]) / camera[0, 0] * depth), depth]
    moved = (transl + place - pelvis).astype(np.float32)
    return moved, posed('smplx', pose, betas, moved, True)[0][0]


def write(folder, meshes=True, own=True):
    """As main/inference.py leaves one frame; ``own``: the translation is in the meshes."""
    for name in 'smplx', 'meta', 'mesh':
        (folder / name).mkdir(parents=True)
    pose, betas = truth()[:2]
    for person in range(2):
        transl, vertices = before_crop(person)
        joints, camera = pose[person], crop_camera(person)
        np.savez(folder / 'smplx' / f'00001_{person}.npz', global_orient=joints[:1], body_pose=joints[1:22],
                 jaw_pose=joints[22:23], leye_pose=joints[23:24], reye_pose=joints[24:25], left_hand_pose=joints[25:40],
                 right_hand_pose=joints[40:], betas=betas[person:person + 1], expression=np.zeros((1, 10), np.float32),
                 transl=transl)
        (folder / 'meta' / f'00001_{person}.json').write_text(json.dumps(dict(
            focal=[camera[0, 0], camera[1, 1]], princpt=camera[:2, 2].tolist(), bbox=BOXES[person],
            bbox_mmdet=[1, 2, 3, 4], bbox_id=person, img_path='../demo/orig_img/000001.jpg')))
        if meshes:
            rows = vertices if own else vertices - transl[0]
            (folder / 'mesh' / f'00001_{person}.obj').write_text(
                ''.join(f'v {x:.6f} {y:.6f} {z:.6f}\n' for x, y, z in rows) + 'f 1 2 3\n')
    return folder


@pytest.mark.parametrize('meshes, own', [(True, True), (True, False), (False, True)])
def test_people_stand_before_one_camera(tmp_path, meshes, own):
    reader = open_results(write(tmp_path / 'a', meshes, own), None, context(SIZE, model_files()))
    assert isinstance(reader, SmplerX)
    results = reader.read()
    image, = results.images
    vertices, joints = truth()[3:]
    assert image.name == '000001.jpg' and results.focal_is_guess and any('box' in note for note in results.notes)
    np.testing.assert_allclose(image.intrinsics, pinhole(FOCAL, 360, 240), rtol=1e-6)
    np.testing.assert_allclose(image.people.pelvis, joints[:, 0], atol=1e-3)
    np.testing.assert_allclose(image.people.vertices, vertices, atol=1e-3)
    np.testing.assert_allclose(image.people.bboxes, [[100, 50, 250, 250], [400, 100, 490, 220]])


def test_stand_ins(tmp_path):
    image, = open_results(write(tmp_path / 'a'), 'smplerx', context(SIZE)).read().images
    np.testing.assert_allclose(image.people.pelvis, truth()[4][:, 0], atol=.03)


def test_each_camera_of_its_own_would_be_wrong(tmp_path):
    """The depths that the files say are those of other focal lengths: many times too large, in another order."""
    write(tmp_path / 'a')
    depths = [float(np.load(tmp_path / 'a' / 'smplx' / f'00001_{person}.npz')['transl'][0, 2]) for person in range(2)]
    assert depths[0] > 3 * truth()[2][0, 2] and depths[1] > 2 * truth()[2][1, 2]


def test_round_trip_gives_the_same_bytes(tmp_path):
    folder = write(tmp_path / 'a')
    reader = open_results(folder, 'smplerx', context(SIZE))
    written = reader.write(tmp_path / 'out', none_of(reader.read()))
    assert len(written) == 6
    for file in written:
        assert file.read_bytes() == (folder / file.relative_to(tmp_path / 'out')).read_bytes()


@pytest.mark.parametrize('own', [True, False])
def test_moves_put_all_people_of_a_picture_before_its_camera(tmp_path, own):
    folder = write(tmp_path / 'a', own=own)
    reader = open_results(folder, 'smplerx', context(SIZE, model_files()))
    results = reader.read()
    moves = moves_of(results, row=1, camera=torch.tensor(pinhole(600, 350, 240)))
    reader.write(tmp_path / 'out', moves)
    joints, vertices = truth()[4], truth()[3]
    for person in range(2):
        name = f'00001_{person}'
        got, want = (dict(np.load(place / 'smplx' / f'{name}.npz')) for place in (tmp_path / 'out', folder))
        assert changed_keys(got, want) == {'transl'} and got['transl'].dtype == np.float32
        shift = moves[0].shift[person].numpy()
        np.testing.assert_allclose(got['transl'][0], truth()[2][person] + shift, atol=1e-3)
        got, want = (json.loads((place / 'meta' / f'{name}.json').read_text()) for place in (tmp_path / 'out', folder))
        alike({**got, 'focal': 0, 'princpt': 0}, {**want, 'focal': 0, 'princpt': 0})
        assert got['focal'] == [600, 600] and got['princpt'] == [350, 240]
        mesh = ObjMesh(tmp_path / 'out' / 'mesh' / f'{name}.obj').vertices
        place, scale = joints[person, 0], float(moves[0].scale[person])
        want = place + shift + scale * (vertices[person] - place)
        np.testing.assert_allclose(mesh if own else mesh + truth()[2][person] + shift, want, atol=2e-3)
    again = open_results(tmp_path / 'out', None, context(SIZE, model_files())).read()
    assert not again.focal_is_guess and again.images[0].intrinsics[0, 0] == 600
    np.testing.assert_allclose(again.images[0].people.pelvis, results.images[0].people.pelvis + moves[0].shift,
                               atol=1e-4)


def test_errors_name_file_and_key(tmp_path):
    folder = write(tmp_path / 'a')
    with pytest.raises(ResultError, match='00001_0.json: the picture 000001.jpg was not found.*--images'):
        open_results(folder, 'smplerx', context(None)).read()
    body = dict(np.load(folder / 'smplx' / '00001_0.npz'))
    np.savez(folder / 'smplx' / '00001_0.npz', **{**body, 'body_pose': np.zeros((1, 63))})
    with pytest.raises(ResultError, match=r"00001_0.npz, key 'body_pose': shape \(1, 63\), expected \(21, 3\)"):
        open_results(folder, 'smplerx', context(SIZE)).read()
    (folder / 'meta' / '00001_1.json').unlink()
    with pytest.raises(ResultError, match='00001_1.json: not found; it has the camera of the person in 00001_1.npz'):
        open_results(folder, 'smplerx', context(SIZE)).read()
    with pytest.raises(ResultError, match='no smplx/<frame>_<person>.npz; expected a folder'):
        open_results(tmp_path, 'smplerx', context(SIZE)).read()


def test_nothing_is_run(tmp_path):
    folder = write(tmp_path / 'a')
    refuses_pickles(folder / 'smplx' / '00001_0.npz', 'smplerx', folder, npz_of('betas'))
