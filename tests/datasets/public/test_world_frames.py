"""Bodies of a world frame come to stand in the camera's: every vertex, for any body and any camera."""
import pickle
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.datasets.public.three_dpw import ThreeDPW
from mmhuman_dto.datasets.public.world import RestPelvis, world_to_camera
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.registry import BODY_MODELS

PELVIS = RestPelvis(dict(type='OpenBody'))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 3), own_camera=st.booleans())
def test_vertices_are_those_the_camera_sees(body_model, seed, count, own_camera):
    generator = torch.Generator().manual_seed(seed)
    pose, betas, transl = (torch.randn(count, *size, generator=generator) for size in ((24, 3), (11, ), (3, )))
    cameras = (count, ) if own_camera else ()
    rotation = axis_angle_to_matrix(2 * torch.randn(*cameras, 3, generator=generator))
    translation = 3 * torch.randn(*cameras, 3, generator=generator)
    world = body_model(pose, betas, transl).vertices
    seen = torch.einsum('...ij,...vj->...vi', rotation, world) + translation[..., None, :]
    orient, moved = world_to_camera(pose[:, 0], transl, PELVIS(betas), rotation, translation)
    posed = body_model(torch.cat([orient[:, None], pose[:, 1:]], 1), betas, moved).vertices
    torch.testing.assert_close(posed, seen, atol=2e-5, rtol=0)


@pytest.fixture(scope='module')
def smpl(synthetic_smpl, tmp_path_factory):
    """SMPL files whose male and female bodies have their pelvis elsewhere than the neutral one."""
    root = shutil.copytree(synthetic_smpl, tmp_path_factory.mktemp('gendered') / 'models')
    for gender, shift in (('MALE', .05), ('FEMALE', -.08)):
        path = root / 'smpl' / f'SMPL_{gender}.pkl'
        body = pickle.loads(path.read_bytes())
        body['v_template'] = body['v_template'] + np.array([0, shift, shift])
        path.write_bytes(pickle.dumps(body))
    return root


@pytest.mark.parametrize('key, names', [('genders', ['male', 'female', 'm', 'Female']), ('gender', 'neutral')])
def test_each_person_turns_about_the_pelvis_of_the_own_body(tmp_path, smpl, key, names):
    config = dict(type='SMPL', model_path=str(smpl))
    generator = torch.Generator().manual_seed(0)
    count = 1 if isinstance(names, str) else len(names)
    pose, betas, transl = (torch.randn(count, *size, generator=generator) for size in ((24, 3), (10, ), (3, )))
    rotation, translation = axis_angle_to_matrix(torch.tensor([2., 1, -1])), torch.tensor([.5, -1, 4])
    record = dict(betas=betas, global_orient=pose[:, 0], body_pose=pose[:, 1:].flatten(1), transl=transl,
                  cam_intrinsics=torch.eye(3), cam_rot=rotation, cam_trans=translation, **{key: names})
    np.savez(tmp_path / 'x.npz', annots=np.array({'a.jpg': record}, dtype=object))
    reader = ThreeDPW('x.npz', body_model=config, data_root=tmp_path,
                      gendered={gender: dict(config, gender=gender) for gender in ('male', 'female')})
    people = reader[0].gt_instances
    for row, name in enumerate([names] if isinstance(names, str) else names):
        gender = dict(m='male', f='female', n='neutral')[name[0].lower()]
        body = BODY_MODELS.build(dict(config, gender=gender))
        seen = body(pose[row], betas[row], transl[row]).vertices @ rotation.T + translation
        posed = body(people.pose[row], people.betas[row], people.transl[row]).vertices
        torch.testing.assert_close(posed, seen, atol=2e-5, rtol=0)
        assert people.male_probs[row].nan_to_num(-1) == dict(male=1, female=0, neutral=-1)[gender]
