"""What Blender makes of the files: joints and meshes stand where the body model has them.

Blender comes as the package ``bpy``, for one version of Python and under the GPL, hence in an environment of its own:
``python3.13 -m venv B; B/bin/pip install bpy``. The variable ``BPY_PYTHON`` names its Python, ``B/bin/python``.
"""
import json
import os
import re
import subprocess

import numpy as np
import pytest
import torch
from moving_people import walking_clip
from scripts import ROOT

from mmhuman_dto.body_models import SMPL, OpenBody
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.visualization import Placement, Scene
from mmhuman_dto.visualization.clip_motion import camera_to_world, motions_of
from mmhuman_dto.visualization.clip_writers import save_clip
from mmhuman_dto.visualization.writers import save_scene

#: What is asked for when a file is imported, as docs/export.md says; the others need nothing.
OPTIONS = dict(bvh=dict(global_scale=.01, axis_forward='-Z', axis_up='Y'), bvh_m=dict(axis_forward='-Z', axis_up='Y'),
               ply=dict(forward_axis='NEGATIVE_Z', up_axis='Y'))
IMPORT = '''
import json, sys
import bpy

found = []
for kind, path, options in json.loads(sys.argv[1]):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    ops = dict(glb=bpy.ops.import_scene.gltf, usd=bpy.ops.wm.usd_import, ply=bpy.ops.wm.ply_import,
               obj=bpy.ops.wm.obj_import, fbx=bpy.ops.import_scene.fbx)
    ops.get(kind, bpy.ops.import_anim.bvh)(filepath=path, **options)
    bpy.context.scene.frame_set(1)
    seen = bpy.context.evaluated_depsgraph_get()
    things = dict(meshes={}, bones={}, notes={})
    for thing in bpy.data.objects:
        posed = thing.evaluated_get(seen)
        if thing.type == 'ARMATURE':
            things['bones'][thing.name] = {bone.name: list(posed.matrix_world @ bone.head) for bone in posed.pose.bones}
        elif thing.type == 'MESH':
            things['meshes'][thing.name] = [list(posed.matrix_world @ v.co) for v in posed.to_mesh().vertices]
        things['notes'][thing.name] = {key: thing[key] for key in thing.keys() if key in ('height_m', 'distance_m')}
    found.append(things)
print('FOUND' + json.dumps(found))
'''
PLAY = '''
import json, sys
import bpy

kind, path, rate, frames = json.loads(sys.argv[1])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = rate
dict(glb=bpy.ops.import_scene.gltf, usd=bpy.ops.wm.usd_import)[kind](filepath=path)
found = []
for frame in frames:
    scene.frame_set(int(frame), subframe=frame % 1)
    seen, bones = bpy.context.evaluated_depsgraph_get(), {}
    for thing in bpy.data.objects:
        if thing.type == 'ARMATURE':
            posed = thing.evaluated_get(seen)
            bones[thing.name] = {bone.name: list(posed.matrix_world @ bone.head) for bone in posed.pose.bones}
    camera, = (thing.evaluated_get(seen) for thing in bpy.data.objects if thing.type == 'CAMERA')
    found.append([bones, list(camera.matrix_world.translation)])
print('FOUND' + json.dumps(found))
'''
#: The program of the docs that makes an FBX of a glb.
MAKE_FBX, = re.findall('```text\n(# glb2fbx.py\n.*?)```', (ROOT / 'docs/export.md').read_text(), re.S)


def blender_python():
    python = os.environ.get('BPY_PYTHON')
    if not python:
        pytest.skip('BPY_PYTHON does not name a Python with bpy')
    return python


def found_by(python, program, arguments):
    line, = (line for line in run(python, program, arguments).splitlines() if line.startswith('FOUND'))
    return json.loads(line.removeprefix('FOUND'))


@pytest.fixture
def blender():
    """[(kind, path)] -> what Blender has after the import of each."""
    python = blender_python()

    def open_all(files):
        fbx = [str(path) for kind, path in files if kind == 'fbx']
        for path in fbx:
            run(python, MAKE_FBX, path.replace('fbx', 'glb'), path)
        arguments = json.dumps([(kind, str(path), OPTIONS.get(kind, {})) for kind, path in files])
        return found_by(python, IMPORT, arguments)

    return open_all


def run(python, program, *arguments):
    done = subprocess.run([python, '-c', program, *arguments], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scene_of(body_model):
    generator = torch.Generator().manual_seed(1)
    pose = torch.randn(2, 24, 3, generator=generator) * .3
    pose[:, 0] += torch.tensor([np.pi, 0, 0])
    pose[0, 18] = torch.tensor([np.pi / 2, 0, 0])
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.randn(2, body_model.num_betas) * .5,
                    transl=torch.tensor([[-.5, .3, 4], [.6, .2, 5]]))
    sample = HumanDataSample(pred_instances=people, pred_camera=Camera(
        intrinsics=torch.tensor([[200., 0, 120], [0, 200, 100], [0, 0, 1]])))
    return Scene('a.jpg', np.zeros((200, 240, 3), np.uint8), body_model.faces.numpy(),
                 Placement.from_sample(sample, body_model))


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['OpenBody', 'SMPL'])
def test_blender_has_people_where_they_are(kind, blender, tmp_path):
    body_model = OpenBody() if kind == 'OpenBody' else SMPL(write_synthetic_smpl(tmp_path / 'smpl'))
    scene = scene_of(body_model)
    people, ground = scene.before.people, scene.ground
    with torch.no_grad():
        posed = body_model(people.pose, people.betas, people.transl)
    to_blender = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # level frame -> x right, y away, z up
    vertices, joints = (ground.level(points.double().numpy()) @ to_blender.T for points in posed)
    save_scene(scene, tmp_path, 'a', ['glb', 'usd', 'bvh', 'bvh_m', 'ply', 'obj'])
    names = dict(glb='a.glb', usd='a.usdc', bvh='a/person_1.bvh', bvh_m='a/person_1.bvh', ply='a/person_1.ply',
                 obj='a.obj', fbx='a.fbx')
    (tmp_path / 'fbx').mkdir()
    found = dict(zip(names, blender([(kind, tmp_path / kind / name) for kind, name in names.items()])))
    bones, drawn = body_model.joint_names[:24], np.unique(scene.faces)
    for number in (0, 1):
        for kind in ('glb', 'usd', 'fbx'):
            places = found[kind]['bones'][f'person_{number}_skeleton']
            np.testing.assert_allclose([places[name] for name in bones], joints[number, :24], atol=1e-4)
        np.testing.assert_allclose(found['usd']['meshes'][f'person_{number}_mesh'], vertices[number], atol=1e-4)
        # The importers of glTF and OBJ leave out vertices without a face.
        for kind in ('glb', 'fbx'):
            np.testing.assert_allclose(found[kind]['meshes'][f'person_{number}'], vertices[number, drawn], atol=1e-4)
        in_camera = scene.before.vertices[number, drawn] @ to_blender.T
        np.testing.assert_allclose(found['obj']['meshes'][f'person_{number}'], in_camera, atol=1e-4)
        height = found['glb']['notes'][f'person_{number}']['height_m']
        assert height == pytest.approx(scene.before.heights[number], abs=1e-3)
    for kind in ('bvh', 'bvh_m'):
        places = found[kind]['bones']['person_1']
        np.testing.assert_allclose([places[name] for name in bones], joints[1, :24], atol=1e-4)
    np.testing.assert_allclose(found['ply']['meshes']['person_1'], vertices[1], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['glb', 'usd'])
def test_blender_plays_clips(kind, tmp_path):
    body_model = OpenBody()
    clip = walking_clip(body_model)
    clip.camera_poses = torch.eye(4, dtype=torch.float64).repeat(len(clip), 1, 1)
    clip.camera_poses[:, 0, 3] = -.2 * clip.times
    path, = save_clip(clip, body_model, tmp_path, 'a', [kind])
    frames = (0, 3, 10.5, 13, 21, 35)
    to_blender = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    played = found_by(blender_python(), PLAY, json.dumps([kind, str(path), 10, frames]))
    for frame, (bones, camera) in zip(frames, played, strict=True):
        if frame % 1 == 0:
            place = camera_to_world(clip, body_model)[frame, :3, 3] @ to_blender.T
            np.testing.assert_allclose(camera, place, atol=1e-4)
        for motion in motions_of(clip, body_model):
            places = bones[f'person_{motion.track_id}_skeleton']
            joints = np.array([places[name] for name in motion.skeleton.names])
            if any(start <= frame / 10 < stop for start, stop in motion.spans):
                truth = motion.skeleton.at(motion.times, [frame / 10]).world()[1][0] @ to_blender.T
                np.testing.assert_allclose(joints, truth, atol=1e-5)
            else:
                assert np.ptp(joints, axis=0).max() < .002
