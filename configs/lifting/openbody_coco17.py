# From COCO's 17 joints to bodies in metres: a small network that learns from joints alone, in minutes, without a file.
_base_ = ['../_base_/default_runtime.py']

body_model = dict(type='OpenBody')
joint_set = 'coco17'
model = dict(
    type='KeypointLifter', body_model=body_model, joint_set=joint_set,
    criterion=dict(
        type='SetCriterion', assigner=dict(type='InOrder'),
        losses=dict(
            poses=dict(type='RotationLoss', weight=10.),
            betas=dict(type='ShapeLoss', weight=.1),
            j3ds=dict(type='Joints3DLoss', weight=20.),
            j2ds=dict(type='Joints2DLoss', weight=2.5),
            depths=dict(type='InverseDepthLoss', weight=1.),
            depths_mt=dict(type='RelativeMetricLoss', weight=.3),
            stated_depths=dict(type='StatedDepthLoss', weight=.3),
            stated_heights=dict(type='StatedHeightLoss', weight=.3),
            stated_sizes=dict(type='StatedSizeLoss', weight=.3),
            stated_j3ds=dict(type='StatedJointsLoss', weight=.1))))

train_cfg = dict(type='ResumableTrainLoop', max_iters=4000, val_interval=4000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-2), clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=100, end=4000),
]

keypoints = dict(type='SyntheticKeypoints', body_model=body_model, joint_set=joint_set)
train_dataloader = dict(
    batch_size=16, num_workers=1, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=False), collate_fn=dict(type='pseudo_collate'),
    dataset=dict(keypoints, seed=1))
val_dataloader = dict(
    batch_size=32, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'), dataset=dict(keypoints, seed=2, num_scenes=200))
test_dataloader = val_dataloader
val_evaluator = dict(type='LiftingMetric', joint_set=joint_set)
test_evaluator = val_evaluator
del keypoints  # not a key of its own: to change it would change neither loader
