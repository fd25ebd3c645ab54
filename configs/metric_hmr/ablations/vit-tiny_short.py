# A shorter training of the tiny network with coarser tokens, cheap enough to be repeated: the ablations' reference.
_base_ = ['../vit-tiny_synthetic-crowd.py']

model = dict(backbone=dict(scale_threshold=.25))
train_cfg = dict(max_iters=900, val_interval=900)
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', eta_min=5e-6, by_epoch=False, begin=100, end=900),
]
