"""Files of each program, placed and written back: who reads them again finds the people where they were placed."""
import json

import numpy as np
import pytest
import torch
from mesh_files import ply
from results import peers
from results import test_anny_fit as anny_fit
from results import test_meshes as meshes
from results import test_multi_hmr as multi_hmr
from results import test_multi_hmr2 as multi_hmr2
from results import test_nlf as nlf
from results import test_romp as romp
from results import test_sam3d_body as sam3d_body

from mmhuman_dto.apis.placing import place
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.results import anny_bodies
from mmhuman_dto.results.stored import load_stored


def notebook(folder):
    for i, vertices in enumerate(peers.crowd().vertices):
        content = ply(vertices * [1, -1, -1], peers.crowd().faces, 'binary')
        (folder / f'photo_mesh_{i:03d}.ply').write_bytes(content)
    (folder / 'photo_focal_length.json').write_text(json.dumps({'focal_length': 812.}))


def lists(folder):
    peers.dump(folder / 'photo.pkl', sam3d_body.outputs())
    np.save(folder / 'faces.npy', sam3d_body.FACES)


#: Name -> (kind, writer of a folder, whether meshes are absolute and so grow in the file).
KINDS = {
    'meshes': ('meshes', meshes.written, True),
    'lists': ('sam3d_body', lists, False),
    'notebook': ('sam3d_body', notebook, True),
    'multi_hmr': ('multi_hmr', lambda folder: torch.save(multi_hmr.humans(), folder / 'photo.pt'), False),
    'multi_hmr_anny': ('multi_hmr_anny', lambda folder: torch.save(
        multi_hmr.humans(13718, anny=True), folder / 'photo.pt'), True),
    'multi_hmr2': ('multi_hmr2', multi_hmr2.write_results, True),
    'anny_fit': ('anny_fit', lambda folder: anny_fit.write_results(folder / 'photo'), False),
    'nlf': ('nlf', lambda folder: torch.save(nlf.detected(), folder / 'photo.pt'), False),
    'romp': ('romp', lambda folder: np.savez(folder / 'photo.npz', results=romp.results_of()), False),
    'bev': ('bev', lambda folder: np.savez(folder / 'photo.npz', results=romp.results_of(True)), False),
}


@pytest.mark.parametrize('name', KINDS)
def test_people_are_found_again_where_they_were_placed(tmp_path, monkeypatch, name):
    kind, write, grows = KINDS[name]
    # Anny's triangles do not fit to the stand-ins of its meshes, so that heights cannot be measured.
    body = anny_fit.StandIn() if kind in ('anny_fit', 'multi_hmr_anny') else None
    monkeypatch.setattr(anny_bodies, 'anny_body', lambda: body)
    (tmp_path / 'in').mkdir()
    write(tmp_path / 'in')
    write_image(tmp_path / 'pictures/photo.png', np.full((480, 720, 3), 127, np.uint8))

    still = place(tmp_path / 'in', tmp_path / 'pictures', dto=False, focal='results')
    before, = still.results.images
    assert still.reader.kind == kind and len(list(still)) == 1
    for path in still.write_back(tmp_path / 'same'):
        peers_file(path, tmp_path / 'in' / path.relative_to(tmp_path / 'same'))

    placed = place(tmp_path / 'in', tmp_path / 'pictures', focal='results')
    scene, = placed
    people = scene.sample.pred_instances
    assert (people.pelvis - before.people.pelvis).norm(dim=1).max() > .05
    placed.write_back(tmp_path / 'out')
    again = place(tmp_path / 'out', tmp_path / 'pictures', kind, dto=False, focal='results').results.images[0].people
    # The notebook's meshes have no joints to hold them by, only the middle of their surface.
    np.testing.assert_allclose(again.pelvis, people.pelvis, atol=2e-4 if name != 'notebook' else 2e-3)
    if grows:
        np.testing.assert_allclose(again.vertices, people.vertices, atol=1e-3)


def test_a_picture_that_nobody_is_in_and_nobody_has(tmp_path):
    lists(tmp_path)
    peers.dump(tmp_path / 'empty.pkl', [])
    placed = place(tmp_path)
    assert [len(scene.sample.pred_instances) for scene in placed] == [0, 3]
    assert len(placed.write_back(tmp_path / 'out')) == 3


def peers_file(path, before):
    """Assert that a file that was written back is the one that was read."""
    if path.suffix in ('.ply', '.json', '.glb'):
        assert path.read_bytes() == before.read_bytes()
    else:
        peers.alike(*(load_stored(file).content for file in (path, before)))
