# Metric-Aware HMR that sees by MoveNet, which finds people in photographs and stays as it is: queries start from who it
# finds, heads from the bodies that a lifting network makes of their joints. With the open body; needs no files.
_base_ = ['metric_hmr_nano.py']

model = dict(
    data_preprocessor=dict(input_size=512, mean=(0., 0., 0.), std=(1., 1., 1.), pad_multiple=32),
    backbone=dict(_delete_=True, type='MoveNetBackbone', input_size=512, dims=192),
    decoder=dict(in_dims=192, num_queries=30, dims=192, ffn_dims=512, num_levels=0, parts=None),
    head=dict(dims=192),
    camera_head=dict(in_dims=192),
    lifter=dict(type='KeypointLifter', body_model=dict(type='OpenBody')),
    denoising=None,  # where people are is known from the start
    targets=dict(scale_map=False),
    criterion=dict(losses=dict(map_confs=None, map_scales=None, j2ds=dict(weight=20.))))
