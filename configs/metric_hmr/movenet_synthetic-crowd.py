# A small network that sees by MoveNet, on rendered crowds like photographs: trains anywhere, needs no files.
_base_ = [
    '../_base_/models/metric_hmr_movenet.py', '../_base_/datasets/synthetic-crowd.py', '../_base_/default_runtime.py',
]

body_model = dict(type='OpenBody')
model = dict(
    # Each scene is seen one way, so MoveNet looks at it once.
    backbone=dict(keep=5000, person=dict(blind=.3)),
    lifter=dict(init_cfg=dict(type='Pretrained', checkpoint='demo/resources/openbody_coco17.safetensors')))

crowd = dict(type='SyntheticCrowd', cache_dir='work_dirs/crowd_cache')
train_dataloader = dict(dataset=dict(
    datasets=[dict(
        crowd, seed=21, num_scenes=800, scenes=dict(version=2, size=(384, 512), people=(1, 16)),
        pipeline=[dict(type='RandomView', input_size=512, rotation=10., scale=(.9, 1.4), below_spine=.2),
                  dict(type='KeepVisiblePeople', min_joints=4)])],
    pipeline=[dict(type='PackHumanInputs')]))
val_dataloader = dict(batch_size=1, dataset=dict(scenes=dict(
    _delete_=True, version=2, size=(384, 512), people=(1, 16))))
test_dataloader = val_dataloader
val_evaluator = dict(type='CrowdMetric', body_model=body_model, threshold=.35)
test_evaluator = val_evaluator
default_hooks = dict(visualization=dict(type='PredictionVisualizationHook', body_model=body_model))
del crowd  # not a key of its own: to change it would change neither loader

train_cfg = dict(type='ResumableTrainLoop', max_iters=800, val_interval=800)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(type='AutocastOptimWrapper', optimizer=dict(type='AdamW', lr=5e-4, weight_decay=1e-3),
                     clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', eta_min=5e-6, by_epoch=False, begin=50, end=800),
]
