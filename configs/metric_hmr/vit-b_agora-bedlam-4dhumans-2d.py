# Stage 1 of 3: find and pose people, with denoising; a fixed camera, adults' shape. Our schedule; 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/metric_hmr.py', '../_base_/datasets/agora_bedlam_4dhumans-2d.py',
    '../_base_/schedules/adamw_cosine_200k.py', '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(init_cfg=dict(
        type='Pretrained', checkpoint='data/weights/dinov2_vit-b_1288.pth', prefix='backbone.')),
    head=dict(num_betas=10),
    camera_head=dict(_delete_=True, type='FixedFoV', input_size=1288),
    body_model=dict(type='SMPL'),
    denoising=dict(type='Denoising', dims=768, num_betas=10),
    criterion=dict(losses=dict(depths_mt=None, fov=None)))
