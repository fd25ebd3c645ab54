# Fine-tuning on 3DPW, all losses of stage 3. 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/metric_hmr.py', '../_base_/datasets/3dpw.py',
    '../_base_/schedules/adamw_cosine_20k.py', '../_base_/default_runtime.py',
]

load_from = 'work_dirs/vit-b_dto-humans/iter_200000.pth'
