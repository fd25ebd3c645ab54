"""As test_kinds.py for programs that say bodies of the SMPL family, in pictures and videos."""
import numpy as np
import pytest
import torch
from results import test_camerahmr as camerahmr
from results import test_gvhmr as gvhmr
from results import test_human3r as human3r
from results import test_obj_4dhumans as obj_4dhumans
from results import test_phalp as phalp
from results import test_prompthmr as prompthmr
from results import test_prompthmr_video as prompthmr_video
from results import test_smplerx as smplerx
from results import test_tram as tram
from results import test_wham as wham
from results.videos import body, model_files, true_tracks

from mmhuman_dto.apis.placing import place
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.fileio.plain_pickle import write_pickle


def tracks_of_tram(folder):
    (folder / 'hps').mkdir()
    np.save(folder / 'camera.npy', tram.camera())
    for number, truth in enumerate(true_tracks()):
        np.save(folder / 'hps' / f'hps_track_{number}.npy', tram.track(truth))


def meshes_of_4dhumans(folder):
    for person, vertices in enumerate(obj_4dhumans.meshes()[0]):
        obj_4dhumans.write_obj(folder / f'000001_{person}.obj', vertices * [1, -1, -1], body('smpl').faces)


def people_of_prompthmr(folder):
    (folder / '000001.jpg').mkdir()
    torch.save(prompthmr.content(), folder / '000001.jpg' / 'output.pt')


def people_of_human3r(folder):
    for name, content in zip(('smpl', 'camera'), human3r.content(0)):
        (folder / name).mkdir()
        np.savez(folder / name / '000001.npz', **content)


#: Kind -> (writer of a folder, what of it is the results).
KINDS = {
    'phalp': (lambda folder: write_pickle(folder / 'v.pkl', phalp.content()), 'v.pkl'),
    'wham': (lambda folder: write_pickle(folder / 'wham_output.pkl', wham.content()), ''),
    'tram': (tracks_of_tram, ''),
    'gvhmr': (lambda folder: torch.save(gvhmr.content(), folder / 'hmr4d_results.pt'), ''),
    'prompthmr': (people_of_prompthmr, ''),
    'prompthmr_video': (lambda folder: write_pickle(folder / 'results.pkl', prompthmr_video.content()), ''),
    '4dhumans': (meshes_of_4dhumans, ''),
    'camerahmr': (lambda folder: np.savez(folder / '000001.npz', **camerahmr.content()), ''),
    'smplerx': (smplerx.write, ''),
    'human3r': (people_of_human3r, ''),
}


@pytest.mark.parametrize('kind', KINDS)
def test_people_are_found_again_where_they_were_placed(tmp_path, kind):
    write, name = KINDS[kind]
    source, pictures = tmp_path / 'in', tmp_path / 'pictures'
    source.mkdir()
    write(source)
    for number in range(1, 5):
        write_image(pictures / f'{number:06d}.jpg', np.full((480, 720, 3), 127, np.uint8))
    options = dict(body_models=model_files(), focal='results')

    placed = place(source / name, pictures, **options).finish()
    assert placed.reader.kind == kind
    moved = [move.shift.norm(dim=1).max() for move in placed._moves if len(move.shift)]
    assert max(moved) > .02
    want = [image.people.pelvis + move.shift for image, move in zip(placed.results.images, placed._moves)]
    placed.write_back(tmp_path / 'out')
    again = place(tmp_path / 'out' / name, pictures, dto=False, **options).results.images
    assert len(again) == len(want)
    for image, pelvis in zip(again, want):
        # Of meshes alone the pelvis is that of the regressor.
        np.testing.assert_allclose(image.people.pelvis, pelvis, atol=1e-3)
