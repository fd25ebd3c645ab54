"""Files give the same joints as the body model, in AMASS's frame, to who poses it by AMASS's names."""
import numpy as np
import pytest
import torch
from rigged_people import moving
from smplx_files import write_smplx

from mmhuman_dto.body_models import SMPL, SMPLX, OpenBody
from mmhuman_dto.fileio.amass import write_amass
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

# z up: what was up (y) is z, what was towards the viewer (z) is -y.
Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def read(path):
    return dict(np.load(path))


def test_smplh_layout(tmp_path):
    body_model = SMPL(write_synthetic_smpl(tmp_path))
    skeleton, joints, betas, pose = moving(body_model, 3)
    write_amass(tmp_path / 'a.npz', skeleton, betas.numpy(), 'neutral', 25, person=4)
    file = read(tmp_path / 'a.npz')
    assert file['poses'].shape == (3, 156) and file['betas'].shape == (16, ) and file['dmpls'].shape == (3, 8)
    assert file['mocap_framerate'] == file['mocap_frame_rate'] == 25 and file['gender'] == 'neutral'
    assert file['person'] == 4 and 'z up' in str(file['coordinates']) and not file['poses'][:, 66:].any()
    np.testing.assert_allclose(file['poses'][:, 3:66], pose[:, 1:22].flatten(1), atol=1e-5)
    hands = np.zeros((3, 2, 3))
    posed = body_model(torch.from_numpy(np.concatenate([file['poses'][:, :66].reshape(3, 22, 3), hands], 1)),
                       torch.from_numpy(file['betas'])[None, :10], torch.from_numpy(file['trans']))
    np.testing.assert_allclose(posed.joints[:, :24], joints @ Z_UP.T, atol=2e-5)


def test_smplx_layout(tmp_path):
    folder = write_smplx(tmp_path)
    body_model = SMPLX(folder, whole_body=True)  # hands at rest are the file's mean: AMASS's are flat
    skeleton, joints, betas, _ = moving(body_model, 3)
    write_amass(tmp_path / 'a.npz', skeleton, betas[:10].numpy(), 'female', 25)
    file = read(tmp_path / 'a.npz')
    assert file['poses'].shape == (3, 165) and file['surface_model_type'] == 'smplx' and file['num_betas'] == 16
    parts = [file[name] for name in ('root_orient', 'pose_body', 'pose_jaw', 'pose_eye', 'pose_hand')]
    assert [part.shape[1] for part in parts] == [3, 63, 3, 6, 90]
    assert np.array_equal(np.concatenate(parts, 1), file['poses']) and file['mocap_time_length'] == 3 / 25
    flat = SMPLX(folder, whole_body=True, flat_hand_mean=True)
    shape = torch.cat([torch.from_numpy(file['betas'])[:10], betas[10:]])
    posed = flat(torch.from_numpy(file['poses']), shape[None], torch.from_numpy(file['trans']))
    np.testing.assert_allclose(posed.joints[:, :24], joints @ Z_UP.T, atol=5e-5)


def test_other_skeletons_are_refused(tmp_path):
    skeleton, *_ = moving(OpenBody())
    with pytest.raises(ValueError, match='a.npz: AMASS has bodies of 24 or 55 bones, these have 20'):
        write_amass(tmp_path / 'a.npz', skeleton._replace(names=skeleton.names[:20]), np.zeros(10), 'neutral', 30)
