# A small network on rendered crowds of the open body: trains anywhere, needs no files.
_base_ = ['../_base_/models/metric_hmr.py', '../_base_/default_runtime.py']

body_model = dict(type='OpenBody')
model = dict(
    data_preprocessor=dict(input_size=224),
    # People smaller than a quarter of the image get 14-px tokens; at half of it, nearly everyone would.
    backbone=dict(arch='nano', input_size=224, num_additional_blocks=2, scale_threshold=.25, layer_scale=1.),
    decoder=dict(in_dims=128, num_queries=12, num_layers=3, dims=128, num_heads=4, ffn_dims=256),
    head=dict(dims=128, num_layers=3, mean_params=None),
    camera_head=dict(in_dims=128),
    denoising=dict(type='Denoising', dims=128, num_betas=11, num_groups=3),
    body_model=dict(_delete_=True, **body_model))

scenes = dict(size=(168, 224), people=(1, 5), fov=(35., 85.), far_share=.05)
crowd = dict(type='SyntheticCrowd', scenes=scenes, cache_dir='work_dirs/crowd_cache',
             pipeline=[dict(type='PackHumanInputs')])
train_dataloader = dict(
    batch_size=8, num_workers=1, persistent_workers=True, collate_fn=dict(type='pseudo_collate'),
    sampler=dict(type='EndlessSampler', shuffle=True, seed=0), dataset=dict(seed=1, num_scenes=6000, **crowd))
val_dataloader = dict(
    batch_size=8, num_workers=0, collate_fn=dict(type='pseudo_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False), dataset=dict(seed=2, num_scenes=200, **crowd))
test_dataloader = val_dataloader
val_evaluator = dict(type='CrowdMetric', body_model=body_model)
test_evaluator = val_evaluator
default_hooks = dict(visualization=dict(type='PredictionVisualizationHook', body_model=body_model))

train_cfg = dict(type='ResumableTrainLoop', max_iters=8000, val_interval=1000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=4e-4, weight_decay=1e-4), clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=False, begin=100, end=8000),
]
