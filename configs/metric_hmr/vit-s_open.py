# Metric-Aware HMR on photos that configs/dto/open_from-photos.py labelled, and on rendered crowds; without licences.
# data/open/dto/people_table            the labels; they say where the photos are
# data/weights/dinov2_vit-s_448.pth     DINOv2's ViT-S/14, see docs/metric_hmr.md. Without:
#     --cfg-options model.backbone.init_cfg=None model.backbone.layer_scale=1. optim_wrapper.paramwise_cfg=None
_base_ = ['./vit-tiny_synthetic-crowd.py']

model = dict(
    data_preprocessor=dict(input_size=448),
    backbone=dict(
        arch='small', input_size=448, num_additional_blocks=3, patch_embed='linear', layer_scale=1e-5,
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/dinov2_vit-s_448.pth', prefix='backbone.')),
    decoder=dict(in_dims=384, num_queries=30, num_layers=6, dims=256, ffn_dims=1024),
    head=dict(dims=256, num_layers=6), camera_head=dict(in_dims=384), denoising=dict(dims=256))
scenes = dict(version=2, size=(336, 448), people=(1, 12))
train_dataloader = dict(num_workers=8, dataset=dict(
    weights=[.6, .4],
    datasets=[
        # Who was not found counts as nobody, or of photos the network would never learn where nobody is.
        dict(type='HumanTable', table='data/open/dto/people_table', num_betas=11, fully_annotated=True, pipeline=[
            dict(type='LoadImage'),
            dict(type='TrustLabels'),
            dict(type='JointsFromMeshes', body_model=dict(type='OpenBody')),
        ]),
        dict(type='SyntheticCrowd', scenes=scenes, seed=1, num_scenes=100_000, cache_dir='work_dirs/crowd_cache'),
    ],
    pipeline=[
        dict(type='RandomView', input_size=448),
        dict(type='KeepVisiblePeople', min_joints=4),
        dict(type='ColorJitter', strength=.2),
        dict(type='PackHumanInputs'),
    ]))
val_dataloader = dict(batch_size=1, dataset=dict(scenes=scenes, pipeline=[
    dict(type='Resize', input_size=448), dict(type='PackHumanInputs')]))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=2e-4), paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=.1))))
train_cfg = dict(max_iters=50_000, val_interval=5000)
param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=False, begin=0, end=50_000, eta_min=5e-6)
del scenes
