# Fine-tuning on Relative Human: 2D joints and the order of people in depth are all its truth. 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/metric_hmr.py', '../_base_/datasets/relative-human.py',
    '../_base_/schedules/adamw_cosine_20k.py', '../_base_/default_runtime.py',
]

model = dict(
    joint_set='crowdpose14',
    targets=dict(scale_map=False, joint_set='crowdpose14'),
    criterion=dict(
        losses=dict(
            depths_re=dict(type='DepthOrderLoss', weight=.5),
            poses=None, betas=None, j3ds=None, map_confs=None, map_scales=None, depths=None, depths_mt=None, fov=None,
        )))
load_from = 'work_dirs/vit-b_dto-humans/iter_200000.pth'
