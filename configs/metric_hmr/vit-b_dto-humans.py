# Stage 3 of 3, the published recipe: DTO-Humans in 3D, children's shape, relative metric loss. 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/metric_hmr.py', '../_base_/datasets/agora_bedlam_dto-humans.py',
    '../_base_/schedules/adamw_cosine_200k.py', '../_base_/default_runtime.py',
]

load_from = 'work_dirs/vit-b_camera/iter_200000.pth'
