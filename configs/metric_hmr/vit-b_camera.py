# Stage 2 of 3: the camera branch, on what stage 1 has learned; depths are left to the focal length. 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/metric_hmr.py', '../_base_/datasets/agora_bedlam_4dhumans-2d.py',
    '../_base_/schedules/adamw_cosine_200k.py', '../_base_/default_runtime.py',
]

model = dict(
    head=dict(num_betas=10),
    body_model=dict(type='SMPL'),
    criterion=dict(losses=dict(depths=None, depths_mt=None)))
load_from = 'work_dirs/vit-b_agora-bedlam-4dhumans-2d/iter_200000.pth'
