# A small network on rendered crowds of the open body: trains anywhere, needs no files.
_base_ = ['../_base_/models/metric_hmr.py', '../_base_/default_runtime.py']

input_size = 224
model = dict(
    data_preprocessor=dict(input_size=input_size),
    backbone=dict(arch='nano', input_size=input_size, num_additional_blocks=2, layer_scale=1.),
    decoder=dict(in_dims=128, num_queries=16, num_layers=3, dims=128, num_heads=4, ffn_dims=256),
    head=dict(dims=128, num_layers=3, mean_params=None),
    camera_head=dict(in_dims=128),
    body_model=dict(_delete_=True, type='OpenBody'))

scenes = dict(size=(168, 224), people=(2, 6), fov=(30., 90.))
pipeline = [dict(type='PackHumanInputs')]
train_dataloader = dict(
    batch_size=16, num_workers=1, persistent_workers=True,
    sampler=dict(type='EndlessSampler', shuffle=True, seed=0),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='SyntheticCrowd', scenes=scenes, seed=1, num_scenes=8000, cache_dir='work_dirs/crowd_cache',
                 pipeline=pipeline))
val_dataloader = dict(
    batch_size=16, num_workers=1, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='SyntheticCrowd', scenes=scenes, seed=2, num_scenes=200, cache_dir='work_dirs/crowd_cache',
                 pipeline=pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='CrowdMetric', body_model=dict(type='OpenBody'))
test_evaluator = val_evaluator

default_hooks = dict(visualization=dict(type='PredictionVisualizationHook', body_model=dict(type='OpenBody')))

train_cfg = dict(type='ResumableTrainLoop', max_iters=20000, val_interval=2000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=5e-4, weight_decay=1e-4), clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=500),
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=False, begin=500, end=20000),
]
