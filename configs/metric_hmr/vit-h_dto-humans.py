# The flagship: the data and losses of stage 3 with a ViT-H/14 encoder, in one go. 8 GPUs x 4 images; nobody has run it.
_base_ = ['./vit-b_dto-humans.py']

model = dict(
    backbone=dict(
        arch='huge', with_cp=True,
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/vit-h14_1288.pth', prefix='backbone.')),
    decoder=dict(in_dims=1280),
    camera_head=dict(in_dims=1280))
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    type='AutocastOptimWrapper',
    optimizer=dict(lr=1e-4),
    constructor='LayerDecayConstructor',
    paramwise_cfg=dict(
        layer_decay=.85, num_layers=32,
        block_pattern=r'backbone\.(?:additional_)?blocks\.(\d+)\.',
        before_pattern=r'backbone\.(?:patch_embed|pos_embed|camera_token)'))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=False, begin=0, end=2000),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=2000, end=200000, eta_min=0.),
]
load_from = None
