# A small network on rendered crowds of the open body: trains anywhere, needs no files.
_base_ = [
    '../_base_/models/metric_hmr_nano.py', '../_base_/datasets/synthetic-crowd.py', '../_base_/default_runtime.py',
]

body_model = dict(type='OpenBody')
val_evaluator = dict(type='CrowdMetric', body_model=body_model, threshold=.35)
test_evaluator = val_evaluator
default_hooks = dict(visualization=dict(type='PredictionVisualizationHook', body_model=body_model))

train_cfg = dict(type='ResumableTrainLoop', max_iters=4700, val_interval=1000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1.2e-3, weight_decay=1e-4), clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=200),
    dict(type='CosineAnnealingLR', eta_min=5e-6, by_epoch=False, begin=200, end=4700),
]
