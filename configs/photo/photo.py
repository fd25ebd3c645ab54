# Photos to people in metres, offline: bundled joints, bodies fitted to them, no depth map.
# On a folder: python tools/generate_dto.py configs/photo/photo.py --cfg-options data_root=DIR
_base_ = ['../_base_/dto/keypoint_fit.py']

stages = dict(detect=dict(before='meshes', type='AddDetections', source=dict(type='BlazePoseJoints')))
