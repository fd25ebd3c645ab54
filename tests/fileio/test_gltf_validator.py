"""Files by Khronos' own validator, which npm installs: 0 errors, 0 warnings."""
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from moving_people import walking_clip
from rigged_people import rigged
from smplx_files import write_smplx

from mmhuman_dto.body_models import SMPL, SMPLX, OpenBody
from mmhuman_dto.fileio.gltf import write_glb
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.visualization.clip_writers import save_clip

PROGRAM = '''
const validator = require('gltf-validator'), bytes = require('fs').readFileSync(process.argv[1])
validator.validateBytes(new Uint8Array(bytes)).then(report => console.log(JSON.stringify(report)))
'''
INTRINSICS = np.array([[800., 0, 310], [0, 800, 240], [0, 0, 1]])


@pytest.fixture(scope='session')
def validate(tmp_path_factory):
    """path -> the validator's report."""
    folder = tmp_path_factory.mktemp('gltf_validator')
    if shutil.which('npm') is None:
        pytest.skip('npm, which installs gltf-validator, is not there')
    install = subprocess.run(['npm', 'install', '--prefix', folder, 'gltf-validator@2.0.0-dev.3.10'],
                             capture_output=True, text=True, timeout=120)
    if install.returncode:
        pytest.skip(f'npm cannot install gltf-validator: {install.stderr[-300:]}')

    def report(path):
        run = subprocess.run(['node', '-e', PROGRAM, path], cwd=folder, capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    return report


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['OpenBody', 'SMPL', 'SMPLX', 'meshes', 'nobody'])
def test_khronos_finds_nothing(kind, validate, tmp_path):
    body_model = {'SMPL': lambda: SMPL(write_synthetic_smpl(tmp_path / 'smpl')),
                  'SMPLX': lambda: SMPLX(write_smplx(tmp_path / 'smplx'))}.get(kind, OpenBody)()
    bodies = rigged(body_model, 3)[0] if kind != 'nobody' else []
    if kind == 'meshes':
        bodies = [body._replace(skin=None) for body in bodies]
    write_glb(tmp_path / 'a.glb', bodies, body_model.faces.numpy(), INTRINSICS, (480, 640), (np.eye(3), 1.5),
              dict(units='metres', notes=('focal length guessed', )))
    report = validate(tmp_path / 'a.glb')
    assert (report['issues']['numErrors'], report['issues']['numWarnings']) == (0, 0), report['issues']['messages']
    # The one remark: pygltflib writes a buffer into a file that needs none.
    remarks = [message['code'] for message in report['issues']['messages']]
    assert remarks == (['UNUSED_OBJECT'] if kind == 'nobody' else [])
    assert report['info']['drawCallCount'] == len(bodies)
    assert report['info']['hasSkins'] == (kind not in ('meshes', 'nobody'))
    assert report['info']['hasMorphTargets'] == (kind in ('SMPL', 'SMPLX'))
    assert report['info']['maxInfluences'] == dict(OpenBody=4, SMPL=4, SMPLX=8).get(kind, 0)


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['OpenBody', 'SMPL', 'SMPLX'])
@pytest.mark.parametrize('moves', [False, True])
def test_khronos_finds_nothing_in_a_clip(kind, moves, validate, tmp_path):
    body_model = {'SMPL': lambda: SMPL(write_synthetic_smpl(tmp_path / 'smpl')),
                  'SMPLX': lambda: SMPLX(write_smplx(tmp_path / 'smplx'))}.get(kind, OpenBody)()
    clip = walking_clip(body_model)
    if moves:
        clip.camera_poses = torch.eye(4, dtype=torch.float64).repeat(len(clip), 1, 1)
        clip.camera_poses[:, 0, 3] = .1 * clip.times
    path, = save_clip(clip, body_model, tmp_path, 'a', ['glb'])
    report = validate(path)
    assert report['issues']['messages'] == []
    assert report['info']['animationCount'] == 1 and report['info']['drawCallCount'] == len(clip.tracks)
