optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-5, weight_decay=1e-4), clip_grad=dict(max_norm=1.))
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=False, begin=0, end=200000, eta_min=0.)
train_cfg = dict(type='ResumableTrainLoop', max_iters=200000, val_interval=10000)
